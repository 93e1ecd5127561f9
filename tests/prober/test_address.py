"""Nobody who is not on the internet is dialled, and the prober itself is not."""

from ipaddress import IPv4Address, IPv6Address, ip_address
import socket

from hypothesis import given, strategies as st
import pytest

from prober.address import is_allowed, is_global, is_of, is_own, network_of, unmapped
from tests.fuzz import fuzz

HOMES = ["11.22.33.44", "106.72.63.108", "1.1.1.1", "223.255.255.254", "2a00:77:77:1::10"]
HOMES += ["240b:10:3f6c:d400::1", "2606:4700::1111", "2001:200::1", "2620:4f:8001::1"]

NOBODYS = {
    "unspecified": ("0.0.0.0", "::"),
    "this network": ("0.1.2.3",),
    "loopback": ("127.0.0.1", "127.255.255.254", "::1"),
    "private": ("10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "fd00::1", "fc00::1"),
    "shared": ("100.64.0.1", "100.127.255.254"),
    "link-local, and a cloud's own service": ("169.254.1.1", "169.254.169.254", "fe80::1"),
    "with a zone": ("fe80::1%eth0", "2a00:77::1%1"),
    "protocol assignments": ("192.0.0.1", "192.0.0.9", "192.0.0.10", "192.0.0.170", "192.0.0.8"),
    "documentation": ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"),
    "benchmarks": ("198.18.0.1", "198.19.255.254", "2001:2::1"),
    "anycast of protocols": ("192.88.99.1", "192.31.196.1", "192.52.193.1", "192.175.48.1"),
    "AS112": ("2620:4f:8000::1",),
    "multicast": ("224.0.0.251", "239.1.2.3", "ff02::1", "ff0e::1"),
    "reserved": ("240.0.0.1", "255.255.255.255"),
    "IPv4-mapped": ("::ffff:11.22.33.44", "::ffff:127.0.0.1"),
    "IPv4-compatible": ("::11.22.33.44", "::127.0.0.1"),
    "translated": ("::ffff:0:11.22.33.44",),
    "6to4": ("2002:b16:212c::1", "2002:7f00:1::1"),
    "Teredo": ("2001:0:b16:212c::1", "2001::1"),
    "ORCHID": ("2001:10::1", "2001:20::1"),
    "NAT64": ("64:ff9b::b16:212c", "64:ff9b::7f00:1", "64:ff9b:1::b16:212c"),
    "discard": ("100::1",),
    "segment routing": ("5f00::1",),
    "site-local": ("fec0::1",),
    "not given out": ("4000::1", "8000::1", "e000::1"),
}


@pytest.mark.parametrize("text", HOMES)
def test_a_home_may_be_dialled(text: str) -> None:
    assert is_global(ip_address(text))


@pytest.mark.parametrize("kind", NOBODYS)
def test_what_is_nobodys_home_may_not(kind: str) -> None:
    for text in NOBODYS[kind]:
        assert not is_global(ip_address(text)), text


@fuzz
@given(st.ip_addresses())
def test_what_may_be_dialled_is_unicast_and_as_it_looks(
    address: IPv4Address | IPv6Address,
) -> None:
    if not is_global(address):
        return
    assert {address.is_private, address.is_multicast, address.is_reserved} == {False}
    if isinstance(address, IPv6Address):
        assert address.packed[0] >> 5 == 1
        assert (address.ipv4_mapped, address.sixtofour, address.teredo) == (None, None, None)


@pytest.mark.parametrize("text", ["127.0.0.1", "127.9.8.7", "0.0.0.0", "::1"])
def test_its_own_addresses_are_known(socket_enabled: None, text: str) -> None:
    if ":" in text and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    assert is_own(ip_address(text))


@pytest.mark.parametrize("text", ["11.22.33.44", "2a00:77:77:1::10"])
def test_others_addresses_are_not_its_own(socket_enabled: None, text: str) -> None:
    assert not is_own(ip_address(text))
    assert is_allowed(ip_address(text))


def test_ipv4_inside_ipv6_is_taken_out() -> None:
    assert unmapped(ip_address("::ffff:127.0.0.1")) == IPv4Address("127.0.0.1")
    assert unmapped(ip_address("2a00:77::1")) == IPv6Address("2a00:77::1")
    assert unmapped(ip_address("11.22.33.44")) == IPv4Address("11.22.33.44")


@pytest.mark.parametrize(
    ("address", "caller", "same"),
    [
        ("11.22.33.44", "11.22.33.44", True),
        ("11.22.33.45", "11.22.33.44", False),
        ("2a00:77:77:1::20", "2a00:77:77:1:ffff::1", True),
        ("2a00:77:77:2::20", "2a00:77:77:1::20", False),
        ("2a00:77:77::", "2a00:77:77:0:ffff:ffff:ffff:ffff", True),
        ("::b16:212c", "11.22.33.44", False),
        ("::ffff:11.22.33.44", "11.22.33.44", False),
        ("0.0.0.1", "0:0:0:1::", False),
    ],
)
def test_a_caller_is_one_ipv4_address_or_one_network(address: str, caller: str, same: bool) -> None:
    assert is_of(ip_address(address), ip_address(caller)) is same
    assert (network_of(ip_address(address)) == network_of(ip_address(caller))) is same
