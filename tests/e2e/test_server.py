"""The driver of Home Assistant: it starts, answers, finds the lab's gateway, and ends."""

import asyncio
import os
from pathlib import Path
import time

from aiohttp import web
import pytest

from tests.lab import Lab
from tests.lab.home import WAN

from .api import ApiError, FlowKind
from .server import HomeAssistantServer, ServerError

pytestmark = pytest.mark.asyncio(loop_scope="module")


def children() -> set[str]:
    """Return the ids of the processes that this one has started."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


async def test_started(hass_server: HomeAssistantServer) -> None:
    print(f"\nHome Assistant started in {hass_server.started_in:.2f} s")  # noqa: T201
    assert (await hass_server.rest("GET", "/api/config"))["state"] == "RUNNING"
    integration = await hass_server.ws_call("manifest/get", integration="homeport")
    assert not integration["is_built_in"]


async def test_states_are_waited_for(hass_server: HomeAssistantServer) -> None:
    waiting = asyncio.create_task(hass_server.wait_state("sensor.made_up", "7"))
    for value in ("6", "7"):
        await hass_server.rest("POST", "/api/states/sensor.made_up", {"state": value})
    assert (await waiting)["state"] == "7"
    assert await hass_server.wait_state("sensor.made_up", lambda state: state["state"] > "6")
    with pytest.raises(TimeoutError, match="'state': '7'"):
        await hass_server.wait_state("sensor.made_up", "8", within=0.05)
    await hass_server.rest("DELETE", "/api/states/sensor.made_up")
    await hass_server.wait_gone("sensor.made_up")
    with pytest.raises(TimeoutError, match="made_up is None"):
        await hass_server.wait_state("sensor.made_up", "7", within=0.05)


async def test_refusals_are_raised(hass_server: HomeAssistantServer) -> None:
    with pytest.raises(ApiError) as refused:
        await hass_server.call_service("homeassistant.no_such_action")
    assert refused.value.code == "not_found"
    with pytest.raises(ApiError) as refused:
        await hass_server.start_flow(FlowKind.CONFIG, "no_such_integration")
    assert refused.value.code == 404


async def test_actions_respond(hass_server: HomeAssistantServer) -> None:
    response = await hass_server.call_service(
        "logbook.log", name="Lab", message="was here", entity_id="sun.sun"
    )
    assert response is None
    updates = await hass_server.call_service(
        "recorder.get_statistics",
        response=True,
        start_time="2026-01-01 00:00:00",
        statistic_ids=["sensor.made_up"],
        period="hour",
        types=["mean"],
    )
    assert updates == {"statistics": {}}


async def test_gateway_is_discovered(hass_server: HomeAssistantServer) -> None:
    flow = await hass_server.wait_discovered("upnp")
    step = await hass_server.answer_flow(FlowKind.CONFIG, flow["flow_id"], {})
    assert step["type"] == "create_entry"
    entry_id = step["result"]["entry_id"]
    await hass_server.wait_entry(entry_id)
    address = await external_ip(hass_server, entry_id)
    await hass_server.wait_state(address, WAN)


async def test_entity_is_enabled(hass_server: HomeAssistantServer) -> None:
    (entry,) = await hass_server.entries("upnp")
    entities = await hass_server.entities(entry["entry_id"])
    disabled = next(entity["entity_id"] for entity in entities if entity["disabled_by"])
    assert disabled not in hass_server.states
    await hass_server.enable_entity(disabled)
    await hass_server.reload_entry(entry["entry_id"])
    assert await hass_server.wait_state(disabled, lambda _: True)


async def test_restart_keeps_the_entry(hass_server: HomeAssistantServer, home: Lab) -> None:
    (entry,) = await hass_server.entries("upnp")
    before = children()
    start = time.monotonic()
    await hass_server.stop()
    stopped_in = time.monotonic() - start
    assert len(before - children()) == 1
    with pytest.raises(ConnectionRefusedError):
        await home["lan"].fetch("127.0.0.1", 8123)
    await hass_server.start()
    print(f"\nstopped in {stopped_in:.2f} s, started in {hass_server.started_in:.2f} s")  # noqa: T201
    await hass_server.wait_entry(entry["entry_id"])
    await hass_server.wait_state(await external_ip(hass_server, entry["entry_id"]), WAN)


async def test_entry_is_disabled_reloaded_and_removed(hass_server: HomeAssistantServer) -> None:
    (entry,) = await hass_server.entries("upnp")
    entry_id = entry["entry_id"]
    address = await external_ip(hass_server, entry_id)
    await hass_server.enable_entry(entry_id, enabled=False)
    await hass_server.wait_entry(entry_id, "not_loaded")
    await hass_server.enable_entry(entry_id)
    await hass_server.wait_entry(entry_id)
    await hass_server.reload_entry(entry_id)
    await hass_server.wait_state(address, WAN)
    await hass_server.remove_entry(entry_id)
    assert await hass_server.entries("upnp") == []
    await hass_server.wait_gone(address)


async def test_no_error_is_logged(hass_server: HomeAssistantServer) -> None:
    assert [record for record in await hass_server.logged() if record["level"] == "ERROR"] == []


async def test_broken_start_is_told(tmp_path: Path) -> None:
    before = children()
    server = HomeAssistantServer(tmp_path, port=18123, environment={"PYTHONHOME": "/nowhere"})
    with pytest.raises(ServerError, match="PYTHONHOME"):
        await server.start()
    assert children() == before


async def test_taken_port_is_told(tmp_path: Path) -> None:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response()

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 18123).start()
    try:
        with pytest.raises(ServerError, match="another server"):
            await HomeAssistantServer(tmp_path, port=18123).start()
    finally:
        await runner.cleanup()


async def external_ip(server: HomeAssistantServer, entry_id: str) -> str:
    """Return the id of core's sensor of the WAN address."""
    names: list[str] = [entity["entity_id"] for entity in await server.entities(entry_id)]
    return next(name for name in names if name.endswith("_external_ip"))
