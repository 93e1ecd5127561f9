"""Messages of the Port Control Protocol, version 2 (RFC 6887), as far as a home needs them."""

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
import struct
from typing import Final

from .datagram import LARGEST, IPAddress
from .errors import InvalidAnswer, PcpRefused
from .model import Transport

VERSION: Final = 2
NONCE_SIZE: Final = 12
"""Bytes (section 11.1)."""

# Section 7.1: version, opcode, lifetime, our address. Section 7.2: version, opcode and the bit of
# an answer, result, lifetime, epoch. Section 11.1: nonce, protocol, ports inside and outside,
# outside address.
_REQUEST: Final = struct.Struct("!BBxxI16s")
_ANSWER: Final = struct.Struct("!BBxBII12x")
_MAP: Final = struct.Struct("!12sB3xHH16s")
# Section 7.3: code, length.
_OPTION: Final = struct.Struct("!BxH")

_IS_ANSWER: Final = 0x80
_SUCCESS: Final = 0
_PROTOCOL: Final = {Transport.TCP: 6, Transport.UDP: 17}

_SHORT_ERROR: Final = 30
_LONG_ERROR: Final = 1800
"""Seconds that section 7.4 recommends errors to last."""


class _Opcode(IntEnum):
    """Section 19.2."""

    ANNOUNCE = 0
    MAP = 1


class _Option(IntEnum):
    """Section 19.4."""

    THIRD_PARTY = 1
    PREFER_FAILURE = 2


class PcpResult(IntEnum):
    """Why a gateway refuses (section 7.4)."""

    UNSUPP_VERSION = 1
    NOT_AUTHORIZED = 2
    MALFORMED_REQUEST = 3
    UNSUPP_OPCODE = 4
    UNSUPP_OPTION = 5
    MALFORMED_OPTION = 6
    NETWORK_FAILURE = 7
    NO_RESOURCES = 8
    UNSUPP_PROTOCOL = 9
    USER_EX_QUOTA = 10
    CANNOT_PROVIDE_EXTERNAL = 11
    ADDRESS_MISMATCH = 12
    EXCESSIVE_REMOTE_PEERS = 13


_TRANSIENT: Final = {PcpResult.NETWORK_FAILURE, PcpResult.NO_RESOURCES, PcpResult.USER_EX_QUOTA}
"""Errors with a short lifetime (section 7.4)."""


@dataclass(frozen=True, slots=True)
class MapRequest:
    """What is asked for; made and deleted by the same `nonce` of NONCE_SIZE bytes.

    - `external_port`, `address`: what is wished for outside; 0 and None are anything
    - `lifetime`: in seconds; 0 deletes
    - `client`: another host that it is for (section 13.1)
    - `exact`: rather nothing than another port (section 13.2)

    Raises ValueError for an internal port that is none: 0 would stand for all ports, and deleting
    those would delete what others have opened (section 15.1).
    """

    protocol: Transport
    internal_port: int
    external_port: int
    lifetime: int
    nonce: bytes
    client: IPAddress | None = None
    address: IPAddress | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.internal_port < 65536 or len(self.nonce) != NONCE_SIZE:
            raise ValueError("not a port with a nonce")


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a gateway grants. `lifetime` and `epoch` are in seconds."""

    external_address: IPAddress
    external_port: int
    lifetime: int
    epoch: int


def encode_announce(own: IPAddress) -> bytes:
    """Return the question whether anybody is there (section 14.1), as sent from `own`."""
    return _REQUEST.pack(VERSION, _Opcode.ANNOUNCE, 0, _packed(own))


def encode_map(request: MapRequest, own: IPAddress) -> bytes:
    """Return a request as sent from `own`: the gateway compares it with the packet's sender."""
    inside = request.client or own
    anything = IPv4Address(0) if inside.version == 4 else IPv6Address(0)
    data = _REQUEST.pack(VERSION, _Opcode.MAP, request.lifetime, _packed(own)) + _MAP.pack(
        request.nonce,
        _PROTOCOL[request.protocol],
        request.internal_port,
        request.external_port,
        _packed(request.address or anything),
    )
    if request.client:
        data += _OPTION.pack(_Option.THIRD_PARTY, 16) + _packed(request.client)
    if request.exact:
        data += _OPTION.pack(_Option.PREFER_FAILURE, 0)
    return data


def decode_announce(data: bytes) -> int | None:
    """Return the epoch, in seconds, of an answer to ANNOUNCE, asked for or not.

    None for anything else. Raises PcpRefused for an error.
    """
    if (header := _decode_header(data, _Opcode.ANNOUNCE)) is None:
        return None
    result, lifetime, epoch = header
    if result != _SUCCESS:
        raise _refusal(result, lifetime)
    return epoch


def decode_map(data: bytes, request: MapRequest) -> Assigned | None:
    """Return what was granted for the request; None for what is no answer to it.

    Options are not looked at: none can change what we asked for. Raises PcpRefused for an error,
    InvalidAnswer when what is granted is no port, or for no time.
    """
    if (header := _decode_header(data, _Opcode.MAP)) is None:
        return None
    result, lifetime, epoch = header
    # An error may come without a body: a request that was not understood cannot be repeated.
    if result == _SUCCESS or len(data) >= _ANSWER.size + _MAP.size:
        if len(data) < _ANSWER.size + _MAP.size:
            return None
        nonce, protocol, inside, outside, address = _MAP.unpack_from(data, _ANSWER.size)
        asked = (request.nonce, _PROTOCOL[request.protocol], request.internal_port)
        if (nonce, protocol, inside) != asked:  # section 11.4
            return None
    if result != _SUCCESS:
        raise _refusal(result, lifetime)
    if request.lifetime and not (outside and lifetime):
        raise InvalidAnswer("a mapping of nothing")
    return Assigned(_unpacked(address), outside, lifetime, epoch)


def _decode_header(data: bytes, opcode: _Opcode) -> tuple[int, int, int] | None:
    """Return result, lifetime and epoch; None for what is no answer. Raises PcpRefused."""
    if not 4 <= len(data) <= LARGEST or data[1] != _IS_ANSWER | opcode:
        return None
    if data[0] != VERSION:
        # NAT-PMP and older versions of PCP have the result in the same place, and may end there.
        if data[3] == PcpResult.UNSUPP_VERSION:
            raise _refusal(PcpResult.UNSUPP_VERSION, 0)
        return None
    if len(data) < _ANSWER.size:
        return None
    _, _, result, lifetime, epoch = _ANSWER.unpack_from(data)
    return result, lifetime, epoch


def _refusal(code: int, lifetime: int) -> PcpRefused:
    """Return the error; one that does not say how long it lasts, lasts as long as is usual."""
    usual = _SHORT_ERROR if code in _TRANSIENT else _LONG_ERROR
    return PcpRefused(code, min(lifetime or usual, _LONG_ERROR))


def _packed(address: IPAddress) -> bytes:
    """Return 16 bytes; IPv4 is mapped into IPv6 (section 5)."""
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


def _unpacked(packed: bytes) -> IPAddress:
    address = IPv6Address(packed)
    return address.ipv4_mapped or address
