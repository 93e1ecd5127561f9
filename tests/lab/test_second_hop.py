"""Through a real NAT: who the routers on the way are, and what the second one says.

    lan 192.168.77.10 ─── rtr 192.168.77.1 | 192.168.1.2 ─── hgw 192.168.1.1 | 11.22.33.1 ─── net

Both routers translate; miniupnpd runs on the outer one.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
import socket
import time

import pytest

from custom_components.homeport.outside.natpmp_probe import (
    WITHIN as NATPMP_WITHIN,
    NatPmpAnswer,
    ask_natpmp,
)
from custom_components.homeport.outside.second_hop import WITHIN, trace

from .build import Lab
from .fixtures import MakeLab
from .miniupnpd import Miniupnpd, firewall
from .topology import Interface, Link, Namespace, Topology

LAN, RTR, HGW, NET = "192.168.77.10", "192.168.77.1", "192.168.1.1", "11.22.33.2"
WAN = "11.22.33.1"
RTR6, HGW6, NET6 = "2a00:77:77:1::1", "2a00:77:77:2::1", "2a00:77:77:ff::2"

OUTER = Miniupnpd(
    namespace="hgw",
    address=HGW,
    lan="lan0",
    wan="wan0",
    allow=("1-65535 192.168.1.0/24 1-65535",),
)
# Tests ask oftener than the one ICMP error a second that the kernel grants each asker.
UNLIMITED = {"ipv4/icmp_ratelimit": "0", "ipv6/icmp/ratelimit": "0"}


def double_nat(wan: str = WAN, net: str = NET) -> Topology:
    def interface(namespace: str, name: str, *addresses: str) -> Interface:
        return Interface(namespace=namespace, name=name, addresses=addresses)

    def namespace(name: str, *routes: str, router: bool = False) -> Namespace:
        nft = firewall("lan0", "wan0") if router else ""
        return Namespace(name=name, forwarding=router, routes=routes, nft=nft, sysctls=UNLIMITED)

    return Topology(
        name="double-nat",
        namespaces=(
            namespace("lan", f"default via {RTR}", f"default via {RTR6}"),
            namespace("rtr", f"default via {HGW}", f"default via {HGW6}", router=True),
            namespace(
                "hgw",
                f"default via {net}",
                f"default via {NET6}",
                "2a00:77:77:1::/64 via 2a00:77:77:2::2",
                router=True,
            ),
            namespace("net", "2a00:77:77::/48 via 2a00:77:77:ff::1"),
        ),
        links=(
            Link(
                interface("lan", "eth0", f"{LAN}/24", "2a00:77:77:1::10/64"),
                interface("rtr", "lan0", f"{RTR}/24", f"{RTR6}/64"),
            ),
            Link(
                interface("rtr", "wan0", "192.168.1.2/24", "2a00:77:77:2::2/64"),
                interface("hgw", "lan0", f"{HGW}/24", f"{HGW6}/64"),
            ),
            Link(
                interface("hgw", "wan0", f"{wan}/24", "2a00:77:77:ff::1/64"),
                interface("net", "eth0", f"{net}/24", f"{NET6}/64"),
            ),
        ),
        daemons=(OUTER,),
    )


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab) -> Lab:
    return make_lab(double_nat())


@contextmanager
def rules(lab: Lab, namespace: str, hook: str, *lines: str) -> Iterator[None]:
    """Add rules in front of those that are there."""
    body = "\n".join((f"type filter hook {hook} priority -200;", *lines))
    lab[namespace].run("nft", "-f", "-", stdin=f"table inet test {{\nchain c {{\n{body}\n}}\n}}\n")
    try:
        yield
    finally:
        lab[namespace].run("nft", "delete", "table", "inet", "test")


def hops(lab: Lab, target: str, *, within: float = 0.5) -> list[str | None]:
    """Trace from `lan`."""
    start = time.monotonic()
    with lab["lan"].inside():
        found = asyncio.run(trace(target))
    assert time.monotonic() - start < within
    return [None if hop is None else str(hop) for hop in found]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param(NET, [RTR, HGW, NET], id="the internet"),
        pytest.param(NET6, [RTR6, HGW6, NET6], id="the internet, IPv6"),
        pytest.param(HGW, [RTR, HGW], id="the second router"),
        pytest.param(RTR, [RTR], id="the first router"),
        pytest.param(LAN, [LAN], id="this machine"),
        pytest.param("::1", ["::1"], id="this machine, IPv6"),
    ],
)
def test_routers_are_named_in_their_order(lab: Lab, target: str, expected: list[str]) -> None:
    assert hops(lab, target) == expected


def test_a_router_that_says_nothing_leaves_a_gap(lab: Lab) -> None:
    with rules(lab, "hgw", "output", "icmp type time-exceeded drop"):
        assert hops(lab, NET, within=WITHIN + 0.2) == [RTR, None, NET]
    with rules(lab, "rtr", "forward", "meta l4proto udp drop"):
        assert hops(lab, NET, within=WITHIN + 0.2) == [RTR, None, None]


def test_what_is_lost_is_sent_again(lab: Lab) -> None:
    once = "udp dport 33436 limit rate over 1/hour burst 1 packets accept"
    with rules(lab, "lan", "output", once, "udp dport 33436 drop"):
        assert hops(lab, NET, within=0.7) == [RTR, HGW, NET]


@pytest.mark.parametrize("kind", ["admin-prohibited", "host-unreachable"])
def test_a_router_that_lets_nothing_pass_is_one_router(lab: Lab, kind: str) -> None:
    with rules(lab, "rtr", "forward", f"meta l4proto udp reject with icmp type {kind}"):
        assert hops(lab, NET) == [RTR]
    with rules(lab, "hgw", "forward", f"meta l4proto udp reject with icmp type {kind}"):
        assert hops(lab, NET) == [RTR, HGW]


def test_no_way_is_known_at_once(lab: Lab) -> None:
    with lab["net"].inside():
        assert asyncio.run(trace("192.0.2.1")) == (None, None, None)
        assert asyncio.run(trace("2001:db8::1", hops=2)) == (None, None)
    with rules(lab, "lan", "output", "meta l4proto udp drop"):
        assert hops(lab, NET, within=WITHIN + 0.2) == [None, None, None]


async def test_a_target_that_answers_itself_is_the_last(lab: Lab) -> None:
    """Somebody listens on the very port."""
    loop = asyncio.get_running_loop()
    with lab["net"].new_socket(kind=socket.SOCK_DGRAM) as listener:
        listener.bind((NET, 33437))
        listener.setblocking(False)

        def answer() -> None:
            data, peer = listener.recvfrom(100)
            listener.sendto(data, peer)

        loop.add_reader(listener, answer)
        try:
            found = await asyncio.to_thread(hops, lab, NET)
        finally:
            loop.remove_reader(listener)
    assert found == [RTR, HGW, NET]


def test_the_second_router_tells_its_address(lab: Lab) -> None:
    start = time.monotonic()
    with lab["lan"].inside():
        assert asyncio.run(ask_natpmp(HGW)) == NatPmpAnswer(IPv4Address(WAN))
    assert time.monotonic() - start < 0.5


def test_a_router_without_nat_pmp_is_none(lab: Lab) -> None:
    """Closed it is known at once, and silent in a bounded time."""
    start = time.monotonic()
    with lab["lan"].inside():
        assert asyncio.run(ask_natpmp(RTR)) is None
    assert time.monotonic() - start < 0.3
    with rules(lab, "hgw", "input", "udp dport 5351 drop"), lab["lan"].inside():
        start = time.monotonic()
        assert asyncio.run(ask_natpmp(HGW)) is None
        assert time.monotonic() - start < NATPMP_WITHIN + 0.2
    with lab["net"].inside():
        assert asyncio.run(ask_natpmp("192.0.2.1")) is None


def test_a_router_that_refuses_is_a_router(make_lab: MakeLab) -> None:
    """Miniupnpd names no WAN address from a reserved range."""
    lab = make_lab(double_nat("100.64.0.2", "100.64.0.1"))
    with lab["lan"].inside():
        assert asyncio.run(ask_natpmp(HGW)) == NatPmpAnswer(None)
