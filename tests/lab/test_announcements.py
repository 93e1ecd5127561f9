"""What a real gateway announces is heard at once, and nobody else is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Address, IPv6Address
import socket
import struct
import time

import pytest

from custom_components.homeport.gateway.announcements import (
    Announcement,
    Announcements,
    Announcer,
)
from custom_components.homeport.gateway.datagram import IPAddress

from . import home as base
from .access_line import within
from .build import Lab
from .fixtures import MakeLab
from .home import LAN, MINIUPNPD, ROUTER, SRV, WAN
from .host import Host

GATEWAY = IPv4Address(ROUTER)
GROUP, GROUP6 = "224.0.0.1", "ff02::1"
NAT_PMP = bytes.fromhex("00800000" + "0000002a" + "0b162163")
PCP = bytes.fromhex("02800000" + "00000000" + "0000002a" + 24 * "0")


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab) -> Lab:
    """Give a home whose gateway says nothing by itself."""
    return make_lab(base.home(name="quiet"))


def link_local(lab: Lab) -> IPv6Address:
    """Return the address from which the router announces over IPv6."""
    shown = lab["rtr"].run("ip", "-6", "-oneline", "address", "show", "lan0", "scope", "link")
    return IPv6Address(shown.split()[3].partition("/")[0])


@asynccontextmanager
async def hearing(*gateways: IPAddress) -> AsyncIterator[list[Announcement]]:
    heard: list[Announcement] = []
    announcements = Announcements(gateways, "eth0", heard.append)
    assert await announcements.start()
    try:
        yield heard
    finally:
        await announcements.stop()


async def until(holds: Callable[[], object], seconds: float = 3) -> float:
    """Wait for something and return how long it has taken."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.002)
    return time.monotonic() - began


def say(
    host: Host, data: bytes, to: str, source: str, *, port: int = 5351, device: str = "lan0"
) -> None:
    """Send from an address and port of a host, by one of its devices, to somebody's port 5350."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    with host.new_socket(family, socket.SOCK_DGRAM) as sock, host.inside():
        index = socket.if_nametoindex(device)
        if family == socket.AF_INET6:
            sock.bind((source, port, 0, index))
            sock.sendto(data, (to, 5350, 0, index))
        else:
            sock.bind((source, port))
            by = struct.pack("=4s4si", bytes(4), socket.inet_aton(source), index)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, by)
            sock.sendto(data, (to, 5350))


def test_both_protocols_and_families_are_heard(lab: Lab) -> None:
    async def story() -> None:
        router = link_local(lab)
        async with hearing(GATEWAY, router) as heard, hearing(GATEWAY, router) as neighbour:
            say(lab["rtr"], NAT_PMP, GROUP, ROUTER)
            say(lab["rtr"], PCP, GROUP, ROUTER)
            say(lab["rtr"], PCP, GROUP6, str(router))
            await until(lambda: len(heard) == 3)
            await until(lambda: len(neighbour) == 3)
        assert [each.by for each in heard] == [Announcer.NAT_PMP, Announcer.PCP, Announcer.PCP]
        assert heard[0].address == IPv4Address("11.22.33.99")
        assert {each.epoch.seconds for each in heard} == {42}

    within(lab["lan"], story())


def test_nobody_else_is_heard(lab: Lab) -> None:
    async def story() -> None:
        router = link_local(lab)
        async with hearing(GATEWAY, router) as heard:
            say(lab["srv"], NAT_PMP, GROUP, SRV, device="eth0")
            say(lab["rtr"], NAT_PMP, GROUP, ROUTER, port=5352)
            say(lab["rtr"], NAT_PMP, LAN, ROUTER)
            say(lab["rtr"], b"\x02", GROUP, ROUTER)
            say(lab["rtr"], PCP, GROUP6, str(router), device="lan0", port=5352)
            say(lab["srv"], PCP, GROUP6, "::", device="eth0")
            say(lab["rtr"], PCP, GROUP, ROUTER)
            say(lab["rtr"], PCP, GROUP6, str(router))
            await until(lambda: len(heard) == 2)
            await asyncio.sleep(0.05)
        assert [each.by for each in heard] == [Announcer.PCP, Announcer.PCP]

    within(lab["lan"], story())


def test_another_interface_is_not_heard(lab: Lab) -> None:
    rtr, lan = lab["rtr"], lab["lan"]
    rtr.run("ip", "link", "add", "other", "type", "veth", "peer", "other", "netns", lan.netns)
    try:
        for host in (rtr, lan):
            host.run("ip", "link", "set", "other", "up")

        def arrives(plain: socket.socket) -> bool:
            """Say it again: the link may take a while to carry."""
            say(rtr, NAT_PMP, GROUP, ROUTER, device="other")
            with suppress(BlockingIOError):
                return plain.recv(100) == NAT_PMP
            return False

        async def story() -> None:
            plain = lan.new_socket(kind=socket.SOCK_DGRAM)
            with plain:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                plain.bind((GROUP, 5350))
                plain.setblocking(False)
                async with hearing(GATEWAY) as heard:
                    await until(lambda: arrives(plain))
                    say(rtr, PCP, GROUP, ROUTER)
                    await until(lambda: heard)
            assert [each.by for each in heard] == [Announcer.PCP]

        within(lan, story())
    finally:
        rtr.run("ip", "link", "del", "other")


def test_a_port_that_is_taken_leaves_the_other_family(lab: Lab) -> None:
    async def story() -> None:
        with lab["lan"].new_socket(kind=socket.SOCK_DGRAM) as greedy:
            greedy.bind(("", 5350))
            alone = Announcements([GATEWAY], "eth0", lambda _: None)
            assert not await alone.start()
            await alone.stop()
            router = link_local(lab)
            async with hearing(GATEWAY, router) as heard:
                say(lab["rtr"], PCP, GROUP6, str(router))
                await until(lambda: heard)

    within(lab["lan"], story())


def test_after_stopping_there_is_no_call(lab: Lab) -> None:
    async def story() -> None:
        async with hearing(GATEWAY) as heard:
            say(lab["rtr"], PCP, GROUP, ROUTER)
        async with hearing(GATEWAY) as later:
            say(lab["rtr"], NAT_PMP, GROUP, ROUTER)
            await until(lambda: later)
        assert [each.by for each in heard] in ([], [Announcer.PCP])
        assert [each.by for each in later] == [Announcer.NAT_PMP]

    within(lab["lan"], story())


def test_a_real_gateway_announces_a_change_and_a_restart(make_lab: MakeLab) -> None:
    lab = make_lab(base.home(MINIUPNPD))

    async def story() -> None:
        async with hearing(GATEWAY, link_local(lab)) as heard:
            lab.change_wan("11.22.33.77")
            new = IPv4Address("11.22.33.77")
            changed = await until(lambda: new in {each.address for each in heard})
            await until(lambda: Announcer.PCP in {each.by for each in heard})
            lab.change_wan(WAN)
            await until(lambda: IPv4Address(WAN) in {each.address for each in heard})
            await asyncio.sleep(0.3)  # it says everything several times
            heard.clear()
            lab.restart(MINIUPNPD)
            await until(lambda: Announcer.PCP in {each.by for each in heard})
            assert heard[0].epoch.seconds == 0
        print(f"\nthe new WAN address was announced within {changed * 1000:.0f} ms")  # noqa: T201

    within(lab["lan"], story())
