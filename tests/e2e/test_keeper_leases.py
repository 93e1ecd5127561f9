"""Short leases are renewed in time, and end when nobody renews them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic

import pytest
import pytest_asyncio

from tests.lab import Authority, Lab
from tests.lab.fixtures import MakeLab
from tests.lab.home import MINIUPNPD, NET, ROUTER, home as home_topology
from tests.lab.peers import STUN, outside

from .homeport import Homeport
from .keeper_control import back_after, reached_now
from .server import HomeAssistantServer

LEASE = 20
PORT = 18420
SAID = b"hello from here"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def home(make_lab: MakeLab, authority: Authority) -> Lab:
    """Build a home whose router grants no more than that; PCP tells how much it is."""
    short = replace(MINIUPNPD, upnp=False, options=(f"max_lifetime={LEASE}",))
    return make_lab(home_topology(short, outside(authority.issue(NET)), STUN))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def homeport(hass_server: HomeAssistantServer) -> Homeport:
    """Set Homeport up."""
    return await Homeport.set_up(hass_server, ROUTER)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port(homeport: Homeport, home: Lab) -> AsyncIterator[str]:
    """Open a port of Home Assistant's machine for all tests."""
    port = await homeport.add_port(internal_port="8200", external_port=str(PORT))
    await homeport.state("open", "off", port)
    async with home["lan"].serve(SAID, 8200):
        await homeport.switch(port, on=True)
        assert await reached_now(home, PORT) == SAID
        yield port


async def test_it_is_never_closed_while_it_is_wanted(
    homeport: Homeport, home: Lab, port: str
) -> None:
    begin, tries, longest = monotonic(), 0, 0.0
    while monotonic() < begin + 2.5 * LEASE:
        # A try that was too slow is no closed port: that lasts until a renewal, which is not near.
        longest = max(longest, await back_after(home, PORT, monotonic(), 1))
        tries += 1
        await asyncio.sleep(0.1)
    print(f"\nreached {tries} times in {monotonic() - begin:.0f} s, after {longest:.2f} s at most")  # noqa: T201
    await homeport.state("open", "on", port)


async def test_home_assistant_stops_and_the_rule_ends_with_its_lease(
    homeport: Homeport, home: Lab, port: str
) -> None:
    await homeport.server.stop()
    stopped = monotonic()
    assert await reached_now(home, PORT) == SAID
    async with asyncio.timeout(LEASE + 5):
        while await reached_now(home, PORT):
            await asyncio.sleep(0.1)
    print(f"\nclosed {monotonic() - stopped:.1f} s after the end")  # noqa: T201
    await homeport.server.start()
    took = await back_after(home, PORT, monotonic(), 5)
    print(f"open again {took:.2f} s after Home Assistant was back")  # noqa: T201
    await homeport.state("open", "on", port)
