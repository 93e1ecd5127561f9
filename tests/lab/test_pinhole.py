"""Pinholes in a real firewall: what is asked for from the right address gets in, and no more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from ipaddress import IPv6Address
import socket
import time

from aiohttp import web
from async_upnp_client.const import HttpRequest
import pytest

from custom_components.homeport.gateway.bound import request_from
from custom_components.homeport.gateway.errors import GatewayUnreachable
from custom_components.homeport.gateway.model import Transport
from custom_components.homeport.gateway.pinhole import (
    FirewallStatus,
    Forbidden,
    Pinhole,
    PinholeControl,
    PinholeForbidden,
)
from custom_components.homeport.gateway.pinhole_url import at_hosts

from . import home as base
from .access_line import ip, within
from .build import Lab
from .fixtures import MakeLab
from .home import LAN6, MINIUPNPD, ROUTER6, SRV6
from .traffic import MIRROR_PORT, ask_tcp, ask_udp, closed, mirror

OWN = IPv6Address(LAN6)
SECOND = IPv6Address(LAN6.replace("::10", "::11"))
TCP = Pinhole(OWN, MIRROR_PORT, Transport.TCP)
UDP = Pinhole(OWN, MIRROR_PORT, Transport.UDP)


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab) -> Lab:
    return make_lab(base.home(MINIUPNPD, name="pinholes"))


@pytest.fixture(autouse=True)
def _nothing_open(lab: Lab) -> None:
    """Begin with a gateway that has just been switched on."""
    lab.restart(MINIUPNPD)


async def at_home[T](lab: Lab, doing: Coroutine[None, None, T]) -> T:
    """Do something as Home Assistant's machine, beside what the other machines do meanwhile."""
    return await asyncio.to_thread(within, lab["lan"], doing)


async def connect(lab: Lab, source: IPv6Address = OWN, host: str = ROUTER6) -> PinholeControl:
    locations = at_hosts(MINIUPNPD.location, [host])
    control = await at_home(lab, PinholeControl.connect(source, locations))
    assert control
    return control


async def open_(lab: Lab, control: PinholeControl, pinhole: Pinhole, lease: int = 600) -> int:
    return await at_home(lab, control.add(pinhole, lease))


def link_local(lab: Lab) -> str:
    """Return the gateway's address as the default route has it."""
    words = ["ip", "-6", "-oneline", "address", "show", "dev", "lan0", "scope", "link"]
    shown = lab["rtr"].run(*words)
    return f"{shown.split()[3].partition('/')[0]}%eth0"


async def udp_closed(lab: Lab) -> bool:
    try:
        await ask_udp(lab["net"], LAN6, within=0.4)
    except TimeoutError:
        return True
    return False


async def eventually(holds: Callable[[], Awaitable[bool]], limit: float = 15) -> None:
    async with asyncio.timeout(limit):
        while not await holds():
            await asyncio.sleep(0.1)


async def test_tcp_gets_in_while_the_pinhole_is_open(lab: Lab) -> None:
    control, net = await connect(lab), lab["net"]
    async with mirror(lab["lan"]):
        assert await closed(net, LAN6, MIRROR_PORT)
        number = await open_(lab, control, TCP)
        assert (await ask_tcp(net, LAN6)).address == base.NET6
        assert await udp_closed(lab)
        await at_home(lab, control.delete(number))
        assert await closed(net, LAN6, MIRROR_PORT)
    assert not await at_home(lab, control.exists(number))
    await at_home(lab, control.delete(number))


async def test_udp_gets_in_while_the_pinhole_is_open(lab: Lab) -> None:
    control, net = await connect(lab), lab["net"]
    async with mirror(lab["lan"]):
        assert await udp_closed(lab)
        number = await open_(lab, control, UDP)
        assert (await ask_udp(net, LAN6)).address == base.NET6
        assert await closed(net, LAN6, MIRROR_PORT)
        await at_home(lab, control.delete(number))
        assert await udp_closed(lab)


async def test_another_host_is_opened_by_hand_only(lab: Lab) -> None:
    control = await connect(lab)
    pinhole = Pinhole(IPv6Address(SRV6), MIRROR_PORT, Transport.TCP)
    async with mirror(lab["srv"]):
        with pytest.raises(PinholeForbidden) as caught:
            await open_(lab, control, pinhole)
        assert (caught.value.code, caught.value.reason) == (606, Forbidden.OTHER_HOST)
        assert caught.value.placeholders["client"] == SRV6
        assert await closed(lab["net"], SRV6, MIRROR_PORT)


async def test_low_ports_are_opened_by_hand_only(lab: Lab) -> None:
    control = await connect(lab)
    with pytest.raises(PinholeForbidden) as caught:
        await open_(lab, control, Pinhole(OWN, 443, Transport.TCP))
    assert caught.value.reason is Forbidden.LOW_PORT
    await open_(lab, control, Pinhole(OWN, 1024, Transport.TCP))


