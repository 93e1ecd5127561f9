"""A router without UPnP: PCP opens its ports, and what it announces is heard."""

from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic

import pytest
import pytest_asyncio

from tests.lab import Authority, Lab, Miniupnpd
from tests.lab.fixtures import MakeLab
from tests.lab.home import MINIUPNPD, NET, ROUTER, SRV, home as home_topology
from tests.lab.peers import STUN, outside

from .api import ApiError
from .homeport import Homeport
from .lab_control import reached
from .server import HomeAssistantServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def home(make_lab: MakeLab, authority: Authority) -> Lab:
    """Build a home whose router speaks PCP and NAT-PMP only."""
    without = replace(MINIUPNPD, upnp=False)
    return make_lab(home_topology(without, outside(authority.issue(NET)), STUN))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def homeport(hass_server: HomeAssistantServer) -> AsyncIterator[Homeport]:
    """Set it up by the router's address."""
    yield await Homeport.set_up(hass_server, ROUTER)


async def test_port_opens_and_closes(homeport: Homeport, home: Lab) -> None:
    await homeport.state("line_mode", "public")
    port = await homeport.add_port(internal_port="8200", external_port="18200")
    await homeport.state("open", "off", port)
    async with home["lan"].serve(b"hello from here", 8200):
        assert await reached(home, 18200) is None
        await homeport.switch(port, on=True)
        assert await reached(home, 18200) == b"hello from here"
        await homeport.state("open", "on", port)
        await homeport.press("check", port)
        await homeport.state("reachability", "reachable", port)
        await homeport.switch(port, on=False)
        await homeport.state("open", "off", port)
        assert await reached(home, 18200) is None
    await homeport.remove(port)


async def test_a_restarted_router_is_told_again_within_five_seconds(
    homeport: Homeport, home: Lab
) -> None:
    port = await homeport.add_port(internal_port="8200", external_port="18201")
    async with home["lan"].serve(b"hello from here", 8200):
        await homeport.switch(port, on=True)
        assert await reached(home, 18201) == b"hello from here"
        home.restart(home.daemon(Miniupnpd))
        began = monotonic()
        while await reached(home, 18201) is None:
            assert monotonic() - began < 5
        print(f"\nopen again after {monotonic() - began:.2f} s")  # noqa: T201
        await homeport.state("open", "on", port)
    await homeport.remove(port)


async def test_another_machine_needs_more_than_that(homeport: Homeport) -> None:
    """PCP opens for other machines only where the router was told to let it."""
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18202")
    with pytest.raises(ApiError) as refused:
        await homeport.switch(port, on=True)
    assert refused.value.details["translation_key"] == "own_only"
    await homeport.state("open", "unknown", port)
    await homeport.remove(port)


async def test_restart_of_home_assistant_keeps_it(homeport: Homeport, home: Lab) -> None:
    port = await homeport.add_port(internal_port="8200", external_port="18203")
    await homeport.switch(port, on=True)
    async with home["lan"].serve(b"hello from here", 8200):
        await homeport.server.restart()
        await homeport.state("open", "on", port, within=30)
        assert await reached(home, 18203) == b"hello from here"
        await homeport.switch(port, on=False)
        assert await reached(home, 18203) is None
