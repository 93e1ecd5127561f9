"""A hundred ports at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
import os
from time import monotonic

import pytest

from tests.lab import Lab, Miniupnpd
from tests.lab.home import ROUTER, SRV
from tests.lab.peers import SIMULATED_GATEWAY_LOCATION, simulated_gateway

from .homeport import Homeport
from .keeper_control import rules
from .lab_control import reached
from .server import HomeAssistantServer

PORTS = range(18500, 18600)
# Of the real router, since it needs a second for each by then: HOMEPORT_PORTS=100 for all of them.
REAL = PORTS[: int(os.environ.get("HOMEPORT_PORTS", "25"))]
THEIRS = 18499
AT_ONCE = 5.0

pytestmark = pytest.mark.asyncio(loop_scope="module")


def external_ports(home: Lab, location: str) -> set[int]:
    """Return what is open on the router."""
    return {rule.external_port for rule in rules(home, location)}


@asynccontextmanager
async def opened(
    homeport: Homeport, home: Lab, location: str, ports: Sequence[int] = PORTS
) -> AsyncIterator[None]:
    """Open many ports by one action, and close them in the end by another.

    Whatever else is on the router is left alone.
    """
    home["lan"].run(
        *("upnpc", "-u", location, "-e", "console", "-a", SRV, "9", str(THEIRS), "TCP", "0")
    )
    begin = monotonic()
    added = [
        await homeport.add_port(
            f"Port {port}", internal_client=SRV, internal_port="8080", external_port=str(port)
        )
        for port in ports
    ]
    switches = [await homeport.entity("open", port) for port in added]
    await asyncio.gather(*(homeport.server.wait_state(each, "off", 30) for each in switches))
    print(f"\n{len(ports)} ports: added in {monotonic() - begin:.1f} s")  # noqa: T201

    begin = monotonic()
    said = await homeport.server.call_service(
        "homeport.open_port", entity_id=switches, response=True
    )
    print(f"opened in {monotonic() - begin:.2f} s")  # noqa: T201
    assert {each["mapping"] for each in said.values()} == {"open"}
    assert external_ports(home, location) == {THEIRS, *ports}
    await asyncio.gather(*(homeport.server.wait_state(each, "on") for each in switches))

    yield

    begin = monotonic()
    said = await homeport.server.call_service(
        "homeport.close_all_ports", config_entry_id=homeport.entry_id, response=True
    )
    print(f"closed in {monotonic() - begin:.2f} s")  # noqa: T201
    assert said["failed"] == {}
    assert set(said["closed"]) == {f"Port {port}" for port in ports}
    assert external_ports(home, location) <= {THEIRS}
    await asyncio.gather(*(homeport.server.wait_state(each, "off") for each in switches))
    assert "Traceback" not in homeport.server.log.read_text()


@pytest.mark.timeout(400)
async def test_many_are_opened_and_closed(hass_server: HomeAssistantServer, home: Lab) -> None:
    """The pace is the router's: miniupnpd reads all its rules for each change (2.3.1, nftables)."""
    homeport = await Homeport.set_up(hass_server, ROUTER)
    location = home.daemon(Miniupnpd).location
    async with opened(homeport, home, location, REAL), home["srv"].serve(b"hello", 8080):
        assert await reached(home, REAL[0]) == b"hello"
        assert await reached(home, REAL[-1]) == b"hello"
    assert external_ports(home, location) == {THEIRS}


@pytest.mark.timeout(120)
async def test_a_hundred_on_a_fast_router_survive_a_power_cut(
    hass_server: HomeAssistantServer, home: Lab
) -> None:
    """The pace is Homeport's."""
    simulated = simulated_gateway(home.wan_address)
    home.start(simulated)
    try:
        homeport = await Homeport.set_up(hass_server, SIMULATED_GATEWAY_LOCATION)
        location = SIMULATED_GATEWAY_LOCATION
        async with opened(homeport, home, location):
            home.restart(simulated)
            answered = monotonic()
            async with asyncio.timeout(AT_ONCE):
                while not set(PORTS) <= external_ports(home, location):
                    await asyncio.sleep(0.05)
            print(f"all open again {monotonic() - answered:.2f} s after a power cut")  # noqa: T201
    finally:
        home.stop(simulated)
