"""STUN responses are taken apart as RFC 8489 has it, and nothing else is taken for one."""

from ipaddress import IPv4Address, IPv6Address
from zlib import crc32

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside.errors import OutsideInvalid
from custom_components.homeport.outside.stun_message import (
    Mapped,
    decode_response,
    encode_request,
)
from tests.fakes.stun import BINDING_SUCCESS, MAGIC, message, plain, success, xored
from tests.fuzz import fuzz

ID = bytes.fromhex("b7e7a701bc34d686fa87dfae")
V4 = IPv4Address("11.22.33.44")
V6 = IPv6Address("2a00:77:77:1::10")
XOR4 = (0x0020, xored(V4, 40000, ID))
PLAIN4 = (0x0001, plain(V4, 40000))

# RFC 5769 sections 2.2 and 2.3: what a server answers to the request with ID.
RFC_IPV4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
RFC_IPV6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)


def fingerprinted(data: bytes) -> bytes:
    """Add the attribute of section 14.7."""
    longer = data[:2] + (int.from_bytes(data[2:4]) + 8).to_bytes(2) + data[4:]
    check = crc32(longer) ^ int.from_bytes(b"STUN")
    return longer + bytes.fromhex("80280004") + check.to_bytes(4)


def answer(*attributes: tuple[int, bytes], kind: bytes = BINDING_SUCCESS) -> bytes:
    return message(kind, ID, list(attributes))


def test_a_request_is_a_header_alone() -> None:
    assert encode_request(ID) == bytes.fromhex("000100002112a442") + ID


def test_a_request_for_a_knock_asks_for_another_sender_and_another_port() -> None:
    """RFC 5780 sections 7.2 and 7.5: both flags, and the port with its padding."""
    asked = bytes.fromhex("00030004 00000006 00270002 9cbb0000")
    head = bytes.fromhex("000100102112a442")
    assert encode_request(ID, knock_at=40123) == head + ID + asked


@pytest.mark.parametrize(
    ("data", "address"),
    [
        pytest.param(RFC_IPV4, IPv4Address("192.0.2.1"), id="IPv4"),
        pytest.param(RFC_IPV6, IPv6Address("2001:db8:1234:5678:11:2233:4455:6677"), id="IPv6"),
    ],
)
def test_the_samples_of_the_standard(data: bytes, address: object) -> None:
    decoded = decode_response(data, ID)
    assert decoded is not None
    assert (decoded.address, decoded.port, decoded.other) == (address, 32853, None)


OTHER4 = (IPv4Address("11.22.0.3"), 3479)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(answer(XOR4), Mapped(V4, 40000), id="IPv4"),
        pytest.param(answer((0x0020, xored(V6, 1, ID))), Mapped(V6, 1), id="IPv6"),
        pytest.param(answer(PLAIN4), Mapped(V4, 40000), id="plain"),
        pytest.param(answer((0x0001, plain(V6, 9))), Mapped(V6, 9), id="plain IPv6"),
        pytest.param(
            answer((0x0001, plain(IPv4Address("192.168.1.2"), 7)), XOR4),
            Mapped(V4, 40000),
            id="a plain one that a NAT has changed before it",
        ),
        pytest.param(
            answer(XOR4, (0x0020, xored(V4, 7, ID))), Mapped(V4, 40000), id="the first of two"
        ),
        pytest.param(
            answer((0x8022, b"coturn"), (0xC001, b"?"), XOR4), Mapped(V4, 40000), id="padded ones"
        ),
        pytest.param(
            answer(XOR4, (0x802C, plain(*OTHER4)), (0x802B, plain(V4, 1))),
            Mapped(V4, 40000, OTHER4),
            id="with another address",
        ),
        pytest.param(
            answer(XOR4, (0x0004, plain(V4, 1)), (0x0005, plain(V4, 1))),
            Mapped(V4, 40000),
            id="with what the first STUN had",
        ),
        pytest.param(fingerprinted(answer(XOR4)), Mapped(V4, 40000), id="fingerprint"),
        pytest.param(
            answer((0x0020, b"\xff" + XOR4[1][1:])), Mapped(V4, 40000), id="a byte to ignore"
        ),
        pytest.param(
            answer((0x8022, b"abc"), XOR4).replace(b"abc\0", b"abc\xff"),
            Mapped(V4, 40000),
            id="padding that is not zero",
        ),
    ],
)
def test_good_answers(data: bytes, expected: Mapped) -> None:
    assert decode_response(data, ID) == expected


