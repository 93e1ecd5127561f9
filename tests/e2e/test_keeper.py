"""What is open stays open, whatever becomes of the router: restarts, outages, other programs."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest
import pytest_asyncio

from tests.lab import Lab
from tests.lab.home import LAN, ROUTER, SRV

from .homeport import Homeport
from .keeper_control import RouterControl, back_after, reached_now
from .server import HomeAssistantServer

SAID = b"hello from the server"
PORT = 18400
AT_ONCE = 5.0
OUTAGE = 60.0
BOOTING = 2.0
"""Seconds that the router is off at least. None boots faster, and this one counts its boots in
seconds (BOOTID.UPNP.ORG)."""
CALM = 3.0
"""Seconds after which nothing that was set off by a change of ours is under way any more."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def router(home: Lab) -> RouterControl:
    """Return the router."""
    return RouterControl.of(home)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def homeport(hass_server: HomeAssistantServer) -> Homeport:
    """Set Homeport up."""
    return await Homeport.set_up(hass_server, ROUTER)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port(homeport: Homeport, home: Lab) -> AsyncIterator[str]:
    """Open a port of the other server, which serves, for all tests."""
    port = await homeport.add_port(
        internal_client=SRV, internal_port="8080", external_port=str(PORT)
    )
    await homeport.state("open", "off", port)
    async with home["srv"].serve(SAID, 8080):
        await homeport.switch(port, on=True)
        await homeport.state("open", "on", port)
        assert await reached_now(home, PORT) == SAID
        yield port


@pytest.mark.parametrize("http_port", [5000, 5017])
async def test_power_cut(
    homeport: Homeport, home: Lab, router: RouterControl, port: str, http_port: int
) -> None:
    await asyncio.sleep(CALM)
    router.cut_power()
    assert await reached_now(home, PORT) is None
    await asyncio.sleep(BOOTING)
    answered = router.power_on(http_port)
    took = await back_after(home, PORT, answered, AT_ONCE)
    print(f"\nat port {http_port}: open again {took:.2f} s after the router answered")  # noqa: T201
    await homeport.state("open", "on", port)
    [rule] = router.rules()
    assert (rule.external_port, rule.client, rule.internal_port) == (PORT, SRV, 8080)
    assert 6600 < rule.lease <= 7200


async def test_power_cut_that_lasts_a_minute(
    homeport: Homeport, home: Lab, router: RouterControl, port: str
) -> None:
    router.cut_power()
    await asyncio.sleep(OUTAGE)
    shown = homeport.server.states[await homeport.entity("open", port)]["state"]
    answered = router.power_on(5000)
    took = await back_after(home, PORT, answered, AT_ONCE)
    print(f"\nshown as {shown} after a minute, open again {took:.2f} s later")  # noqa: T201
    await homeport.state("open", "on", port)


async def test_another_wan_address(
    homeport: Homeport, home: Lab, router: RouterControl, port: str
) -> None:
    before = len(homeport.server.seen)
    switch = await homeport.entity("open", port)
    home.change_wan("11.22.33.7")
    assert await reached_now(home, PORT) == SAID
    await homeport.state("public_ipv4", "11.22.33.7")
    assert await reached_now(home, PORT) == SAID
    assert [rule.external_port for rule in router.rules()] == [PORT]
    # What is seen at an address counts once that was confirmed from outside.
    await homeport.detect_line()
    await homeport.press("check", port)
    await homeport.state("reachability", "reachable", port)
    shown = {each["state"] for each in homeport.server.seen[before:] if each["entity_id"] == switch}
    assert shown <= {"on"}


async def test_rule_deleted_by_another_program(
    homeport: Homeport, home: Lab, router: RouterControl, port: str
) -> None:
    router.delete(PORT)
    took = await back_after(home, PORT, monotonic(), AT_ONCE)
    print(f"\nopen again {took:.2f} s after it was deleted")  # noqa: T201
    await homeport.state("open", "on", port)


async def test_rule_deleted_right_after_it_was_opened(
    homeport: Homeport, home: Lab, router: RouterControl, port: str
) -> None:
    await homeport.switch(port, on=False)
    await homeport.switch(port, on=True)
    router.delete(PORT)
    took = await back_after(home, PORT, monotonic(), AT_ONCE)
    print(f"\nopen again {took:.2f} s after it was deleted")  # noqa: T201
    await homeport.state("open", "on", port)


async def test_rule_of_another_device_is_left_alone(
    homeport: Homeport, home: Lab, router: RouterControl, port: str
) -> None:
    router.delete(PORT)
    router.add("-e", "console", "-a", LAN, "9", str(PORT), "TCP", "600")
    # Either may have come first; what is there now is nobody's to take away.
    held = [rule.client for rule in router.rules()]
    if held == [LAN]:
        await homeport.state("open", "unknown", port)
        issues = await homeport.server.wait_issues("homeport", f"foreign_mapping_{port}")
        assert issues[0]["translation_placeholders"]["client"] == LAN
        router.delete(PORT)
    await homeport.state("open", "on", port)
    assert await back_after(home, PORT, monotonic(), AT_ONCE) < AT_ONCE


async def test_nothing_is_logged_that_a_user_must_not_see(homeport: Homeport) -> None:
    assert "Traceback" not in homeport.server.log.read_text()
