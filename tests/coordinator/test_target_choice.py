"""Which of the addresses that were found is a device's."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from custom_components.homeport.coordinator.target_choice import (
    believable,
    choose_ipv4,
    choose_ipv6,
    interface_id,
)
from custom_components.homeport.host import AddressFlag, HostAddress, HostState

MAC = "52:54:00:12:34:56"
HOME = HostState(
    addresses=(
        HostAddress(IPv4Address("192.168.1.10"), 24, "eth0"),
        HostAddress(IPv4Address("100.99.1.2"), 32, "tailscale0"),
        HostAddress(IPv4Address("25.1.2.3"), 28, "eth1"),
        HostAddress(IPv6Address("2400:1:2:3::10"), 128, "eth0"),
        HostAddress(IPv6Address("2400:9:9:9::10"), 64, "eth0", AddressFlag.DEPRECATED),
        HostAddress(IPv6Address("fd00::10"), 64, "eth0"),
    )
)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.168.1.20", True),
        # In another network of the home, behind another router.
        ("10.0.0.5", True),
        ("25.1.2.9", True),
        ("25.1.2.33", False),
        ("11.22.33.44", False),
        ("100.99.1.2", False),
        ("100.64.0.1", False),
        ("169.254.1.1", False),
        ("127.0.0.1", False),
        ("224.0.0.251", False),
        ("255.255.255.255", False),
        ("0.0.0.0", False),
        ("2400:1:2:3::99", True),
        ("2400:1:2:4::99", False),
        ("2400:9:9:9::99", False),
        ("fd00::99", False),
        ("fe80::99", False),
        ("::1", False),
        ("::ffff:192.168.1.20", False),
        ("ff02::1", False),
    ],
)
def test_what_is_believed(address: str, expected: bool) -> None:
    assert believable(ip_address(address), HOME) is expected


def test_nothing_but_private_ones_on_a_machine_that_knows_nothing() -> None:
    assert believable(IPv4Address("192.168.1.20"), HostState())
    assert not believable(IPv4Address("25.1.2.9"), HostState())
    assert not believable(IPv6Address("2400:1:2:3::99"), HostState())


A, B, C = (IPv4Address(f"192.168.1.{each}") for each in (20, 21, 22))


@pytest.mark.parametrize(
    ("found", "before", "expected"),
    [
        ({}, None, None),
        ({}, A, A),
        ({A: 5}, None, A),
        ({B: 5}, A, B),
        # The kernel knows the old address for a while.
        ({A: 5, B: 9}, A, B),
        ({A: 5, B: 9}, B, B),
        ({A: 9, B: 5}, B, A),
        # Nothing tells which is newer, as at the start.
        ({A: 5, B: 5}, B, B),
        ({A: 5, B: 5}, None, A),
        ({A: 5, B: 5}, C, A),
    ],
)
def test_ipv4(
    found: dict[IPv4Address, float], before: IPv4Address | None, expected: IPv4Address | None
) -> None:
    assert choose_ipv4(found, before) == expected


FIXED = IPv6Address("2400:1:2:3:5054:ff:fe12:3456")
X, Y = IPv6Address("2400:1:2:3::20"), IPv6Address("2400:1:2:3:8d1f:62aa:91c0:77e1")


def test_interface_id() -> None:
    assert FIXED.packed[8:] == interface_id(MAC)


@pytest.mark.parametrize(
    ("found", "before", "mac", "expected"),
    [
        ({}, None, MAC, None),
        ({}, X, MAC, X),
        ({X: 1, FIXED: 9}, X, MAC, FIXED),
        ({X: 1, FIXED: 9}, X, None, X),
        # A temporary address does not grow old.
        ({X: 1, Y: 9}, None, MAC, X),
        ({X: 9, Y: 1}, X, MAC, Y),
        ({X: 1, Y: 1}, Y, MAC, Y),
        ({X: 1, Y: 1}, None, MAC, X),
    ],
)
def test_ipv6(
    found: dict[IPv6Address, float],
    before: IPv6Address | None,
    mac: str | None,
    expected: IPv6Address | None,
) -> None:
    assert choose_ipv6(found, before, mac) == expected