GOOD = success(encode_request(ID), V4, 40000)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(GOOD[:19], id="half a header"),
        pytest.param(GOOD[:-1], id="cut off"),
        pytest.param(GOOD[:20], id="header alone, which announces more"),
        pytest.param(GOOD + b"\0\0\0\0", id="longer than it says"),
        pytest.param(b"\0\x01" + GOOD[2:], id="a request"),
        pytest.param(b"\0\x11" + GOOD[2:], id="an indication"),
        pytest.param(b"\x01\x03" + GOOD[2:], id="another method"),
        pytest.param(b"\x81\x01" + GOOD[2:], id="not STUN's first bits"),
        pytest.param(GOOD.replace(MAGIC, b"\x21\x12\xa4\x43"), id="another cookie"),
        pytest.param(success(encode_request(ID[::-1]), V4, 40000), id="another request's"),
        pytest.param(fingerprinted(GOOD)[:-1] + b"\0", id="a wrong fingerprint"),
        pytest.param(message(BINDING_SUCCESS, ID, [])[:3] + b"\x02" + GOOD[4:22], id="odd length"),
    ],
)
def test_what_is_no_response_to_the_request_is_none(data: bytes) -> None:
    assert decode_response(data, ID) is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(answer(), "without an address", id="no attribute"),
        pytest.param(answer((0x8022, b"coturn")), "without an address", id="no address"),
        pytest.param(answer((0x0021, b""), XOR4), "not understood", id="one that has to be known"),
        pytest.param(answer(XOR4, (0x7FFF, b"1")), "not understood", id="another one, after it"),
        pytest.param(answer((0x0020, b"")), "not an address", id="empty"),
        pytest.param(answer((0x0020, XOR4[1][:7])), "not an address", id="an address cut off"),
        pytest.param(answer((0x0020, XOR4[1] + b"\0")), "not an address", id="a byte too many"),
        pytest.param(
            answer((0x0020, b"\0\x02" + XOR4[1][2:])), "not an address", id="IPv6 of four bytes"
        ),
        pytest.param(
            answer((0x0020, b"\0\x03" + XOR4[1][2:])), "not an address", id="a third family"
        ),
        pytest.param(answer((0x0020, xored(V4, 0, ID))), "no port", id="port 0"),
        pytest.param(answer(XOR4, (0x802C, b"??")), "not an address", id="no other address"),
        pytest.param(
            answer(XOR4, (0x8022, b"abcd")).replace(b"\0\x04abcd", b"\0\x05abcd"),
            "cut off",
            id="an attribute that reaches beyond the end",
        ),
        pytest.param(answer((0x0009, b"\0\0\x04\x01Who?"), kind=b"\x01\x11"), "401", id="401"),
        pytest.param(answer((0x0009, b"\0\0\xfd\x32"), kind=b"\x01\x11"), "550", id="unused bits"),
        pytest.param(answer((0x0009, b"\0"), kind=b"\x01\x11"), "error 0", id="a short code"),
        pytest.param(answer(XOR4, kind=b"\x01\x11"), "error 0", id="an error without a code"),
    ],
)
def test_a_response_without_a_usable_answer_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(OutsideInvalid, match=why):
        decode_response(data, ID)


ADDRESSES = st.ip_addresses()
PORTS = st.integers(1, 65535)


@fuzz
@given(ADDRESSES, PORTS, st.binary(min_size=12, max_size=12))
def test_every_address_comes_through(
    address: IPv4Address | IPv6Address, port: int, transaction_id: bytes
) -> None:
    request = encode_request(transaction_id)
    assert decode_response(success(request, address, port), transaction_id) == Mapped(address, port)


@st.composite
def attributes(draw: st.DrawFn) -> tuple[int, bytes]:
    """Draw an attribute that is right, or nearly so."""
    address, port = draw(ADDRESSES), draw(st.integers(0, 65535))
    number = draw(
        st.sampled_from([0x0001, 0x0004, 0x0008, 0x0009, 0x0020, 0x8022, 0x8028, 0x802C])
        | st.integers(0, 65535)
    )
    value = draw(
        st.sampled_from([plain(address, port), xored(address, port, ID)]) | st.binary(max_size=24)
    )
    return number, value


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """Draw a response out of such attributes, some bytes changed, cut or added."""
    kind = draw(st.sampled_from([b"\x01\x01", b"\x01\x01", b"\x01\x11", b"\0\x01"]))
    data = bytearray(message(kind, ID, draw(st.lists(attributes(), max_size=4))))
    if draw(st.booleans()):
        data = bytearray(fingerprinted(bytes(data)))
    for _ in range(draw(st.integers(0, 3))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        return bytes(data)
    return bytes(data[: draw(st.integers(0, len(data)))]) + draw(st.binary(max_size=8))


@fuzz
@given(
    hostile() | st.binary(max_size=100) | st.binary(max_size=60).map(lambda end: GOOD[:20] + end)
)
@example(GOOD)
@example(answer(*[(0x8022, b"")] * 16000))
def test_whatever_comes_there_is_an_address_or_none_or_a_refusal(data: bytes) -> None:
    try:
        decoded = decode_response(data, ID)
    except OutsideInvalid:
        # Only who knows the request can end it.
        assert data[4:20] == MAGIC + ID
        return
    if decoded is not None:
        assert data[:2] == BINDING_SUCCESS
        assert data[4:20] == MAGIC + ID
        assert 0 < decoded.port < 65536
        # Nothing that was not said in the message.
        said = (
            plain(decoded.address, decoded.port)[1:],
            xored(decoded.address, decoded.port, ID)[1:],
        )
        assert any(each in data for each in said)
