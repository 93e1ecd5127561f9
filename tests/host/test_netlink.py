"""What the kernel writes is understood, and what it would never write does no harm."""

from ipaddress import IPv4Address, IPv6Address, ip_address
import struct
import tracemalloc

from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.host import AddressFlag, netlink
from custom_components.homeport.host.netlink import (
    AddressSaid,
    Kind,
    LinkSaid,
    Message,
    NameServerSaid,
    NeighbourSaid,
    RouteSaid,
)
from tests.fuzz import fuzz

from . import kernel
from .kernel import IPV4, IPV6, attribute, lifetimes, out_of

FOR_EVER = 0xFFFFFFFF
V4, V6 = IPv4Address("192.0.2.7"), IPv6Address("2001:db8::7")


def only(data: bytes) -> Message:
    (message,) = netlink.messages(data)
    return message


# --- Requests ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "number", "size"),
    [(Kind.GET_LINK, 18, 16), (Kind.GET_ADDRESS, 22, 8), (Kind.GET_NEIGHBOUR, 30, 12)],
)
def test_dump_request(kind: Kind, number: int, size: int) -> None:
    head = struct.pack("=IHHII", 16 + size, number, 0x301, 9, 0)
    assert netlink.dump(kind, 9) == head + bytes(size)


def test_route_request() -> None:
    """As `ip route get` asks, so that the kernel goes through its policy rules."""
    for ip, family, bits in ((V4, IPV4, 32), (V6, IPV6, 128)):
        body = struct.pack("=BB10x", family, bits) + attribute(1, ip.packed)
        head = struct.pack("=IHHII", 16 + len(body), 26, 0x001, 9, 0)
        assert netlink.route_request(ip, 9) == head + body


# --- Messages ------------------------------------------------------------------------------------


def test_messages_of_one_datagram() -> None:
    data = kernel.message(16, b"abc", flags=2, sequence=5) + kernel.message(3, bytes(4))
    assert list(netlink.messages(data)) == [Message(16, 2, 5, b"abc"), Message(3, 0, 1, bytes(4))]


@pytest.mark.parametrize("length", [0, 15, 1000, FOR_EVER])
def test_a_message_of_a_wrong_length_ends_it(length: int) -> None:
    good = kernel.link()
    bad = struct.pack("=IHHII", length, 16, 0, 1, 0) + bytes(4)
    assert [m.body for m in netlink.messages(good + bad + good)] == [only(good).body]


@pytest.mark.parametrize(
    ("kind", "flags", "last"),
    [(16, kernel.MULTI, False), (16, 0, True), (3, kernel.MULTI, True), (2, 0, True)],
)
def test_end_of_an_answer(kind: int, flags: int, *, last: bool) -> None:
    assert only(kernel.message(kind, b"", flags=flags)).last is last


def test_interrupted() -> None:
    assert only(kernel.message(3, b"", flags=kernel.INTERRUPTED)).interrupted
    assert not only(kernel.message(3, b"")).interrupted


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        (kernel.ERROR, struct.pack("=i", -101), 101),
        (kernel.DONE, struct.pack("=i", -95), 95),
        (kernel.DONE, struct.pack("=i", 0), 0),
        (kernel.ERROR, b"", 0),
        (kernel.NEW_LINK, struct.pack("=i", -101), 0),
    ],
)
def test_error(kind: int, body: bytes, error: int) -> None:
    assert only(kernel.message(kind, body)).error == error


# --- What they say -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (kernel.link(), LinkSaid(2, "eth0", 1)),
        (kernel.link("tun0", hardware=0xFFFE), LinkSaid(2, "tun0", 0xFFFE)),
        (kernel.link(more=attribute(0x8000 | 18, b"nested")), LinkSaid(2, "eth0", 1)),
        (kernel.link(family=7), None),  # a bridge speaks of its port
        (kernel.link(""), None),
        (kernel.address("192.0.2.7"), None),
    ],
)
def test_link(data: bytes, expected: LinkSaid | None) -> None:
    assert netlink.link(only(data)) == expected


@pytest.mark.parametrize(
    ("hardware", "ethernet", "loopback"),
    [(1, True, False), (772, False, True), (0xFFFE, False, False), (512, False, False)],
    ids=["ethernet", "loopback", "none", "ppp"],
)
def test_hardware(hardware: int, *, ethernet: bool, loopback: bool) -> None:
    said = LinkSaid(2, "x", hardware)
    assert (said.ethernet, said.loopback) == (ethernet, loopback)


