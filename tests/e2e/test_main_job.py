"""The main job: found, set up, a port opened, reached, seen from outside, and closed."""

from collections.abc import AsyncIterator
import json
from time import monotonic

import pytest
import pytest_asyncio

from tests.lab import Lab, Miniupnpd
from tests.lab.home import LAN, ROUTER, SRV, WAN

from .api import ApiError, FlowKind
from .homeport import DOMAIN, OUTSIDE, Homeport
from .lab_control import asked_outside, closed, reached, script_outside, table
from .server import HomeAssistantServer

OPEN_BY_HAND = ("-a", SRV, "8080", "18078", "TCP", "60")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def homeport(hass_server: HomeAssistantServer, home: Lab) -> AsyncIterator[Homeport]:
    """Set Homeport up from its own discovery of the router."""
    flow = await hass_server.wait_discovered(DOMAIN)
    assert flow["step_id"] == "outside"
    assert flow["context"]["title_placeholders"]["name"]
    # The flow stands there, says whom it would ask, and has asked nobody.
    assert await asked_outside(home) == []
    step = await hass_server.answer_flow(FlowKind.CONFIG, flow["flow_id"], OUTSIDE)
    assert step["type"] == "create_entry"
    entry_id = step["result"]["entry_id"]
    await hass_server.wait_entry(entry_id)
    yield Homeport(hass_server, entry_id)


async def test_discovered_and_confirmed(homeport: Homeport, home: Lab) -> None:
    await homeport.state("public_ipv4", WAN)
    await homeport.state("line_mode", "public")
    await homeport.state("internet", "on")
    assert await asked_outside(home)
    assert "TCP" not in table(home)


async def test_router_sensors(homeport: Homeport) -> None:
    for key in "wan_address", "wan_address_kind":
        await homeport.server.enable_entity(await homeport.entity(key))
    begin = monotonic()
    await homeport.server.reload_entry(homeport.entry_id)
    loaded = monotonic()
    await homeport.state("wan_address", WAN)
    known = monotonic()
    shown = f"{(loaded - begin) * 1000:.0f} ms, {(known - begin) * 1000:.0f} ms to the address"
    print(f"\nreload of the entry: {shown}")  # noqa: T201
    await homeport.state("wan_address_kind", "global")


@pytest.mark.parametrize("host", [ROUTER, f"http://{ROUTER}:5000/rootDesc.xml"])
async def test_the_same_router_is_refused(homeport: Homeport, host: str) -> None:
    step = await homeport.server.run_flow(
        FlowKind.CONFIG, DOMAIN, {"next_step_id": "gateway"}, {"host": host}
    )
    assert (step["type"], step["reason"]) == ("abort", "already_configured")


@pytest.mark.parametrize(
    ("host", "error"),
    [
        (f"http://{ROUTER}:5000/nothing.xml", "gateway_unreachable"),
        (f"http://{ROUTER}:4999/rootDesc.xml", "gateway_unreachable"),
        (SRV, "gateway_not_found"),
        ("no such host", "gateway_not_found"),
        ("http://[", "gateway_not_found"),
    ],
)
async def test_wrong_router_is_a_form_error(homeport: Homeport, host: str, error: str) -> None:
    step = await homeport.server.run_flow(
        FlowKind.CONFIG, DOMAIN, {"next_step_id": "gateway"}, {"host": host}
    )
    assert (step["type"], step["errors"]) == ("form", {"host": error})
    await homeport.server.abort_flow(FlowKind.CONFIG, step["flow_id"])


async def test_port_opens_and_closes(homeport: Homeport, home: Lab) -> None:
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18080")
    await homeport.state("open", "off", port)
    async with home["srv"].serve(b"hello from the server", 8080):
        assert await reached(home, 18080) is None
        begin = monotonic()
        await homeport.switch(port, on=True)
        assert await reached(home, 18080) == b"hello from the server"
        took = {"Homeport's switch": monotonic() - begin}
        await homeport.state("open", "on", port)
        assert f"18080->{SRV}:8080" in table(home)

        await homeport.press("check", port)
        await homeport.state("reachability", "reachable", port)

        await homeport.switch(port, on=False)
        await homeport.state("open", "off", port)
        await homeport.state("reachability", "unknown", port)
        assert await reached(home, 18080) is None
        assert "18080" not in table(home)

        await homeport.press("check", port)
        await homeport.state("reachability", "unreachable", port)

        for name, *opener in (
            ("upnpc -u", "upnpc", "-u", home.daemon(Miniupnpd).location, *OPEN_BY_HAND),
            ("natpmpc", "natpmpc", "-g", ROUTER, "-a", "18079", "8079", "tcp", "60"),
        ):
            begin = monotonic()
            home["lan"].run(*opener)
            took[name] = monotonic() - begin
        assert await reached(home, 18078) == b"hello from the server"
        for unwanted in "18078", "18079":
            home["lan"].run("upnpc", "-u", home.daemon(Miniupnpd).location, "-d", unwanted, "TCP")
    shown = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in took.items())
    print(f"\nfrom the command to an open port: {shown}")  # noqa: T201
    await homeport.remove(port)


