"""From which address the IPv6 firewall is asked, and where."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from custom_components.homeport.coordinator.firewall_place import firewall_place, own_ipv6
from custom_components.homeport.host import (
    AddressFlag,
    HostAddress,
    HostState,
    Neighbour,
    Route,
)

STABLE, SECOND, TEMPORARY, OLD, TENTATIVE = (
    IPv6Address(f"2a00:77:77:1::{each}") for each in (10, 11, 12, 13, 14)
)
UNIQUE_LOCAL, LINK_LOCAL = IPv6Address("fd00::10"), IPv6Address("fe80::10")
ROUTER, VPN = IPv6Address("fe80::1"), IPv6Address("2a00:99::1")
GATEWAY = IPv4Address("192.168.77.1")
LOCATION = "http://192.168.77.1:5000/rootDesc.xml"


def address(ip: IPv6Address, flags: int = 0, interface: str = "eth0") -> HostAddress:
    return HostAddress(ip, 64, interface, AddressFlag(flags))


ADDRESSES = (
    address(TENTATIVE, AddressFlag.TENTATIVE),
    address(TEMPORARY, AddressFlag.TEMPORARY),
    address(OLD, AddressFlag.DEPRECATED),
    address(UNIQUE_LOCAL),
    address(LINK_LOCAL),
    address(STABLE, AddressFlag.PERMANENT),
    address(SECOND),
)
ROUTE = Route(ROUTER, "eth0", STABLE)
HOST = HostState(addresses=ADDRESSES, ipv6_route=ROUTE)


@pytest.mark.parametrize(
    ("host", "seen", "expected"),
    [
        (HOST, None, STABLE),
        (HOST, SECOND, SECOND),
        (HOST, TEMPORARY, STABLE),
        (HOST, OLD, STABLE),
        (HOST, IPv6Address("2a00:88::1"), STABLE),
        (HostState(addresses=ADDRESSES[:5], ipv6_route=ROUTE), TEMPORARY, None),
        (None, STABLE, None),
    ],
)
def test_own_address(
    host: HostState | None, seen: IPv6Address | None, expected: IPv6Address | None
) -> None:
    assert own_ipv6(host, seen) == expected


def test_a_vpn_is_not_the_way_in() -> None:
    host = HostState(
        addresses=(address(VPN, interface="wg0"), address(STABLE)),
        ipv6_route=Route(IPv6Address("fe80::99"), "wg0", VPN, tunnel=True),
        neighbours=(Neighbour(ROUTER, "02:00:00:00:00:01", "eth0", router=True),),
    )
    place = firewall_place(host, None, GATEWAY, LOCATION)
    assert place.own == (STABLE,)
    assert place.routers == (IPv6Address("fe80::1%eth0"),)


def test_what_is_asked_from_where() -> None:
    mac = "02:00:00:00:00:01"
    host = HostState(
        addresses=ADDRESSES,
        ipv6_route=ROUTE,
        neighbours=(
            Neighbour(GATEWAY, mac, "eth0"),
            Neighbour(IPv6Address("2a00:77:77:1::1"), mac, "eth0"),
            Neighbour(ROUTER, mac, "eth0", router=True),
            Neighbour(IPv6Address("fe80::20"), "02:00:00:00:00:20", "eth0"),
        ),
    )
    place = firewall_place(host, SECOND, GATEWAY, LOCATION)
    # The first one asks for other hosts; from one that is about to go something may be closed.
    assert place.own == (SECOND, OLD, STABLE)
    assert place.routers == (IPv6Address("fe80::1%eth0"),)
    assert place.location == LOCATION
    place = firewall_place(replace(host, ipv6_route=None), SECOND, GATEWAY, LOCATION)
    assert place.routers == (IPv6Address("2a00:77:77:1::1"), IPv6Address("fe80::1%eth0"))


def test_a_machine_that_tells_nothing() -> None:
    assert firewall_place(None, None, None, None).own == ()
    assert firewall_place(HostState(), None, GATEWAY, LOCATION).routers == ()
