"""What the kernel says of real addresses, routes, tunnels and routers is what Homeport reads."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Interface, ip_address
import json
from pathlib import Path
import socket
import struct
import time

import pytest

from custom_components.homeport.host import (
    AddressFlag,
    HostAddress,
    HostState,
    Route,
    Watch,
    mtu_from_mss,
    path_mtu,
    read_state,
)
from custom_components.homeport.host.state import open_netlink

from .build import Lab, build
from .fixtures import require
from .host import Host
from .topology import Interface, Link, Namespace, Topology

LAN, ROUTER, FAR = "192.168.77.10", "192.168.77.1", "11.22.60.9"
LAN6, ROUTER6, FAR6 = "2a00:77:77:1::10", "2a00:77:77:1::1", "2a00:77:99::9"
ANOTHER = "2a00:77:88:1::10"

CLAMP = """
table inet clamp {
  chain forward {
    type filter hook forward priority mangle;
    tcp flags & (syn|rst) == syn tcp option maxseg size set rt mtu
  }
}
"""
# Neither "packet too big" nor "time exceeded" is ever sent.
MUTE = """
table inet mute {
  chain output {
    type filter hook output priority 0;
    icmp type { destination-unreachable, time-exceeded } drop
    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded } drop
  }
}
"""


def line(mtu: int = 1500, router: str = "", provider: str = "") -> Topology:
    """Return a home, its access line and what is behind it: lan, rtr, isp, far.

    `router` and `provider` are rule sets of these two.
    """
    return Topology(
        name=f"line-{mtu}",
        namespaces=(
            Namespace(
                name="lan",
                sysctls={"ipv6/conf/default/use_tempaddr": "2", "ipv6/conf/default/accept_ra": "1"},
                routes=(f"default via {ROUTER}", f"::/0 via {ROUTER6}"),
            ),
            Namespace(
                name="rtr",
                forwarding=True,
                routes=("default via 11.22.40.1", "::/0 via 2a00:77:77:ff::2"),
                nft=router,
            ),
            Namespace(
                name="isp",
                forwarding=True,
                routes=(
                    "192.168.77.0/24 via 11.22.40.77",
                    "2a00:77:77:1::/64 via 2a00:77:77:ff::1",
                ),
                nft=provider,
            ),
            Namespace(name="far", routes=("default via 11.22.60.1", "::/0 via 2a00:77:99::1")),
        ),
        links=(
            Link(
                Interface(namespace="lan", name="eth0", addresses=(f"{LAN}/24", f"{LAN6}/64")),
                Interface(namespace="rtr", name="l0", addresses=(f"{ROUTER}/24", f"{ROUTER6}/64")),
            ),
            Link(
                Interface(
                    namespace="rtr",
                    name="w0",
                    addresses=("11.22.40.77/24", "2a00:77:77:ff::1/64"),
                ),
                Interface(
                    namespace="isp",
                    name="a0",
                    addresses=("11.22.40.1/24", "2a00:77:77:ff::2/64"),
                ),
                mtu=mtu,
            ),
            Link(
                Interface(
                    namespace="isp", name="n0", addresses=("11.22.60.1/24", "2a00:77:99::1/64")
                ),
                Interface(namespace="far", name="eth0", addresses=(f"{FAR}/24", f"{FAR6}/64")),
            ),
        ),
    )


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    require({})
    with build(line(), tmp_path) as built:
        yield built


def within[T](host: Host, doing: Coroutine[None, None, T]) -> T:
    """Run a coroutine to its end with all its sockets on that machine."""
    with host.inside():
        return asyncio.run(doing)


def state_of(lab: Lab) -> HostState:
    return within(lab["lan"], read_state())


def ip(lab: Lab, *words: str) -> None:
    lab["lan"].run("ip", *" ".join(words).split())


def shown(lab: Lab, *words: str) -> list[dict[str, object]]:
    """Return what ip(8) shows on `lan`."""
    return json.loads(lab["lan"].run("ip", "-json", *words))


# --- The state -----------------------------------------------------------------------------------


def find(state: HostState, address: str) -> HostAddress:
    return next(each for each in state.addresses if str(each.ip) == address)


def test_it_is_what_ip_shows(lab: Lab) -> None:
    within(lab["lan"], path_mtu(FAR))  # so that there is a neighbour
    within(lab["lan"], path_mtu(FAR6))
    began = time.perf_counter()
    state = state_of(lab)
    print(f"\nread in {(time.perf_counter() - began) * 1000:.1f} ms")  # noqa: T201
    expected = {
        (entry["local"], entry["prefixlen"], link["ifname"])
        for link in shown(lab, "address")
        if link["ifname"] != "lo"
        for entry in link["addr_info"]
    }
    assert {(str(a.ip), a.prefix_length, a.interface) for a in state.addresses} == expected
    for route, far in ((state.ipv4_route, FAR), (state.ipv6_route, FAR6)):
        (way,) = shown(lab, "route", "get", far)
        assert route == Route(ip_address(way["gateway"]), way["dev"], ip_address(way["prefsrc"]))
    expected = {
        (entry["dst"], entry["lladdr"], entry["dev"], "router" in entry)
        for entry in shown(lab, "neighbour")
        if "lladdr" in entry
    }
    assert len(expected) >= 2
    assert {(str(n.ip), n.mac, n.interface, n.router) for n in state.neighbours} == expected
    assert state.complete


def test_flags_and_lifetimes(lab: Lab) -> None:
    ip(lab, "address add 2a00:77:77:2::10/64 dev eth0 preferred_lft 0 valid_lft 600")
    ip(lab, "address add 2a00:77:77:3::10/64 dev eth0 preferred_lft 300 valid_lft 600 mngtmpaddr")
    ip(lab, "link set eth0 addrgenmode random")
    ip(lab, "link set eth0 down")
    ip(lab, "link set eth0 up")
    ip(lab, f"address add {LAN6}/64 dev eth0")
    ip(lab, "address add 2a00:77:77:2::10/64 dev eth0 preferred_lft 0 valid_lft 600")
    ip(lab, "address add 2a00:77:77:3::10/64 dev eth0 preferred_lft 300 valid_lft 600 mngtmpaddr")
    state = state_of(lab)
    deprecated, managed = find(state, "2a00:77:77:2::10"), find(state, "2a00:77:77:3::10")
    assert deprecated.flags & AddressFlag.DEPRECATED
    assert (deprecated.preferred, deprecated.valid) in {(0, 600), (0, 599)}
    assert managed.flags & AddressFlag.MANAGE_TEMPORARY
    assert not managed.flags & (AddressFlag.DEPRECATED | AddressFlag.TEMPORARY)
    assert managed.preferred in {300, 299}
    (temporary,) = (
        each
        for each in state.addresses
        if isinstance(each.ip, IPv6Address) and each.flags & AddressFlag.TEMPORARY
    )
    assert temporary.ip in IPv6Interface("2a00:77:77:3::/64").network
    assert temporary.valid in {600, 599}
    forever = find(state, LAN6)
    assert forever.flags & AddressFlag.PERMANENT
    assert forever.preferred is forever.valid is None
    (link_local,) = (each for each in state.addresses if str(each.ip).startswith("fe80:"))
    assert link_local.flags & AddressFlag.STABLE_PRIVACY


def test_tentative(lab: Lab) -> None:
    with lab["lan"].inside():
        Path("/proc/sys/net/ipv6/conf/eth0/accept_dad").write_text("1")
    ip(lab, f"address add {ANOTHER}/64 dev eth0")
    assert find(state_of(lab), ANOTHER).flags & AddressFlag.TENTATIVE


def test_peer_address(lab: Lab) -> None:
    ip(lab, "address add 11.22.40.77 peer 11.22.40.1/32 dev eth0")
    ip(lab, "address add 2a00:77:5::1 peer 2a00:77:5::2/128 dev eth0")
    addresses = {str(each.ip) for each in state_of(lab).addresses}
    assert {"11.22.40.77", "2a00:77:5::1"} <= addresses
    assert not {"11.22.40.1", "2a00:77:5::2"} & addresses


def test_no_default_route(lab: Lab) -> None:
    ip(lab, "-4 route del default")
    ip(lab, "-6 route del default")
    state = state_of(lab)
    assert (state.ipv4_route, state.ipv6_route, state.complete) == (None, None, True)


@pytest.mark.parametrize("kind", ["unreachable", "blackhole", "prohibit"])
def test_a_route_that_refuses_is_none(lab: Lab, kind: str) -> None:
    ip(lab, f"-4 route replace {kind} default metric 0")
    ip(lab, f"-6 route add {kind} default metric 1")
    state = state_of(lab)
    assert (state.ipv4_route, state.ipv6_route, state.complete) == (None, None, True)


def test_a_vpn_by_policy_rule_is_the_way(lab: Lab) -> None:
    """As VPN programs do it: the main table keeps its default route."""
    assert state_of(lab).ipv4_route == Route(IPv4Address(ROUTER), "eth0", IPv4Address(LAN))
    ip(lab, "tuntap add dev tun0 mode tun")
    ip(lab, "link set tun0 up")
    ip(lab, "address add 10.8.0.2/24 dev tun0")
    ip(lab, "route add default dev tun0 table 51820")
    ip(lab, "rule add not fwmark 51820 table 51820")
    state = state_of(lab)
    assert state.ipv4_route == Route(None, "tun0", IPv4Address("10.8.0.2"), tunnel=True)
    assert state.ipv6_route == Route(IPv6Address(ROUTER6), "eth0", IPv6Address(LAN6))


def test_router_of_the_other_family(lab: Lab) -> None:
    """IPv4 by an IPv6 next hop, RFC 5549."""
    ip(lab, f"-4 route replace default via inet6 {ROUTER6} dev eth0")
    assert state_of(lab).ipv4_route == Route(IPv6Address(ROUTER6), "eth0", IPv4Address(LAN))


def test_without_netlink_the_sources_are_known(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    ip(lab, "-6 route del default")
    real = socket.socket

    def refuse(family: int, *more: int) -> socket.socket:
        if family == socket.AF_NETLINK:
            raise PermissionError
        return real(family, *more)

    monkeypatch.setattr("custom_components.homeport.host.state.socket.socket", refuse)
    with lab["lan"].inside():
        state = asyncio.run(read_state())
    source = IPv4Address(LAN)
    assert state == HostState(
        addresses=(HostAddress(source, 32, ""),),
        ipv4_route=Route(None, "", source),
        complete=False,
    )


# --- Watching ------------------------------------------------------------------------------------


_ALL_GROUPS = 0x7FFFFFFF


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
    assert after < 0.2


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

SERVERS = ("2a00:77:77:1::53", "fe80::53")


def advertise(lab: Lab, *, lifetime: int = 600, servers: tuple[str, ...] = SERVERS) -> None:
    """Send a router advertisement with a prefix (RFC 4861) and name servers (RFC 8106)."""
    message = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
    prefix = IPv6Address("2a00:77:77:1::").packed
    message += struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 7200, 3600, 0) + prefix
    message += struct.pack("!BBHI", 25, 1 + 2 * len(servers), 0, lifetime)
    message += b"".join(IPv6Address(each).packed for each in servers)
    with (
        lab["rtr"].new_socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock,
        lab["rtr"].inside(),
    ):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sock.sendto(message, ("ff02::1", 0, 0, socket.if_nametoindex("l0")))


async def servers_after(lab: Lab, *lifetimes: int) -> list[tuple[str, ...]]:
    """Return the name servers that are known after each advertisement, and each call back."""
    known: list[tuple[str, ...]] = []
    watch = Watch(lambda: known.append(("changed",)))
    assert await watch.start()
    for lifetime in lifetimes:
        advertise(lab, lifetime=lifetime)
        await asyncio.sleep(0.15)
        known.append(tuple(map(str, watch.name_servers)))
    await watch.stop()
    return known


def test_name_servers_are_heard(lab: Lab) -> None:
    advertise(lab)  # its addresses are no news later
    known = within(lab["lan"], servers_after(lab, 600, 600, 0))
    announced = ("2a00:77:77:1::53", "fe80::53%eth0")
    assert known == [("changed",), announced, announced, ("changed",), ()]


def test_name_servers_expire(lab: Lab) -> None:
    async def expiring() -> None:
        watch = Watch(lambda: None)
        assert await watch.start()
        advertise(lab, lifetime=1)
        async with asyncio.timeout(1):
            while not watch.name_servers:
                await asyncio.sleep(0.01)
        async with asyncio.timeout(2):
            while watch.name_servers:
                await asyncio.sleep(0.01)
        await watch.stop()

    within(lab["lan"], expiring())


def test_an_advertisement_that_renews_is_no_change(lab: Lab) -> None:
    async def renewed() -> list[float]:
        times: list[float] = []
        watch = Watch(lambda: times.append(time.monotonic()))
        assert await watch.start()
        advertise(lab)
        await asyncio.sleep(0.2)
        first = len(times)
        for _ in range(3):
            advertise(lab)
            await asyncio.sleep(0.1)
        await watch.stop()
        return times[first:]

    assert within(lab["lan"], renewed()) == []
    autoconfigured = [each for each in state_of(lab).addresses if each.valid is not None]
    assert len(autoconfigured) == 2


# --- The path MTU --------------------------------------------------------------------------------


@contextmanager
def built(tmp_path: Path, topology: Topology) -> Iterator[Lab]:
    require({})
    with build(topology, tmp_path) as lab:
        yield lab


@pytest.mark.parametrize("mtu", [1500, 1460, 1454])
def test_path_mtu(tmp_path: Path, mtu: int) -> None:
    """By time exceeded behind the line where all fits, else by what the router says."""
    with built(tmp_path, line(mtu)) as lab:
        for far in (FAR, FAR6):
            began = time.monotonic()
            assert within(lab["lan"], path_mtu(far)) == mtu
            assert time.monotonic() - began < 0.2


def test_path_mtu_when_the_line_has_changed(lab: Lab) -> None:
    """What the kernel has learned before is not believed."""
    for router, mtu in (("1454", 1454), ("1500", 1500)):
        lab["rtr"].run("ip", "link", "set", "w0", "mtu", router)
        lab["isp"].run("ip", "link", "set", "a0", "mtu", router)
        assert within(lab["lan"], path_mtu(FAR)) == mtu
        assert within(lab["lan"], path_mtu(FAR6)) == mtu


def test_path_mtu_where_the_own_link_is_narrow(lab: Lab) -> None:
    ip(lab, "link set eth0 mtu 1400")
    assert within(lab["lan"], path_mtu(FAR)) == 1400
    assert within(lab["lan"], path_mtu(FAR6)) == 1400


def test_silence_is_no_path_mtu(tmp_path: Path) -> None:
    with built(tmp_path, line(1454, router=MUTE, provider=MUTE)) as lab:
        for far in (FAR, FAR6):
            began = time.monotonic()
            assert within(lab["lan"], path_mtu(far)) is None
            assert time.monotonic() - began < 0.7


def test_no_route_is_no_path_mtu(lab: Lab) -> None:
    ip(lab, "-4 route del default")
    assert within(lab["lan"], path_mtu(FAR)) is None


async def mss_mtu(lab: Lab, far: str) -> int | None:
    async with lab["far"].serve(b"hello", 8123, far):
        with lab["lan"].new_socket(socket.AF_INET6 if ":" in far else socket.AF_INET) as sock:
            assert mtu_from_mss(sock) is None
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, (far, 8123))
            return mtu_from_mss(sock)


@pytest.mark.parametrize("timestamps", ["0", "1"])
def test_mtu_from_a_clamped_mss(tmp_path: Path, timestamps: str) -> None:
    with built(tmp_path, line(1454, router=CLAMP)) as lab:
        with lab["lan"].inside():
            Path("/proc/sys/net/ipv4/tcp_timestamps").write_text(timestamps)
        assert asyncio.run(mss_mtu(lab, FAR)) == 1454
        assert asyncio.run(mss_mtu(lab, FAR6)) == 1454
