"""What the kernel says of real addresses, routes and tunnels is what Homeport reads."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Interface, ip_address
import json
from pathlib import Path
import socket
import time

import pytest

from custom_components.homeport.host import (
    AddressFlag,
    HostAddress,
    HostState,
    Route,
    path_mtu,
    read_state,
)

from .access_line import FAR, FAR6, LAN, LAN6, ROUTER, ROUTER6, ip, line, within
from .build import Lab, build
from .fixtures import require

ANOTHER = "2a00:77:88:1::10"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    require({})
    with build(line(), tmp_path) as built:
        yield built


def state_of(lab: Lab) -> HostState:
    return within(lab["lan"], read_state())


def shown(lab: Lab, *words: str) -> list[dict[str, object]]:
    """Return what ip(8) shows on `lan`."""
    return json.loads(lab["lan"].run("ip", "-json", *words))


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
    real = socket.socket

    def refuse(family: int, *more: int) -> socket.socket:
        if family == socket.AF_NETLINK:
            raise PermissionError
        return real(family, *more)

    ipv4, ipv6 = IPv4Address(LAN), IPv6Address(LAN6)
    partial = HostState(
        addresses=(HostAddress(ipv4, 32, ""), HostAddress(ipv6, 128, "")),
        ipv4_route=Route(None, "", ipv4),
        ipv6_route=Route(None, "", ipv6),
        complete=False,
    )
    monkeypatch.setattr("custom_components.homeport.host.state.socket.socket", refuse)
    with lab["lan"].inside():
        assert asyncio.run(read_state()) == partial
        monkeypatch.undo()
        ip(lab, "-6 route del default")
        monkeypatch.setattr("custom_components.homeport.host.state.socket.socket", refuse)
        only_ipv4 = replace(partial, addresses=partial.addresses[:1], ipv6_route=None)
        assert asyncio.run(read_state()) == only_ipv4
