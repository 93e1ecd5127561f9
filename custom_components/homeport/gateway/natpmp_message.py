"""Messages of the NAT Port Mapping Protocol (RFC 6886)."""

from dataclasses import dataclass
from ipaddress import IPv4Address
import struct
from typing import Final

from .datagram import LARGEST
from .errors import NatPmpRefused
from .model import Transport

VERSION: Final = 0
UNSUPPORTED_VERSION: Final = 1
NETWORK_FAILURE: Final = 3

# Section 3.2: version, 128 + opcode, result, epoch; then the address. Section 3.3: version, opcode,
# ports inside and outside, lifetime; and in the answer these three after its result and epoch.
_ANSWER: Final = struct.Struct("!BBHI")
_ADDRESS: Final = struct.Struct("!4s")
_REQUEST: Final = struct.Struct("!BBxxHHI")
_MAPPING: Final = struct.Struct("!HHI")

_IS_ANSWER: Final = 128
_SUCCESS: Final = 0
_ADDRESS_OPCODE: Final = 0
_OPCODE: Final = {Transport.UDP: 1, Transport.TCP: 2}


@dataclass(frozen=True, slots=True)
class AddressSaid:
    """The gateway's external address, None when it has none; `epoch` in seconds."""

    address: IPv4Address | None
    epoch: int


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a gateway grants. `lifetime` and `epoch` are in seconds."""

    external_port: int
    lifetime: int
    epoch: int


def encode_address_request() -> bytes:
    """Return the question for the external address (section 3.2)."""
    return bytes((VERSION, _ADDRESS_OPCODE))


def encode_map(protocol: Transport, internal_port: int, external_port: int, lifetime: int) -> bytes:
    """Return a request for a mapping (section 3.3); lifetime 0 deletes it (section 3.4).

    Raises ValueError for an internal port that is none: 0 would delete all of this host's.
    """
    if not 0 < internal_port < 65536:
        raise ValueError("not a port")
    return _REQUEST.pack(VERSION, _OPCODE[protocol], internal_port, external_port, lifetime)


def decode_address(data: bytes) -> AddressSaid | None:
    """Return what was said about the external address, asked for or not; None if nothing was.

    Raises NatPmpRefused for an error.
    """
    epoch = _decode_header(data, _ADDRESS_OPCODE)
    if epoch is None or len(data) < _ANSWER.size + _ADDRESS.size:
        return None
    address = IPv4Address(_ADDRESS.unpack_from(data, _ANSWER.size)[0])
    return AddressSaid(None if address.is_unspecified else address, epoch)


def decode_map(data: bytes, protocol: Transport, internal_port: int) -> Mapped | None:
    """Return what was granted for a port; None for what is no answer to that.

    Raises NatPmpRefused for an error. What is granted may be port 0 or lifetime 0: both are right
    for a deletion.
    """
    epoch = _decode_header(data, _OPCODE[protocol])
    if epoch is None or len(data) < _ANSWER.size + _MAPPING.size:
        return None
    inside, outside, lifetime = _MAPPING.unpack_from(data, _ANSWER.size)
    return Mapped(outside, lifetime, epoch) if inside == internal_port else None


def _decode_header(data: bytes, opcode: int) -> int | None:
    """Return the epoch; None for what is no answer. Raises NatPmpRefused."""
    if not 4 <= len(data) <= LARGEST or data[1] != _IS_ANSWER | opcode:
        return None
    if data[0] != VERSION:
        # PCP alone is spoken there (RFC 6887 appendix A): its result is the last byte of ours.
        if data[3] == UNSUPPORTED_VERSION:
            raise NatPmpRefused(UNSUPPORTED_VERSION)
        return None
    if len(data) < _ANSWER.size:
        return None
    _, _, result, epoch = _ANSWER.unpack_from(data)
    if result != _SUCCESS:
        raise NatPmpRefused(result)
    return int(epoch)
