"""What an address says about where it can be reached from, at every edge of every block."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.homeport.host import AddressFlag
from custom_components.homeport.line import AddressKind, address_kind
from custom_components.homeport.line.address import (
    IPAddress,
    Stability,
    is_squatted,
    stability,
)

GLOBAL = AddressKind.GLOBAL
PRIVATE = AddressKind.PRIVATE
SHARED = AddressKind.SHARED
CONTINUITY = AddressKind.SERVICE_CONTINUITY
LINK_LOCAL = AddressKind.LINK_LOCAL
UNIQUE_LOCAL = AddressKind.UNIQUE_LOCAL
NGN_ONLY = AddressKind.NGN_ONLY
SPECIAL = AddressKind.SPECIAL
DOCUMENTATION = AddressKind.DOCUMENTATION
MULTICAST = AddressKind.MULTICAST
TEREDO = AddressKind.TEREDO
SIX_TO_FOUR = AddressKind.SIX_TO_FOUR
NONE = AddressKind.NONE

# (kind before the block, first address, kind inside, last address, kind after the block)
IPV4_BLOCKS = [
    (GLOBAL, "10.0.0.0", PRIVATE, "10.255.255.255", GLOBAL),
    (GLOBAL, "172.16.0.0", PRIVATE, "172.31.255.255", GLOBAL),
    (GLOBAL, "192.168.0.0", PRIVATE, "192.168.255.255", GLOBAL),
    (GLOBAL, "100.64.0.0", SHARED, "100.127.255.255", GLOBAL),
    (GLOBAL, "192.0.0.0", CONTINUITY, "192.0.0.7", SPECIAL),
    (CONTINUITY, "192.0.0.8", SPECIAL, "192.0.0.255", GLOBAL),
    (GLOBAL, "169.254.0.0", LINK_LOCAL, "169.254.255.255", GLOBAL),
    (NONE, "0.0.0.1", SPECIAL, "0.255.255.255", GLOBAL),
    (GLOBAL, "127.0.0.0", SPECIAL, "127.255.255.255", GLOBAL),
    (GLOBAL, "192.0.2.0", DOCUMENTATION, "192.0.2.255", GLOBAL),
    (GLOBAL, "198.51.100.0", DOCUMENTATION, "198.51.100.255", GLOBAL),
    (GLOBAL, "203.0.113.0", DOCUMENTATION, "203.0.113.255", GLOBAL),
    (GLOBAL, "192.88.99.0", SPECIAL, "192.88.99.255", GLOBAL),
    (GLOBAL, "198.18.0.0", SPECIAL, "198.19.255.255", GLOBAL),
    (GLOBAL, "224.0.0.0", MULTICAST, "239.255.255.255", SPECIAL),
    (MULTICAST, "240.0.0.0", SPECIAL, "255.255.255.255", None),
]
IPV6_BLOCKS = [
    (SPECIAL, "2000::", GLOBAL, "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", TEREDO),
    (GLOBAL, "2001::", TEREDO, "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", SPECIAL),
    (TEREDO, "2001:1::", SPECIAL, "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", GLOBAL),
    (GLOBAL, "2001:c90::", NGN_ONLY, "2001:c90:ffff:ffff:ffff:ffff:ffff:ffff", GLOBAL),
    (GLOBAL, "2001:d70::", NGN_ONLY, "2001:d73:ffff:ffff:ffff:ffff:ffff:ffff", GLOBAL),
    (GLOBAL, "2001:db8::", DOCUMENTATION, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", GLOBAL),
    (GLOBAL, "2001:a000::", NGN_ONLY, "2001:a7ff:ffff:ffff:ffff:ffff:ffff:ffff", GLOBAL),
    (GLOBAL, "2002::", SIX_TO_FOUR, "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", GLOBAL),
    (GLOBAL, "2404:1a8::", NGN_ONLY, "2404:1a8:ffff:ffff:ffff:ffff:ffff:ffff", GLOBAL),
    (GLOBAL, "2408::", NGN_ONLY, "2408:3ff:ffff:ffff:ffff:ffff:ffff:ffff", GLOBAL),
    (GLOBAL, "3fff::", DOCUMENTATION, "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", GLOBAL),
    (GLOBAL, "4000::", SPECIAL, "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", UNIQUE_LOCAL),
    (SPECIAL, "fc00::", UNIQUE_LOCAL, "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", SPECIAL),
    (SPECIAL, "fe80::", LINK_LOCAL, "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", SPECIAL),
    (LINK_LOCAL, "fec0::", SPECIAL, "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", MULTICAST),
    (SPECIAL, "ff00::", MULTICAST, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
]


@pytest.mark.parametrize(
    ("before", "first", "inside", "last", "after"),
    [pytest.param(*block, id=f"{block[1]}-{block[3]}") for block in IPV4_BLOCKS + IPV6_BLOCKS],
)
def test_a_block_begins_and_ends_where_its_standard_says(
    before: AddressKind,
    first: str,
    inside: AddressKind,
    last: str,
    after: AddressKind | None,
) -> None:
    lowest, highest = ip_address(first), ip_address(last)
    assert address_kind(lowest - 1) is before
    assert address_kind(lowest) is inside
    assert address_kind(highest) is inside
    if after is not None:
        assert address_kind(highest + 1) is after


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        pytest.param("172.15.255.254", GLOBAL, id="below RFC 1918"),
        pytest.param("172.32.0.1", GLOBAL, id="above RFC 1918"),
        pytest.param("192.167.0.1", GLOBAL, id="below 192.168"),
        pytest.param("192.169.0.1", GLOBAL, id="above 192.168"),
        pytest.param("100.63.0.1", GLOBAL, id="below RFC 6598"),
        pytest.param("100.128.0.1", GLOBAL, id="above RFC 6598"),
        pytest.param("192.0.0.1", CONTINUITY, id="AFTR of DS-Lite"),
        pytest.param("192.0.0.2", CONTINUITY, id="B4 of DS-Lite"),
        pytest.param("192.0.0.9", SPECIAL, id="PCP anycast"),
        pytest.param("192.0.0.170", SPECIAL, id="NAT64 discovery"),
        pytest.param("192.88.99.1", SPECIAL, id="6to4 relay"),
        pytest.param("1.0.168.192", GLOBAL, id="192.168.0.1 in the wrong byte order"),
        pytest.param("0.0.0.0", NONE, id="no IPv4 address"),
        pytest.param("::", NONE, id="no IPv6 address"),
        pytest.param("::1", SPECIAL, id="loopback"),
        pytest.param("fe80::1%eth0", LINK_LOCAL, id="link-local with its zone"),
        pytest.param("2001:0:1:2::3", TEREDO, id="Teredo"),
        pytest.param("2002:c0a8:1::1", SIX_TO_FOUR, id="6to4"),
        pytest.param("64:ff9b::1.2.3.4", SPECIAL, id="NAT64"),
        pytest.param("2400:4050::1", GLOBAL, id="a home on the NGN with internet"),
        pytest.param("2409:10::1", GLOBAL, id="above NTT East"),
        pytest.param("2a00:1450::1", GLOBAL, id="RIPE"),
        pytest.param("::ffff:0.0.0.0", NONE, id="mapped: none"),
        pytest.param("::ffff:100.64.0.1", SHARED, id="mapped: shared"),
        pytest.param("::ffff:192.168.1.1", PRIVATE, id="mapped: private"),
        pytest.param("::ffff:11.22.33.44", GLOBAL, id="mapped: global"),
        pytest.param("::11.22.33.44", SPECIAL, id="compatible, not mapped"),
    ],
)
def test_well_known_addresses(address: str, kind: AddressKind) -> None:
    assert address_kind(ip_address(address)) is kind


def test_no_address_has_the_kind_none() -> None:
    assert address_kind(None) is NONE


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@settings(max_examples=300, deadline=None)
@given(ADDRESSES)
def test_the_rough_judgement_of_the_standard_library_is_never_stricter(ip: IPAddress) -> None:
    """What cannot be reached from the internet by Python's own tables is not global by ours."""
    if ip.is_multicast or ip.is_loopback or ip.is_link_local or ip.is_private:
        assert address_kind(ip) is not GLOBAL


