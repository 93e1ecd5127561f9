"""NAT-PMP messages are as the standard has them, and whatever comes in is understood or left."""

from ipaddress import IPv4Address

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.gateway.errors import NatPmpRefused
from custom_components.homeport.gateway.model import Transport
from custom_components.homeport.gateway.natpmp_message import (
    AddressSaid,
    Mapped,
    decode_address,
    decode_map,
    encode_address_request,
    encode_map,
)
from tests.fuzz import fuzz

WAN = IPv4Address("11.22.33.1")
ADDRESS = bytes.fromhex("00800000" + "0000002a" + "0b162101")
MAPPED = bytes.fromhex("00820000" + "0000002a" + "1fbb46cb" + "00000e10")


def test_requests() -> None:
    assert encode_address_request() == b"\0\0"
    tcp = encode_map(Transport.TCP, 8123, 18123, 3600)
    assert tcp.hex() == "00020000" + "1fbb46cb" + "00000e10"
    assert encode_map(Transport.UDP, 1, 0, 0).hex() == "00010000" + "00010000" + "00000000"


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_no_request_is_for_all_ports(port: int) -> None:
    with pytest.raises(ValueError, match="not a port"):
        encode_map(Transport.TCP, port, 0, 0)


def test_the_address() -> None:
    assert decode_address(ADDRESS) == AddressSaid(WAN, 42)
    assert decode_address(ADDRESS[:8] + bytes(4)) == AddressSaid(None, 42)
    assert decode_address(ADDRESS + b"\0\0") == AddressSaid(WAN, 42)


def test_what_is_granted() -> None:
    assert decode_map(MAPPED, Transport.TCP, 8123) == Mapped(18123, 3600, 42)
    udp = b"\0\x81" + MAPPED[2:]
    assert decode_map(udp, Transport.UDP, 8123) == Mapped(18123, 3600, 42)
    deleted = MAPPED[:10] + bytes(6)
    assert decode_map(deleted, Transport.TCP, 8123) == Mapped(0, 0, 42)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(MAPPED[:15], id="cut off"),
        pytest.param(MAPPED[:7], id="less than a header"),
        pytest.param(MAPPED + bytes(1100), id="too large"),
        pytest.param(encode_map(Transport.TCP, 8123, 18123, 3600), id="our own request"),
        pytest.param(ADDRESS, id="the answer to another question"),
        pytest.param(b"\0\x81" + MAPPED[2:], id="the other protocol"),
        pytest.param(MAPPED[:8] + b"\x1f\xbc" + MAPPED[10:], id="another port"),
        pytest.param(b"\x02" + MAPPED[1:], id="another version"),
    ],
)
def test_what_is_no_answer(data: bytes) -> None:
    assert decode_map(data, Transport.TCP, 8123) is None


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 0xFFFF])
def test_a_refusal_says_why(code: int) -> None:
    for data in (MAPPED, MAPPED[:8]):
        with pytest.raises(NatPmpRefused) as refused:
            decode_map(data[:2] + code.to_bytes(2) + data[4:], Transport.TCP, 8123)
        assert refused.value.code == code
        known = f"natpmp_{code}" if code <= 5 else "natpmp_other"
        assert refused.value.translation_key == known
        assert refused.value.placeholders == {"code": str(code)}


@pytest.mark.parametrize("data", ["02800001" + "00000708" + "0000002a" + 24 * "0", "02800001"])
def test_a_gateway_that_speaks_pcp_alone_is_known_at_once(data: str) -> None:
    with pytest.raises(NatPmpRefused) as refused:
        decode_address(bytes.fromhex(data))
    assert refused.value.code == 1


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """Draw an answer that is right, or nearly so."""
    data = bytearray(draw(st.sampled_from([ADDRESS, MAPPED])))
    for _ in range(draw(st.integers(0, 3))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        return bytes(data)
    return bytes(data[: draw(st.integers(0, len(data)))]) + draw(st.binary(max_size=12))


@fuzz
@given(hostile() | st.binary(max_size=20))
@example(ADDRESS)
@example(MAPPED)
def test_whatever_comes_is_granted_refused_or_left(data: bytes) -> None:
    said = granted = refused = None
    try:
        said, granted = decode_address(data), decode_map(data, Transport.TCP, 8123)
    except NatPmpRefused as err:
        refused = err
    if refused:
        assert data[1] in {0x80, 0x82}
        assert refused.code == (1 if data[0] else int.from_bytes(data[2:4])) != 0
    if said:
        assert data[:4] == ADDRESS[:4]
        assert said.address is None or said.address.packed == data[8:12]
    if granted:
        assert data[:4] == MAPPED[:4]
        assert data[8:12] == b"\x1f\xbb" + granted.external_port.to_bytes(2)