async def test_port_of_home_assistant_itself(homeport: Homeport, home: Lab) -> None:
    port = await homeport.add_port("Here", internal_port="8200", external_port="8201")
    async with home["lan"].serve(b"hello from here", 8200):
        await homeport.switch(port, on=True)
        assert await reached(home, 8201) == b"hello from here"
        assert f"8201->{LAN}:8200" in table(home)
    await homeport.remove(port)


async def test_state_is_the_routers_not_the_wish(homeport: Homeport, home: Lab) -> None:
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18081")
    location = home.daemon(Miniupnpd).location
    home["lan"].run("upnpc", "-u", location, "-e", "mine", "-a", LAN, "9", "18081", "TCP", "600")
    with pytest.raises(ApiError) as refused:
        await homeport.switch(port, on=True)
    assert refused.value.details["translation_key"] == "foreign_mapping"
    await homeport.state("open", "unknown", port)
    assert f"18081->{LAN}:9" in table(home)
    # When the other device lets go, the event of the router is enough to open ours.
    home["lan"].run("upnpc", "-u", location, "-d", "18081", "TCP")
    await homeport.state("open", "on", port)
    await homeport.remove(port)


async def test_prober_is_not_believed_about_another_address(homeport: Homeport, home: Lab) -> None:
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18082")
    async with home["srv"].serve(b"x", 8080):
        await homeport.switch(port, on=True)
        await script_outside(home, prober_ip="11.22.33.99")
        with pytest.raises(ApiError) as refused:
            await homeport.press("check", port)
        assert refused.value.details["translation_key"] == "outside_other_address"
        await homeport.state("reachability", "unknown", port)
    await script_outside(home, prober_ip=None)
    await homeport.remove(port)


async def test_prober_down_is_said_once(homeport: Homeport, home: Lab) -> None:
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18083")
    await script_outside(home, down=True)
    for _ in range(3):
        with pytest.raises(ApiError) as refused:
            await homeport.press("check", port)
        assert refused.value.details["translation_key"] == "outside_unreachable"
    await homeport.state("reachability", "unknown", port)
    await script_outside(home, down=False)
    said = homeport.server.log.read_text().count("The prober gave no usable answer: Server")
    assert said == 1
    await homeport.remove(port)


async def test_home_assistant_stops_and_starts(homeport: Homeport, home: Lab) -> None:
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18084")
    await homeport.switch(port, on=True)
    await homeport.server.stop()
    assert "18084" in table(home)  # a restart of Home Assistant cuts nobody off
    await homeport.server.start()
    await homeport.state("open", "on", port)
    await homeport.remove(port)


async def test_disabled_and_enabled(homeport: Homeport, home: Lab) -> None:
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18085")
    await homeport.switch(port, on=True)
    await homeport.server.enable_entry(homeport.entry_id, enabled=False)
    assert "18085" not in table(home)
    await homeport.server.enable_entry(homeport.entry_id)
    await homeport.state("open", "on", port)
    await homeport.server.reload_entry(homeport.entry_id)
    await homeport.state("open", "on", port)
    await homeport.remove(port)
    await closed(home, 18085)


async def test_port_removed_while_not_loaded(homeport: Homeport, home: Lab) -> None:
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18086")
    await homeport.switch(port, on=True)
    await homeport.server.stop()
    # As a backup would, that is older than the port.
    file = homeport.server.config_dir / ".storage" / "core.config_entries"
    stored = json.loads(file.read_text())
    [entry] = [e for e in stored["data"]["entries"] if e["entry_id"] == homeport.entry_id]
    entry["subentries"] = [s for s in entry["subentries"] if s["subentry_id"] != port]
    file.write_text(json.dumps(stored))
    assert "18086" in table(home)
    await homeport.server.start()
    await homeport.state("public_ipv4", WAN)
    await closed(home, 18086)


async def test_no_error_and_no_traceback_is_logged(homeport: Homeport) -> None:
    log = homeport.server.log.read_text()
    assert "Traceback" not in log
    assert "Detected" not in log
    assert [entry for entry in await homeport.server.logged() if entry["level"] == "ERROR"] == []


async def test_removing_the_entry_closes_everything(homeport: Homeport, home: Lab) -> None:
    for external_port in "18087", "18088":
        port = await homeport.add_port(
            f"Port {external_port}",
            internal_client=SRV,
            internal_port="8080",
            external_port=external_port,
        )
        await homeport.switch(port, on=True)
    assert table(home).count("Homeport") == 2
    await homeport.server.remove_entry(homeport.entry_id)
    assert "Homeport" not in table(home)
    storage = homeport.server.config_dir / ".storage"
    assert not (storage / f"homeport.{homeport.entry_id}").exists()
