"""A router of UPnP IGD 1 that opens ports only for the device that asks (secure mode)."""

from dataclasses import replace

import pytest
import pytest_asyncio

from tests.lab import Authority, Lab
from tests.lab.fixtures import MakeLab
from tests.lab.home import LAN, MINIUPNPD, NET, ROUTER, SRV, home as home_topology
from tests.lab.peers import STUN, outside

from .api import ApiError
from .homeport import DOMAIN, Homeport
from .keeper_control import RouterControl, back_after, reached_now
from .server import HomeAssistantServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def home(make_lab: MakeLab, authority: Authority) -> Lab:
    """Build a home with such a router."""
    secure = replace(MINIUPNPD, secure_mode=True, options=("force_igd_desc_v1=yes",))
    return make_lab(home_topology(secure, outside(authority.issue(NET)), STUN))


@pytest.fixture(scope="module")
def router(home: Lab) -> RouterControl:
    """Return the router."""
    return RouterControl.of(home)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def homeport(hass_server: HomeAssistantServer) -> Homeport:
    """Set Homeport up."""
    return await Homeport.set_up(hass_server, ROUTER)


async def test_it_is_igd_1(home: Lab, router: RouterControl) -> None:
    said = home["lan"].run("upnpc", "-u", router.daemon.location, "-s")
    assert "Found valid IGD" in said
    async with (
        home["lan"].http_session() as session,
        session.get(router.daemon.location) as answer,
    ):
        description = await answer.text()
    assert "WANIPConnection:1" in description
    assert "WANIPConnection:2" not in description


async def test_own_address_is_opened_and_kept(
    homeport: Homeport, home: Lab, router: RouterControl
) -> None:
    # From then on it listens to what the router announces.
    await homeport.state("line_mode", "public")
    port = await homeport.add_port(internal_port="8200", external_port="18410")
    await homeport.state("open", "off", port)
    async with home["lan"].serve(b"hello from here", 8200):
        await homeport.switch(port, on=True)
        assert await reached_now(home, 18410) == b"hello from here"
        await homeport.state("open", "on", port)
        [rule] = router.rules()
        assert (rule.client, rule.internal_port) == (LAN, 8200)
        assert 0 < rule.lease <= 7200
        router.cut_power()
        took = await back_after(home, 18410, router.power_on(5000), 5)
        print(f"\nopen again {took:.2f} s after the router answered")  # noqa: T201
        await homeport.state("open", "on", port)
        await homeport.switch(port, on=False)
        assert await reached_now(home, 18410) is None
    assert router.rules() == []
    await homeport.remove(port)


async def test_another_device_is_refused_with_the_way_out(
    homeport: Homeport, router: RouterControl
) -> None:
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18411")
    await homeport.state("open", "off", port)
    with pytest.raises(ApiError) as refused:
        await homeport.switch(port, on=True)
    assert refused.value.details["translation_key"] == "own_only"
    message = refused.value.details["message"]
    assert SRV in message
    assert "18411" in message
    assert "by hand" in message
    await homeport.state("open", "unknown", port)
    assert router.rules() == []
    await homeport.remove(port)
    await homeport.server.wait_issues(DOMAIN)