PERMANENT = AddressFlag.PERMANENT
TEMPORARY = AddressFlag.TEMPORARY


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (kernel.address("2001:db8::7"), AddressSaid(2, V6, 64, PERMANENT, None, None)),
        (
            kernel.address("192.0.2.7", attribute(2, V4.packed), prefix=24),
            AddressSaid(2, V4, 24, PERMANENT, None, None),
        ),
        # The other end of a point-to-point link is no address of ours.
        (
            kernel.address("192.0.2.1", attribute(2, V4.packed), prefix=32),
            AddressSaid(2, V4, 32, PERMANENT, None, None),
        ),
        # IFA_FLAGS outranks the header's eight bits.
        (
            kernel.address("2001:db8::7", attribute(8, struct.pack("=I", 0x801)), short_flags=0x80),
            AddressSaid(2, V6, 64, TEMPORARY | AddressFlag.STABLE_PRIVACY, None, None),
        ),
        # A flag of tomorrow.
        (
            kernel.address("2001:db8::7", attribute(8, struct.pack("=I", 0x80000080))),
            AddressSaid(2, V6, 64, PERMANENT, None, None),
        ),
        (
            kernel.address("2001:db8::7", lifetimes(0, 600), short_flags=0x20),
            AddressSaid(2, V6, 64, AddressFlag.DEPRECATED, 0, 600),
        ),
        (
            kernel.address("2001:db8::7", lifetimes(300, FOR_EVER), short_flags=0),
            AddressSaid(2, V6, 64, AddressFlag(0), 300, None),
        ),
        (kernel.address("192.0.2.7", prefix=33), None),
        (kernel.address("192.0.2.7", family=IPV6), None),
        (kernel.address("192.0.2.7", family=45), None),  # MCTP
        (kernel.link(), None),
    ],
)
def test_address(data: bytes, expected: AddressSaid | None) -> None:
    assert netlink.address(only(data)) == expected


MAC = bytes.fromhex("02fc000000af")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (kernel.neighbour("192.0.2.7", MAC), NeighbourSaid(2, V4, "02:fc:00:00:00:af", False)),
        (
            kernel.neighbour("2001:db8::7", MAC, state=0x04, flags=0x80),
            NeighbourSaid(2, V6, "02:fc:00:00:00:af", True),
        ),
        (kernel.neighbour("192.0.2.7", MAC, state=0x20), None),  # failed
        (kernel.neighbour("192.0.2.7", MAC, state=0x40), None),  # needs none: multicast
        (kernel.neighbour("192.0.2.7", None, state=0x01), None),  # incomplete
        (kernel.neighbour("192.0.2.7", bytes(6)), None),
        (kernel.neighbour("192.0.2.7", MAC[:4]), None),  # a tunnel's
        (kernel.link(), None),
    ],
)
def test_neighbour(data: bytes, expected: NeighbourSaid | None) -> None:
    assert netlink.neighbour(only(data)) == expected


V4_GATEWAY, V6_GATEWAY = IPv4Address("192.0.2.1"), IPv6Address("fe80::1")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            kernel.route(out_of(2), attribute(5, V4_GATEWAY.packed), attribute(7, V4.packed)),
            RouteSaid(2, V4_GATEWAY, V4),
        ),
        (
            kernel.route(out_of(2), attribute(5, V6_GATEWAY.packed), family=IPV6),
            RouteSaid(2, V6_GATEWAY, None),
        ),
        (
            kernel.route(out_of(2), attribute(18, struct.pack("=H", IPV6) + V6_GATEWAY.packed)),
            RouteSaid(2, V6_GATEWAY, None),
        ),
        (kernel.route(out_of(2), attribute(18, b"\2")), RouteSaid(2, None, None)),
        (kernel.route(out_of(3)), RouteSaid(3, None, None)),
        (kernel.route(), None),
        (kernel.route(out_of(1), route_type=2), None),  # local
        (kernel.route(out_of(1), route_type=6), None),  # blackhole
        (kernel.route(out_of(1), route_type=7), None),  # unreachable
        (kernel.link(), None),
    ],
)
def test_route(data: bytes, expected: RouteSaid | None) -> None:
    assert netlink.route(only(data)) == expected


