"""Lines that no port can be opened on, and routers that say little or nothing."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.lab import Authority, Lab
from tests.lab.fixtures import MakeLab
from tests.lab.home import SRV, WAN, home as home_topology
from tests.lab.peers import (
    SIMULATED_GATEWAY_CONTROL,
    SIMULATED_GATEWAY_LOCATION,
    STUN,
    outside,
    simulated_gateway,
)

from .api import ApiError, FlowKind, Json
from .homeport import Homeport
from .lab_control import asked_outside, script, script_outside
from .server import HomeAssistantServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def home(make_lab: MakeLab, authority: Authority) -> Lab:
    """Build a home whose router says what it is told to."""
    certificate = authority.issue("11.22.33.2")
    return make_lab(home_topology(simulated_gateway(WAN), outside(certificate), STUN))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def homeport(hass_server: HomeAssistantServer) -> AsyncIterator[Homeport]:
    """Set Homeport up with the description's URL, and show the router's address."""
    homeport = await Homeport.set_up(hass_server, SIMULATED_GATEWAY_LOCATION)
    for key in "wan_address", "wan_address_kind":
        await hass_server.enable_entity(await homeport.entity(key))
    await hass_server.reload_entry(homeport.entry_id)
    await homeport.state("public_ipv4", WAN)
    yield homeport


async def say(home: Lab, address: str) -> None:
    """Let the router say another WAN address, and tell its subscribers."""
    await script(home["rtr"], f"{SIMULATED_GATEWAY_CONTROL}/wan-address", text=address)


async def asked_router(home: Lab) -> list[Json]:
    """Return the actions that the router was asked for."""
    async with (
        home["rtr"].http_session() as session,
        session.get(f"{SIMULATED_GATEWAY_CONTROL}/requests") as answer,
    ):
        asked: list[Json] = await answer.json()
        return asked


@pytest.mark.parametrize(
    ("address", "kind", "mode"),
    [
        (WAN, "global", "public"),
        ("192.168.1.2", "private", "private_wan"),
        ("10.1.2.3", "private", "private_wan"),
        ("100.64.0.2", "shared", "cgnat"),
        ("192.0.0.2", "service_continuity", "ds_lite"),
        ("169.254.1.1", "link_local", "unknown"),
        ("25.0.0.2", "global", "cgnat"),
        ("", "none", "unknown"),
    ],
)
async def test_kind_and_mode(
    homeport: Homeport, home: Lab, address: str, kind: str, mode: str
) -> None:
    await say(home, address)
    await homeport.state("wan_address_kind", kind)
    await homeport.state("wan_address", address or "unknown")
    await homeport.state("line_mode", mode, within=15)
    await homeport.state("internet", "on", within=15)


@pytest.mark.parametrize(
    ("address", "obstacle"), [("100.64.0.2", "line_cgnat"), ("192.0.0.2", "line_ds_lite")]
)
async def test_switch_says_what_is_in_the_way(
    homeport: Homeport, home: Lab, address: str, obstacle: str
) -> None:
    await say(home, address)
    await homeport.state("line_mode", obstacle.removeprefix("line_"))
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18080")
    before = len(await asked_outside(home))
    with pytest.raises(ApiError) as refused:
        await homeport.switch(port, on=True)
    assert refused.value.details["translation_key"] == obstacle
    await homeport.state("open", "off", port)
    # The port at the shared address is another home's: nobody knocks there.
    with pytest.raises(ApiError) as refused:
        await homeport.press("check", port)
    assert refused.value.details["translation_key"] == obstacle
    probed = [seen for seen in await asked_outside(home) if seen["path"].startswith("/port")]
    assert probed == []
    assert len(await asked_outside(home)) <= before + 1  # the echo may have been due
    added = [asked for asked in await asked_router(home) if asked["action"] == "AddPortMapping"]
    assert added == []
    await homeport.remove(port)


@pytest.mark.parametrize("code", [402, 501, 606, 718, 725])
async def test_refusal_is_explained(homeport: Homeport, home: Lab, code: int) -> None:
    await say(home, WAN)
    await homeport.state("line_mode", "public")
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18081")
    fault = {"action": "AddPortMapping", "code": code, "once": False}
    await script(home["rtr"], f"{SIMULATED_GATEWAY_CONTROL}/fault", json=fault)
    with pytest.raises(ApiError) as refused:
        await homeport.switch(port, on=True)
    # Most routers mean by these two that they open ports only for the device that asks.
    explained = "own_only" if code in {606, 718} else f"upnp_{code}"
    assert refused.value.details["translation_key"] == explained
    assert str(18081 if explained == "own_only" else code) in refused.value.details["message"]
    await homeport.state("open", "unknown", port)
    await script(home["rtr"], f"{SIMULATED_GATEWAY_CONTROL}/fault", json={**fault, "code": None})
    await homeport.switch(port, on=True)
    await homeport.state("open", "on", port)
    await homeport.remove(port)


async def test_router_goes_and_comes_back(homeport: Homeport, home: Lab) -> None:
    await homeport.state("line_mode", "public")
    gateway = next(daemon for daemon in home.topology.daemons if daemon.namespace == "rtr")
    home.stop(gateway)
    await homeport.server.reload_entry(homeport.entry_id)
    # All that does not need the router is there at once.
    await homeport.state("wan_address", "unavailable")
    await homeport.state("public_ipv4", WAN)
    await homeport.state("internet", "on")
    home.start(gateway)
    await homeport.state("wan_address", WAN, within=40)
    await homeport.state("line_mode", "public")


async def test_echo_that_talks_nonsense(homeport: Homeport, home: Lab) -> None:
    for body in "<html>Please log in</html>", "192.168.1.1", "100.64.0.1":
        await script_outside(home, echo={"body": body})
        await homeport.server.reload_entry(homeport.entry_id)
        await homeport.state("line_mode", "public")
        await homeport.state("public_ipv4", WAN)  # as STUN sees it
    await script_outside(home, echo=None)
    await homeport.server.reload_entry(homeport.entry_id)
    await homeport.state("public_ipv4", WAN)


async def test_without_a_router(homeport: Homeport, home: Lab) -> None:
    alone = await Homeport.set_up(homeport.server, None)
    await alone.state("public_ipv4", WAN)
    await alone.state("internet", "on")
    await alone.state("line_mode", "unknown")
    keys = {entity["unique_id"] for entity in await alone.server.entities(alone.entry_id)}
    assert f"{alone.entry_id}_wan_address" not in keys
    step = await alone.server.run_flow(FlowKind.CONFIG, "homeport", {"next_step_id": "no_gateway"})
    assert (step["type"], step["reason"]) == ("abort", "already_configured")
    await alone.server.remove_entry(alone.entry_id)


async def test_no_traceback_is_logged(homeport: Homeport) -> None:
    log = homeport.server.log.read_text()
    assert "Traceback" not in log
    assert "Detected" not in log