@settings(max_examples=300, deadline=None)
@given(ADDRESSES)
def test_the_kind_is_possible_in_the_family(ip: IPAddress) -> None:
    kind = address_kind(ip)
    if isinstance(ip, IPv4Address):
        assert kind.ipv4
        assert address_kind(IPv6Address(f"::ffff:{ip}")) is kind
    else:
        assert kind is not SHARED or ip.ipv4_mapped


F = AddressFlag


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (F(0), Stability.STABLE),
        (F.PERMANENT, Stability.STABLE),
        (F.STABLE_PRIVACY | F.MANAGE_TEMPORARY | F.NO_PREFIX_ROUTE, Stability.STABLE),
        (F.TEMPORARY, Stability.TEMPORARY),
        (F.TEMPORARY | F.DEPRECATED, Stability.DEPRECATED),
        (F.PERMANENT | F.DEPRECATED, Stability.DEPRECATED),
        (F.TENTATIVE, Stability.TENTATIVE),
        (F.TENTATIVE | F.OPTIMISTIC, Stability.TENTATIVE),
        (F.PERMANENT | F.TENTATIVE | F.DAD_FAILED, Stability.TENTATIVE),
        (F.DEPRECATED | F.TENTATIVE | F.TEMPORARY, Stability.TENTATIVE),
        (F(0x800000) | F.PERMANENT, Stability.STABLE),  # a flag of a kernel to come
    ],
)
def test_stability_is_the_worst_that_the_kernel_says(
    flags: AddressFlag, expected: Stability
) -> None:
    assert stability(flags) is expected


@pytest.mark.parametrize(
    ("address", "squatted"),
    [
        ("25.0.0.2", True),
        ("11.22.33.1", True),
        ("24.255.255.255", False),
        ("27.0.0.1", False),
        ("106.72.63.108", False),
    ],
)
def test_address_space_that_providers_use_behind_their_nat(address: str, *, squatted: bool) -> None:
    assert is_squatted(IPv4Address(address)) is squatted
