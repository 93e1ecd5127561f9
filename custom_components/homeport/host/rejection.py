"""Who has turned a packet of ours away, and what was said: ICMP errors as a socket gets them."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
import socket
import struct
from typing import Final

from .model import IPAddress

_ANCILLARY: Final = 512  # bytes, for the error and the address of who sent it
# sock_extended_err, 16, linux/errqueue.h: errno, origin, ICMP type, ICMP code, and two more
_ERROR: Final = struct.Struct("=IBBB9x")
_FAMILY: Final = struct.Struct("=H")


class Refusal(StrEnum):
    """What an ICMP error says.

    - `absent`: that there is no way to the host, or that it does not answer
    - `port`: that nobody listens at the port; said to a TCP connection, it is a packet filter's
      word, because a host itself answers with a reset (RFC 9293 section 3.10.7.1)
    - `prohibited`: that somebody does not let it pass
    """

    ABSENT = "absent"
    PORT = "port"
    PROHIBITED = "prohibited"


@dataclass(frozen=True, slots=True)
class Rejection:
    """An ICMP error and who sent it.

    What this machine itself says comes from one of its own addresses, or from nobody (`::`).
    """

    sender: IPAddress
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class _Family:
    """What one IP family calls things.

    `origin` is that of errors that came by ICMP, `unreachable` the ICMP type; `address` is where a
    sockaddr has the address.
    """

    level: int
    errors: int
    origin: int
    unreachable: int
    codes: dict[int, Refusal]
    address: slice


_FAMILIES: Final = {
    socket.AF_INET: _Family(
        level=socket.IPPROTO_IP,
        errors=11,  # IP_RECVERR, linux/in.h
        origin=2,  # SO_EE_ORIGIN_ICMP
        unreachable=3,  # RFC 792
        codes={
            **dict.fromkeys((0, 1, 5, 6, 7, 8, 11, 12), Refusal.ABSENT),  # RFC 1122 section 3.2.2.1
            **dict.fromkeys((2, 3), Refusal.PORT),
            **dict.fromkeys((9, 10, 13), Refusal.PROHIBITED),  # RFC 1812 section 5.2.7.1
        },
        address=slice(4, 8),
    ),
    socket.AF_INET6: _Family(
        level=socket.IPPROTO_IPV6,
        errors=25,  # IPV6_RECVERR, linux/in6.h
        origin=3,  # SO_EE_ORIGIN_ICMP6
        unreachable=1,  # RFC 4443 section 3.1
        codes={
            **dict.fromkeys((0, 2, 3), Refusal.ABSENT),
            4: Refusal.PORT,
            **dict.fromkeys((1, 5, 6), Refusal.PROHIBITED),
        },
        address=slice(8, 24),
    ),
}


def keep_errors(sock: socket.socket) -> None:
    """Have the kernel keep the ICMP errors of an IP socket. Raises OSError where it cannot."""
    family = _FAMILIES[socket.AddressFamily(sock.family)]
    sock.setsockopt(family.level, family.errors, 1)


def next_rejection(sock: socket.socket) -> Rejection | None:
    """Return the next ICMP error of a socket that keeps them; None if there is no more."""
    while True:
        try:
            _, messages, _, _ = sock.recvmsg(1, _ANCILLARY, socket.MSG_ERRQUEUE)
        except OSError:
            return None
        for message in messages:
            if found := parse_rejection(*message):
                return found


def parse_rejection(level: int, kind: int, content: bytes) -> Rejection | None:
    """Read a control message of the error queue; None unless it says "destination unreachable".

    The arguments are those of a cmsg. None also for whatever has no known code.
    """
    for number, family in _FAMILIES.items():
        if (level, kind) != (family.level, family.errors) or len(content) < _ERROR.size:
            continue
        sockaddr = content[_ERROR.size :]
        if len(sockaddr) < family.address.stop or _FAMILY.unpack_from(sockaddr)[0] != number:
            return None
        _, origin, icmp_type, icmp_code = _ERROR.unpack_from(content)
        refusal = family.codes.get(icmp_code)
        if (origin, icmp_type) != (family.origin, family.unreachable) or refusal is None:
            return None
        packed = sockaddr[family.address]
        return Rejection(IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed), refusal)
    return None
