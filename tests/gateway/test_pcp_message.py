"""PCP messages are as the standard has them, and whatever comes in is understood or left."""

from ipaddress import IPv4Address, IPv6Address
import struct

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.gateway.datagram import LARGEST
from custom_components.homeport.gateway.errors import InvalidAnswer, PcpRefused
from custom_components.homeport.gateway.model import Transport
from custom_components.homeport.gateway.pcp_message import (
    Assigned,
    MapRequest,
    decode_announce,
    decode_map,
    encode_announce,
    encode_map,
)
from tests.fuzz import fuzz

OWN, OTHER = IPv4Address("192.168.77.10"), IPv4Address("192.168.77.20")
OWN6 = IPv6Address("2a00:77:77:1::10")
WAN = IPv4Address("11.22.33.1")
NONCE = bytes(range(1, 13))
TCP = MapRequest(Transport.TCP, 8123, 18123, 3600, NONCE)
UDP6 = MapRequest(Transport.UDP, 443, 443, 120, NONCE)

MAPPED = "00000000000000000000ffff"
OWN_HEX = MAPPED + "c0a84d0a"


def granted(
    request: MapRequest = TCP,
    *,
    result: int = 0,
    lifetime: int = 600,
    epoch: int = 7,
    port: int = 18123,
    address: bytes = bytes.fromhex(MAPPED) + WAN.packed,
) -> bytes:
    """Write an answer, field by field."""
    protocol = 6 if request.protocol is Transport.TCP else 17
    return (
        struct.pack("!BBBBII12x", 2, 0x81, 0, result, lifetime, epoch)
        + request.nonce
        + struct.pack("!B3xHH", protocol, request.internal_port, port)
        + address
    )


def test_the_question_whether_anybody_is_there() -> None:
    assert encode_announce(OWN).hex() == "02000000" + "00000000" + OWN_HEX
    assert encode_announce(OWN6).hex() == "02000000" + "00000000" + OWN6.packed.hex()


def test_a_request_for_this_host() -> None:
    assert encode_map(TCP, OWN).hex() == (
        "02010000" + "00000e10" + OWN_HEX + NONCE.hex() + "06000000" + "1fbb46cb" + MAPPED + 8 * "0"
    )


def test_a_request_for_a_pinhole() -> None:
    assert encode_map(UDP6, OWN6).hex() == (
        "0201000000000078" + OWN6.packed.hex() + NONCE.hex() + "11000000" + "01bb01bb" + 32 * "0"
    )


def test_a_request_with_everything() -> None:
    request = MapRequest(
        Transport.TCP, 8123, 18123, 3600, NONCE, client=OTHER, address=WAN, exact=True
    )
    assert encode_map(request, OWN).hex() == (
        ("02010000" + "00000e10" + OWN_HEX)
        + (NONCE.hex() + "06000000" + "1fbb46cb" + MAPPED + "0b162101")
        + ("01000010" + MAPPED + "c0a84d14" + "02000000")
    )


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_no_request_is_for_all_ports(port: int) -> None:
    with pytest.raises(ValueError, match="not a port"):
        MapRequest(Transport.TCP, port, 18123, 3600, NONCE)


@pytest.mark.parametrize("nonce", [b"", NONCE[:11], NONCE + b"\0"])
def test_a_nonce_has_a_size(nonce: bytes) -> None:
    with pytest.raises(ValueError, match="nonce"):
        MapRequest(Transport.TCP, 8123, 18123, 3600, nonce)


def test_what_is_granted() -> None:
    assert decode_map(granted(), TCP) == Assigned(WAN, 18123, 600, 7)
    assert decode_map(granted(port=18125), TCP) == Assigned(WAN, 18125, 600, 7)
    pinhole = granted(UDP6, port=443, address=OWN6.packed)
    assert decode_map(pinhole, UDP6) == Assigned(OWN6, 443, 600, 7)
    with_options = granted() + bytes.fromhex("01000010") + bytes(16)
    assert decode_map(with_options, TCP) == Assigned(WAN, 18123, 600, 7)


def test_a_deletion_grants_nothing() -> None:
    deletion = MapRequest(Transport.TCP, 8123, 0, 0, NONCE)
    assert decode_map(granted(lifetime=0, port=0), deletion) == Assigned(WAN, 0, 0, 7)


