"""Changes of real addresses and routes are noticed once and soon, and renewals are none."""

import asyncio
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address
from pathlib import Path
import socket
import struct
import time

import pytest

from custom_components.homeport.host import AddressFlag, HostAddress, Watch, read_state
from custom_components.homeport.host.state import open_netlink

from .access_line import LAN6, ROUTER6, ip, line, within
from .build import Lab, build
from .fixtures import require

ANOTHER = "2a00:77:88:1::10"

_ALL_GROUPS = 0x7FFFFFFF


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    require({})
    with build(line(), tmp_path) as built:
        yield built


async def calls_after(lab: Lab, *changes: str | Callable[[], object]) -> list[float]:
    """Return after how many seconds the changes were noticed: each call within 0.3 s.

    A change is a command for ip(8), of which the kernel has to give news, or something to do.
    """
    times: list[float] = []
    watch = Watch(lambda: times.append(time.monotonic()))
    assert await watch.start()
    try:
        for change in changes:
            if isinstance(change, str):
                with open_netlink(_ALL_GROUPS) as another:
                    ip(lab, change)
                    assert another.recv(65536)
            else:
                change()
        done = time.monotonic()
        await asyncio.sleep(0.3)
    finally:
        await watch.stop()
    return [each - done for each in times]


@pytest.mark.parametrize(
    "changes",
    [
        [f"address add {ANOTHER}/64 dev eth0"],
        [f"address del {LAN6}/64 dev eth0"],
        ["address add 192.168.78.10/24 dev eth0"],
        [f"address change {LAN6}/64 dev eth0 preferred_lft 0 valid_lft 600"],
        ["-4 route del default"],
        ["-6 route del default"],
        ["link set eth0 down"],
        ["route add default dev eth0 table 7", "rule add from all table 7"],
        ["rule add unreachable from all"],
        ["-6 rule add unreachable from all"],
    ],
    ids=lambda changes: changes[-1],
)
def test_a_change_is_noticed_once_and_soon(lab: Lab, changes: list[str]) -> None:
    (after,) = within(lab["lan"], calls_after(lab, *changes))
    assert after < 1.0


def test_a_burst_is_one_change(lab: Lab) -> None:
    batch = "".join(f"address add 2a00:77:88:1::{n}/64 dev eth0\n" for n in range(1, 40))
    change = lambda: lab["lan"].run("ip", "-batch", "-", stdin=batch)  # noqa: E731
    assert len(within(lab["lan"], calls_after(lab, change))) == 1


def test_renewing_is_no_change(lab: Lab) -> None:
    ip(lab, f"address add {ANOTHER}/64 dev eth0 preferred_lft 300 valid_lft 600")
    renewed = f"address change {ANOTHER}/64 dev eth0 preferred_lft 400 valid_lft 900"
    route = f"-6 route replace default via {ROUTER6} dev eth0"
    assert within(lab["lan"], calls_after(lab, renewed, route)) == []


def test_what_does_not_matter_is_no_change(lab: Lab) -> None:
    """A container's link comes, with its link-local address, and a route to a single network."""
    link = "link add veth7 type veth peer name veth8"
    changes = (link, "link set veth7 up", "link set veth8 up", "route add 11.99.0.0/16 dev eth0")
    assert within(lab["lan"], calls_after(lab, *changes)) == []


def test_an_overrun_is_looked_into(lab: Lab) -> None:
    """There is more than the socket holds while the event loop does something else."""
    batch = "".join(f"address add 2a00:77:88:1::{n:x}/64 dev eth0\n" for n in range(1, 1000))

    def overrun() -> None:
        with open_netlink(_ALL_GROUPS) as another:
            lab["lan"].run("ip", "-batch", "-", stdin=batch)
            with pytest.raises(OSError, match="No buffer space"):
                another.recv(65536)

    assert within(lab["lan"], calls_after(lab, overrun))


# --- Router advertisements -----------------------------------------------------------------------

SERVERS = (IPv6Address("2a00:77:77:1::53"), IPv6Address("fe80::53"))
ANNOUNCED = (SERVERS[0], IPv6Address("fe80::53%eth0"))


def advertise(lab: Lab, *, lifetime: int = 600) -> None:
    """Send a router advertisement with a prefix (RFC 4861) and name servers (RFC 8106)."""
    message = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
    prefix = IPv6Address("2a00:77:77:1::").packed
    message += struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 7200, 3600, 0) + prefix
    message += struct.pack("!BBHI", 25, 1 + 2 * len(SERVERS), 0, lifetime)
    message += b"".join(each.packed for each in SERVERS)
    with (
        lab["rtr"].new_socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock,
        lab["rtr"].inside(),
    ):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sock.sendto(message, ("ff02::1", 0, 0, socket.if_nametoindex("l0")))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not holds():
            await asyncio.sleep(0.01)


def test_name_servers_are_heard_and_expire(lab: Lab) -> None:
    async def hear() -> None:
        watch = Watch(lambda: None)
        assert await watch.start()
        advertise(lab)
        await until(lambda: watch.name_servers == ANNOUNCED)
        advertise(lab, lifetime=1)
        await until(lambda: watch.name_servers == ())
        await watch.stop()

    within(lab["lan"], hear())


def autoconfigured(lab: Lab) -> list[HostAddress]:
    state = within(lab["lan"], read_state())
    return [each for each in state.addresses if each.valid is not None]


def test_an_advertisement_that_renews_is_no_change(lab: Lab) -> None:
    ip(lab, "-6 route del default")  # the advertised one takes its place
    advertise(lab)
    deadline = time.monotonic() + 3
    while len(before := autoconfigured(lab)) < 2 or any(
        each.flags & AddressFlag.TENTATIVE for each in before
    ):
        assert time.monotonic() < deadline, before
        time.sleep(0.01)

    async def renew() -> list[float]:
        times: list[float] = []
        watch = Watch(lambda: times.append(time.monotonic()))
        assert await watch.start()
        advertise(lab)
        await until(lambda: watch.name_servers == ANNOUNCED)
        await asyncio.sleep(0.3)
        times.clear()  # the name servers were news
        for _ in range(3):
            advertise(lab)
            await asyncio.sleep(0.1)
        await watch.stop()
        return times

    time.sleep(1.1)
    aged = autoconfigured(lab)
    assert within(lab["lan"], renew()) == []
    after = autoconfigured(lab)
    assert {each.ip for each in after} == {each.ip for each in before}
    # So it was heard, and it did renew something.
    assert max(each.valid or 0 for each in after) > max(each.valid or 0 for each in aged)
