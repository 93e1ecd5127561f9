"""STUN Binding messages in bytes (RFC 8489), with what RFC 5780 adds to a request."""

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
import struct
from typing import Final
from zlib import crc32

from .errors import OutsideInvalid
from .family import IPAddress

COOKIE: Final = 0x2112A442  # section 5
ID_SIZE: Final = 12  # section 5
_HEADER: Final = struct.Struct("!HHI12s")  # type, length of what follows, cookie, transaction id
_ATTRIBUTE: Final = struct.Struct("!HH")  # section 14: type, length of the value without padding
_FINGERPRINT_XOR: Final = 0x5354554E  # section 14.7


class _Type(IntEnum):
    """Message types: the method Binding (1) with the bits of its class (section 5)."""

    REQUEST = 0x0001
    SUCCESS = 0x0101
    ERROR = 0x0111


class _Attribute(IntEnum):
    """The attributes that are understood, or known to mean nothing here (section 18.3)."""

    MAPPED_ADDRESS = 0x0001
    SOURCE_ADDRESS = 0x0004  # RFC 3489; servers still add it and the next one
    CHANGED_ADDRESS = 0x0005
    MESSAGE_INTEGRITY = 0x0008  # nothing to check it with
    ERROR_CODE = 0x0009
    XOR_MAPPED_ADDRESS = 0x0020
    FINGERPRINT = 0x8028
    OTHER_ADDRESS = 0x802C  # RFC 5780 section 7.4


# RFC 5780: what a request may ask for, and no response says.
_CHANGE_REQUEST: Final = _ATTRIBUTE.pack(0x0003, 4) + (0b110).to_bytes(4)  # section 7.2: both
# Section 7.5: the length without the padding, as RFC 8489 section 14 counts. coturn takes this as
# well as a length of 4, stuntman nothing else.
_RESPONSE_PORT: Final = struct.Struct("!HHHxx")

# Section 14: attributes below this must be understood, or else the whole message is not.
_OPTIONAL: Final = 0x8000


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a server says: where our packet came from.

    `other` is a second address and port of the server, from which it can be made to answer
    (RFC 5780 section 7.4); None if it says none.
    """

    address: IPAddress
    port: int
    other: tuple[IPAddress, int] | None = None


def encode_request(transaction_id: bytes, *, knock_at: int | None = None) -> bytes:
    """Return a Binding request. The transaction id is 12 unpredictable bytes (section 5).

    `knock_at` asks for the response to go to this port of the address that the request is seen to
    come from, out of the server's other address and port (RFC 5780 sections 7.5 and 7.2).
    """
    attributes = b""
    if knock_at is not None:
        attributes = _CHANGE_REQUEST + _RESPONSE_PORT.pack(0x0027, 2, knock_at)
    return _HEADER.pack(_Type.REQUEST, len(attributes), COOKIE, transaction_id) + attributes


def decode_response(data: bytes, transaction_id: bytes) -> Mapped | None:
    """Return what the response to the request with this id says.

    None for bytes that are no STUN message, or no response to this request: whoever waits for one
    goes on waiting. Raises OutsideInvalid for a response without a usable answer in it.
    """
    if len(data) < _HEADER.size:
        return None
    kind, length, cookie, answered = _HEADER.unpack_from(data)
    if length != len(data) - _HEADER.size or length % 4:
        return None
    if cookie != COOKIE or answered != transaction_id:
        return None
    if kind not in {_Type.SUCCESS, _Type.ERROR} or not _fingerprint_is_right(data):
        return None
    attributes = _attributes(data)
    if kind == _Type.ERROR:
        raise OutsideInvalid(f"STUN error {_error_code(attributes.get(_Attribute.ERROR_CODE))}")
    if any(each < _OPTIONAL and each not in _Attribute for each in attributes):
        raise OutsideInvalid("a STUN attribute that is not understood")  # section 6.3.3
    if _Attribute.XOR_MAPPED_ADDRESS in attributes:
        address, port = _address(_unmask(attributes[_Attribute.XOR_MAPPED_ADDRESS], data))
    elif _Attribute.MAPPED_ADDRESS in attributes:
        address, port = _address(attributes[_Attribute.MAPPED_ADDRESS])
    else:
        raise OutsideInvalid("a STUN response without an address")
    other = attributes.get(_Attribute.OTHER_ADDRESS)
    return Mapped(address, port, None if other is None else _address(other))


def _fingerprint_is_right(data: bytes) -> bool:
    """Say whether the message ends as section 14.7 asks for, if it ends with a fingerprint."""
    head = _ATTRIBUTE.pack(_Attribute.FINGERPRINT, 4)
    if len(data) < _HEADER.size + 8 or data[-8:-4] != head:
        return True
    return int.from_bytes(data[-4:]) == crc32(data[:-8]) ^ _FINGERPRINT_XOR


def _attributes(data: bytes) -> dict[int, bytes]:
    """Return the values by type. Of several of one type the first counts (section 14)."""
    found: dict[int, bytes] = {}
    position = _HEADER.size
    while position < len(data):
        kind, length = _ATTRIBUTE.unpack_from(data, position)
        position += _ATTRIBUTE.size
        value = data[position : position + length]
        if len(value) != length:
            raise OutsideInvalid("a STUN attribute that is cut off")
        found.setdefault(kind, value)
        position += length + -length % 4
    return found


def _unmask(value: bytes, data: bytes) -> bytes:
    """Undo the XOR of section 14.2: with the cookie, and for IPv6 the transaction id after it."""
    mask = b"\0\0" + data[4:6] + data[4:20]  # nothing, the port, the address
    return bytes(a ^ b for a, b in zip(value, mask, strict=False))


def _address(value: bytes) -> tuple[IPAddress, int]:
    """Return the address and the port of an attribute as in section 14.1."""
    match value[1:2], len(value):
        case b"\x01", 8:
            address: IPAddress = IPv4Address(value[4:])
        case b"\x02", 20:
            address = IPv6Address(value[4:])
        case _:
            raise OutsideInvalid("not an address in a STUN response")
    if (port := int.from_bytes(value[2:4])) == 0:
        raise OutsideInvalid("no port in a STUN response")
    return address, port


def _error_code(value: bytes | None) -> int:
    """Return the code of section 14.8, 0 for none: hundreds in three bits, then the rest."""
    if value is None or len(value) < 4:
        return 0
    return (value[2] & 0b111) * 100 + value[3]