@pytest.mark.parametrize("wrong", [{"port": 0}, {"lifetime": 0}])
def test_nothing_granted_is_no_mapping(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidAnswer):
        decode_map(granted(**wrong), TCP)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(granted()[:59], id="cut off"),
        pytest.param(granted()[:24], id="a header alone"),
        pytest.param(granted()[:20], id="less than a header"),
        pytest.param(granted() + bytes(LARGEST), id="too large"),
        pytest.param(encode_map(TCP, OWN), id="our own request"),
        pytest.param(b"\x02\x80" + granted()[2:], id="the answer to another question"),
        pytest.param(b"\x01" + granted()[1:], id="another version"),
        pytest.param(granted(UDP6), id="the answer to another request"),
        pytest.param(granted(MapRequest(Transport.TCP, 8124, 18123, 1, NONCE)), id="another port"),
        pytest.param(
            granted(MapRequest(Transport.TCP, 8123, 18123, 1, NONCE[::-1])), id="another nonce"
        ),
        pytest.param(
            granted(MapRequest(Transport.TCP, 8123, 1, 1, NONCE[::-1]), result=2),
            id="a refusal of another's",
        ),
    ],
)
def test_what_is_no_answer(data: bytes) -> None:
    assert decode_map(data, TCP) is None


@pytest.mark.parametrize("code", [*range(1, 15), 255])
def test_a_refusal_says_why_and_for_how_long(code: int) -> None:
    for data in (granted(result=code, lifetime=30), granted(result=code, lifetime=30)[:24]):
        with pytest.raises(PcpRefused) as refused:
            decode_map(data, TCP)
        assert (refused.value.code, refused.value.retry_after) == (code, 30)
        known = f"pcp_{code}" if code <= 13 else "pcp_other"
        assert refused.value.translation_key == known
        assert refused.value.placeholders == {"code": str(code)}


@pytest.mark.parametrize(
    ("code", "lifetime", "retry_after"),
    [(2, 0xFFFFFFFF, 1800), (2, 60, 60), (2, 0, 1800), (7, 0, 30), (8, 0, 30), (10, 0, 30)],
)
def test_no_refusal_is_for_ever_or_for_no_time(code: int, lifetime: int, retry_after: int) -> None:
    with pytest.raises(PcpRefused) as refused:
        decode_map(granted(result=code, lifetime=lifetime), TCP)
    assert refused.value.retry_after == retry_after


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("00810001" + "00000007", id="NAT-PMP alone"),
        pytest.param("00810001", id="NAT-PMP alone, short"),
        pytest.param("01810001" + "00000708" + "00000007" + 24 * "0", id="PCP's first version"),
    ],
)
def test_a_gateway_of_another_version_is_known_at_once(data: str) -> None:
    with pytest.raises(PcpRefused) as refused:
        decode_map(bytes.fromhex(data), TCP)
    assert refused.value.translation_key == "pcp_1"


ANNOUNCED = bytes.fromhex("02800000" + "00000000" + "0000002a" + 24 * "0")


def test_who_is_there() -> None:
    assert decode_announce(ANNOUNCED) == 42
    assert decode_announce(ANNOUNCED[:23]) is None
    assert decode_announce(b"\x02\x00" + ANNOUNCED[2:]) is None
    assert decode_announce(granted()) is None
    with pytest.raises(PcpRefused):
        decode_announce(b"\x02\x80\x00\x04" + ANNOUNCED[4:])


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """Draw an answer that is right, or nearly so."""
    data = bytearray(
        granted(
            draw(st.sampled_from([TCP, UDP6])),
            result=draw(st.sampled_from([0, 0, 2, 200])),
            lifetime=draw(st.integers(0, 0xFFFFFFFF)),
            port=draw(st.integers(0, 65535)),
            address=draw(st.ip_addresses(v=6)).packed,
        )
    )
    for _ in range(draw(st.integers(0, 3))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        return bytes(data)
    return bytes(data[: draw(st.integers(0, len(data)))]) + draw(st.binary(max_size=40))


@fuzz
@given(hostile() | st.binary(max_size=80))
@example(granted())
def test_whatever_comes_is_granted_refused_or_left(data: bytes) -> None:
    refused = assigned = None
    try:
        assigned = decode_map(data, TCP)
    except (PcpRefused, InvalidAnswer) as err:
        refused = err
    if isinstance(refused, PcpRefused):
        assert data[1] == 0x81
        assert refused.code == data[3] != 0
        assert 0 < refused.retry_after <= 1800
    elif refused:
        assert data[24:36] == NONCE
    if assigned is not None:
        assert (data[:2], data[3]) == (b"\x02\x81", 0)
        assert data[24:36] == NONCE
        assert assigned.external_port > 0
        assert assigned.lifetime > 0