OTHER_OPTION = struct.pack("!BBHI", 5, 1, 0, 1454)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (kernel.options(kernel.rdnss(600, "2001:db8::7")), [(V6, 600)]),
        (
            kernel.options(kernel.rdnss(FOR_EVER, "2001:db8::7", "fe80::1")),
            [(V6, None), (V6_GATEWAY, None)],
        ),
        (kernel.options(kernel.rdnss(0, "2001:db8::7")), [(V6, 0)]),
        (kernel.options(OTHER_OPTION + kernel.rdnss(600, "2001:db8::7")), [(V6, 600)]),
        (kernel.options(OTHER_OPTION), []),
        (kernel.options(kernel.rdnss(600, "2001:db8::7"), icmp_type=137), []),  # a redirect
        (kernel.options(kernel.rdnss(600, "2001:db8::7"), length=20), []),
        (kernel.options(kernel.rdnss(600, "2001:db8::7"), length=0), []),
        (kernel.options(bytes(24)), []),
        (kernel.options(kernel.rdnss(600, "ff02::1", "::", "::1")), []),
        # An even length: half an address is left out (RFC 8106 section 5.1 has odd ones only).
        (kernel.options(struct.pack("!BBHI", 25, 4, 0, 600) + V6.packed + bytes(8)), [(V6, 600)]),
        (kernel.link(), []),
    ],
)
def test_name_servers(data: bytes, expected: list[tuple[IPv6Address, int | None]]) -> None:
    said = netlink.name_servers(only(data))
    assert said == tuple(NameServerSaid(1, ip, lifetime) for ip, lifetime in expected)


# --- What no kernel writes -----------------------------------------------------------------------

GOOD = [
    kernel.link(),
    kernel.address("2001:db8::7", lifetimes(300, 600), attribute(8, bytes(4))),
    kernel.address("192.0.2.7", attribute(2, V4.packed)),
    kernel.neighbour("2001:db8::7", MAC),
    kernel.route(out_of(2), attribute(5, V4_GATEWAY.packed), attribute(18, bytes(6))),
    kernel.options(OTHER_OPTION + kernel.rdnss(600, "2001:db8::7", "fe80::1")),
    kernel.message(kernel.ERROR, struct.pack("=i", -101)),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return good messages of which some bytes are others, or missing, or too many."""
    data = bytearray(b"".join(draw(st.lists(st.sampled_from(GOOD), min_size=1, max_size=4))))
    for position, value in draw(
        st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=8)
    ):
        data[position] = value
    start, end = draw(st.tuples(st.integers(0, 8), st.integers(0, 40)))
    return bytes(data[start : len(data) - end]) + draw(st.binary(max_size=8))


def framed(kind: int, body: bytes) -> bytes:
    return kernel.message(kind, body)


ANY = st.one_of(
    st.binary(max_size=300),
    damaged(),
    st.builds(framed, st.sampled_from(list(Kind)), st.binary(max_size=120)),
)


def read_all(data: bytes) -> list[object]:
    """Return everything that any parser finds."""
    found: list[object] = []
    for message in netlink.messages(data):
        assert 0 <= message.error <= 2**31
        assert message.last in {True, False}
        found += [netlink.link(message), netlink.address(message), netlink.neighbour(message)]
        found += [netlink.route(message), *netlink.name_servers(message)]
    return [each for each in found if each is not None]


@given(ANY)
@fuzz
def test_any_bytes(data: bytes) -> None:
    """No exception, and nothing that later code could stumble over."""
    for said in read_all(data):
        match said:
            case LinkSaid(_, name, _):
                assert name
                assert "\0" not in name
            case AddressSaid(_, ip, prefix_length, _, preferred, valid):
                assert prefix_length <= ip.max_prefixlen
                assert all(each is None or 0 <= each < FOR_EVER for each in (preferred, valid))
            case NeighbourSaid(_, ip, mac, _):
                assert ip_address(str(ip)) == ip
                assert len(mac) == 17
            case NameServerSaid(_, ip, lifetime):
                assert not ip.is_multicast
                assert lifetime is None or 0 <= lifetime < FOR_EVER
            case _:
                assert isinstance(said, RouteSaid)


@given(st.binary(max_size=65536))
@fuzz
def test_no_more_is_found_than_there_is(data: bytes) -> None:
    """So that neither time nor memory can run away."""
    assert len(list(netlink.messages(data))) <= len(data) // 16
    message = Message(Kind.NEW_OPTIONS, 0, 1, data)
    assert len(netlink.name_servers(message)) <= len(data) // 16


def test_memory_does_not_grow() -> None:
    corpus = [
        good[:end] + bad for good in GOOD for end in range(len(good)) for bad in (b"", b"\xff")
    ]
    for data in corpus:
        read_all(data)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(5):
            for data in corpus:
                read_all(data)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000
