"""The NAT64 prefix is found at every length, and never made up."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.outside.nat64 import nat64_prefix
from tests.fuzz import fuzz

# RFC 6052 section 2.4 has these for 192.0.2.33; written out by hand for 192.0.0.170.
EMBEDDED = {
    "2001:db8::/32": "2001:db8:c000:aa::",
    "2001:db8:100::/40": "2001:db8:1c0:0:aa::",
    "2001:db8:122::/48": "2001:db8:122:c000:0:aa00::",
    "2001:db8:122:300::/56": "2001:db8:122:3c0:0:aa::",
    "2001:db8:122:344::/64": "2001:db8:122:344:c0:0:aa00::",
    "2001:db8:122:344::/96": "2001:db8:122:344::c000:aa",
    "64:ff9b::/96": "64:ff9b::c000:aa",
    "64:ff9b:1:fffe::/96": "64:ff9b:1:fffe::c000:aa",
    "fd00:64::/96": "fd00:64::c000:aa",
}


def embed(prefix: IPv6Network, ipv4: IPv4Address) -> IPv6Address:
    """Put an IPv4 address behind a prefix, octet by octet, around the one that is zero."""
    octets = list(prefix.network_address.packed[: prefix.prefixlen // 8])
    for octet in ipv4.packed:
        if len(octets) == 8:
            octets.append(0)
        octets.append(octet)
    return IPv6Address(bytes(octets).ljust(16, b"\0"))


@pytest.mark.parametrize(("prefix", "address"), EMBEDDED.items())
def test_every_length_is_read(prefix: str, address: str) -> None:
    network = IPv6Network(prefix)
    first = IPv6Address(address)
    assert first == embed(network, IPv4Address("192.0.0.170"))
    second = embed(network, IPv4Address("192.0.0.171"))
    for answer in ([first], [second], [first, second], [second, first]):
        assert nat64_prefix(answer) == network


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("2001:db8::1", id="an ordinary address"),
        pytest.param("64:ff9b::c000:a9", id="another IPv4 address"),
        pytest.param("64:ff9b::c000:ac", id="one more"),
        pytest.param("::ffff:192.0.0.170", id="mapped"),
        pytest.param("::192.0.0.170", id="compatible"),
        pytest.param("fe80::c000:aa", id="link-local"),
        pytest.param("ff02::c000:aa", id="multicast"),
        pytest.param("2001:db8:122:344:ff00:0:c000:aa", id="octet 8 is not zero"),
    ],
)
def test_no_prefix(address: str) -> None:
    assert nat64_prefix([IPv6Address(address)]) is None


def test_no_addresses_are_no_prefix() -> None:
    assert nat64_prefix([]) is None


def test_a_prefix_that_holds_the_address_itself_needs_both() -> None:
    """The second place settles which one is the prefix."""
    network = IPv6Network("2001:db8:c000:aa::/96")
    first, second = (embed(network, IPv4Address(f"192.0.0.{last}")) for last in (170, 171))
    assert nat64_prefix([first]) is None
    assert nat64_prefix([first, second]) == network
    assert nat64_prefix([second, first]) == network


def test_of_several_prefixes_it_is_always_the_same() -> None:
    addresses = [IPv6Address(address) for address in EMBEDDED.values()]
    assert nat64_prefix(addresses) == nat64_prefix(reversed(addresses))


def test_a_flood_of_records_is_not_read_to_its_end() -> None:
    prefix = IPv6Address(EMBEDDED["64:ff9b::/96"])
    assert nat64_prefix([IPv6Address("2001:db8::1")] * 15 + [prefix])
    assert nat64_prefix([IPv6Address("2001:db8::1")] * 16 + [prefix]) is None


WELL_KNOWN = st.sampled_from([IPv4Address("192.0.0.170"), IPv4Address("192.0.0.171")])
PREFIXES = st.builds(
    lambda address, length: IPv6Network((address, length), strict=False),
    st.integers(0x2000 << 112, (0x4000 << 112) - 1)
    .map(IPv6Address)
    .map(lambda ip: IPv6Address(ip.packed[:8] + b"\0" + ip.packed[9:])),
    st.sampled_from([32, 40, 48, 56, 64, 96]),
)
ADDRESSES = (
    st.ip_addresses(v=6)
    | st.builds(embed, PREFIXES, WELL_KNOWN)
    | st.lists(st.sampled_from([0, 0, 0xC0, 0xAA, 0xAB, 0x20, 0x64]), min_size=16, max_size=16).map(
        lambda octets: IPv6Address(bytes(octets))
    )
)


@fuzz
@given(st.lists(ADDRESSES, max_size=4))
def test_any_addresses(addresses: list[IPv6Address]) -> None:
    """A prefix is one that makes one of the addresses there out of a well-known one."""
    prefix = nat64_prefix(addresses)
    if prefix is not None:
        length = {32: 72, 40: 80, 48: 88, 56: 96, 64: 104, 96: 128}[prefix.prefixlen]
        made = {
            embed(prefix, IPv4Address(f"192.0.0.{last}")).packed[: length // 8]
            for last in (170, 171)
        }
        assert made & {address.packed[: length // 8] for address in addresses}


@fuzz
@given(PREFIXES)
def test_every_prefix_is_found_again(prefix: IPv6Network) -> None:
    both = [embed(prefix, IPv4Address(f"192.0.0.{last}")) for last in (170, 171)]
    assert nat64_prefix(both) == prefix