async def test_a_lease_that_ends_closes(lab: Lab) -> None:
    control, net = await connect(lab), lab["net"]
    async with mirror(lab["lan"]):
        began = time.monotonic()
        number = await open_(lab, control, TCP, 3)
        await ask_tcp(net, LAN6)
        await eventually(lambda: closed(net, LAN6, MIRROR_PORT))
        assert time.monotonic() - began > 2
    assert not await at_home(lab, control.exists(number))
    assert not await at_home(lab, control.update(number, 600))


@pytest.mark.parametrize("again", [False, True], ids=["by id", "asked again"])
async def test_a_renewed_lease_keeps_open(lab: Lab, *, again: bool) -> None:
    control, net = await connect(lab), lab["net"]
    async with mirror(lab["lan"]):
        kept, left = await open_(lab, control, TCP, 3), await open_(lab, control, UDP, 3)
        if again:
            assert await open_(lab, control, TCP) == kept
        else:
            assert await at_home(lab, control.update(kept, 600))

        async def left_is_gone() -> bool:
            return not await at_home(lab, control.exists(left))

        await eventually(left_is_gone)
        assert await udp_closed(lab)
        assert (await ask_tcp(net, LAN6)).address == base.NET6


@asynccontextmanager
async def second_address(lab: Lab) -> AsyncIterator[None]:
    """Give Home Assistant's machine an address that it would not speak from by itself."""
    ip(lab, f"address add {SECOND}/64 dev eth0 preferred_lft 0")
    try:
        yield
    finally:
        ip(lab, f"address del {SECOND}/64 dev eth0")


async def test_the_address_that_is_to_be_reached_is_the_one_that_asks(lab: Lab) -> None:
    pinhole = Pinhole(SECOND, MIRROR_PORT, Transport.TCP)
    async with second_address(lab), mirror(lab["lan"]):
        with pytest.raises(PinholeForbidden):
            await open_(lab, await connect(lab), pinhole)
        assert await closed(lab["net"], str(SECOND), MIRROR_PORT)
        control = await connect(lab, SECOND)
        number = await open_(lab, control, pinhole)
        await ask_tcp(lab["net"], str(SECOND))
        # The other address has not been opened with it, and cannot close it.
        assert await closed(lab["net"], LAN6, MIRROR_PORT)
        other = await connect(lab)
        assert not await at_home(lab, other.exists(number))
        await at_home(lab, other.delete(number))
        await ask_tcp(lab["net"], str(SECOND))
        await at_home(lab, control.delete(number))
        assert await closed(lab["net"], str(SECOND), MIRROR_PORT)


async def test_the_address_of_the_default_route_will_do(lab: Lab) -> None:
    control = await connect(lab, host=link_local(lab))
    assert await at_home(lab, control.firewall()) == FirewallStatus(True, True)
    async with mirror(lab["lan"]):
        await open_(lab, control, TCP)
        await ask_tcp(lab["net"], LAN6)


async def test_the_zone_is_not_told(lab: Lab) -> None:
    heard: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        heard.append(request.headers["Host"])
        return web.Response()

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    try:
        sock = lab["rtr"].new_socket(socket.AF_INET6)
        sock.bind(("::", 8080))
        sock.listen()
        await web.SockSite(runner, sock).start()
        url = f"http://[{link_local(lab)}]:8080/"
        await at_home(lab, request_from(OWN, HttpRequest("GET", url, {}, None)))
    finally:
        await runner.cleanup()
    assert heard == [f"[{link_local(lab).partition('%')[0]}]:8080"]


async def test_hosts_that_are_no_gateway_do_no_harm(lab: Lab) -> None:
    locations = at_hosts(MINIUPNPD.location, [SRV6, "2a00:77:77:1::99", "fe80::1", ROUTER6])
    control = await at_home(lab, PinholeControl.connect(OWN, locations))
    assert control
    assert f"[{ROUTER6}]" in control.url
    with pytest.raises(GatewayUnreachable):
        await at_home(lab, PinholeControl.connect(OWN, locations[:1]))


async def test_a_restarted_gateway_has_forgotten(lab: Lab) -> None:
    control = await connect(lab)
    number = await open_(lab, control, TCP)
    assert await at_home(lab, control.exists(number))
    lab.restart(MINIUPNPD)
    assert not await at_home(lab, control.exists(number))
    async with mirror(lab["lan"]):
        assert await closed(lab["net"], LAN6, MIRROR_PORT)
        await open_(lab, control, TCP)
        await ask_tcp(lab["net"], LAN6)


async def test_a_gateway_that_is_gone_is_unreachable(lab: Lab) -> None:
    control = await connect(lab)
    lab.stop(MINIUPNPD)
    try:
        with pytest.raises(GatewayUnreachable):
            await open_(lab, control, TCP)
    finally:
        lab.start(MINIUPNPD)
