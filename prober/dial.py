"""Knocking at a port, over TCP or UDP, and telling what was met there."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
import errno
from hashlib import sha256
import secrets
import socket
from typing import Final

from .address import IPAddress
from .question import Transport
from .refused import Refused

SECONDS: Final = 5.0
"""For the knock. A router says after three that nobody in its network answers to an address: that
long Linux looks for a neighbour (arp(7), mcast_solicit times retrans_time)."""
READ_SECONDS: Final = 2.0
"""For what a listener says of itself."""
NONCE_SIZE: Final = 16
"""Bytes."""
# When a datagram is sent again, since the one before was perhaps lost; the last time is the end.
_UDP_WAITS: Final = (0.5, 0.5, 1.0, SECONDS - 2.0)
_DATAGRAM: Final = 2048
"""Bytes of an answer that are read; all that counts is its beginning."""

# Linux: icmp_err_convert in net/ipv4/icmp.c and tab_unreach in net/ipv6/icmp.c say which error
# a program gets for which ICMP message.
_UNREACHABLE: Final = {
    *(errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENONET, errno.EACCES),
    *(errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EPROTO),
}
# IP_RECVERR (ip(7)) and IPV6_RECVERR (ipv6(7)), which Python does not name: without them a datagram
# socket is not told that a host is unreachable.
_RECVERR: Final = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}


class Outcome(StrEnum):
    """What was met.

    - `accepted`: a connection was accepted, or a datagram came back
    - `refused`: a reset, or ICMP's "port unreachable"
    - `timed_out`: nothing came
    - `unreachable`: somebody on the way says that there is no way
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Met:
    """What came of a knock. `nonce`: the caller's own listener was met."""

    outcome: Outcome
    nonce: bool = False


async def dial(
    transport: Transport, address: IPAddress, port: int, nonce: bytes | None = None
) -> Met:
    """Knock at a port, from a port of ours that was not used for it before.

    Over TCP nothing is sent; a listener that has been told the nonce says it. Over UDP the nonce
    is sent, or a random one, and a listener answers with the first 16 bytes of its SHA-256.

    Raises Refused when nothing can be said, because this machine itself cannot go there.
    """
    _check_route(address, port)
    knock = _dial_tcp if transport is Transport.TCP else _dial_udp
    return await knock(address, port, nonce)


def _check_route(address: IPAddress, port: int) -> None:
    """Raise Refused where there is no way out of this machine: a socket would not tell it apart.

    As in a container without IPv6, behind a proxy that has it.
    """
    try:
        with _socket(address, socket.SOCK_DGRAM) as sock:
            sock.connect((str(address), port))
    except OSError:
        raise Refused(503, "no_route") from None


async def _dial_tcp(address: IPAddress, port: int, nonce: bytes | None) -> Met:
    with _socket(address, socket.SOCK_STREAM) as sock:
        try:
            async with asyncio.timeout(SECONDS):
                await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
        except OSError as err:
            return Met(_outcome(err))
        return Met(Outcome.ACCEPTED, nonce is not None and await _says(sock, nonce))


async def _says(sock: socket.socket, nonce: bytes) -> bool:
    """Say whether the first that comes is the nonce."""
    said = b""
    try:
        async with asyncio.timeout(READ_SECONDS):
            while len(said) < NONCE_SIZE:
                more = await asyncio.get_running_loop().sock_recv(sock, NONCE_SIZE - len(said))
                if not more:
                    break
                said += more
    except OSError:  # TimeoutError is one of them
        return False
    return said == nonce


async def _dial_udp(address: IPAddress, port: int, nonce: bytes | None) -> Met:
    sent = nonce or secrets.token_bytes(NONCE_SIZE)
    with _socket(address, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(*_RECVERR[address.version], 1)
        try:
            # Connected, so that only this port's answers arrive, and ICMP errors as well.
            sock.connect((str(address), port))
            for wait in _UDP_WAITS:
                answer = await _answer(sock, sent, wait)
                if answer is not None:
                    shown = answer == sha256(sent).digest()[:NONCE_SIZE]
                    return Met(Outcome.ACCEPTED, nonce is not None and shown)
        except OSError as err:
            return Met(_outcome(err))
    return Met(Outcome.TIMED_OUT)


async def _answer(sock: socket.socket, sent: bytes, wait: float) -> bytes | None:
    """Send a datagram and return what comes within `wait` seconds. Raises OSError for an ICMP."""
    with suppress(BlockingIOError):  # as good as lost on the way: there is another time
        sock.send(sent)
    try:
        async with asyncio.timeout(wait):
            return await asyncio.get_running_loop().sock_recv(sock, _DATAGRAM)
    except TimeoutError:
        return None


def _socket(address: IPAddress, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        sock = socket.socket(family, kind)
    except OSError:  # no more descriptors
        raise Refused(503, "cannot_dial") from None
    sock.setblocking(False)
    return sock


def _outcome(err: OSError) -> Outcome:
    """Return what an error says of the other side. Raises Refused when it is ours."""
    if isinstance(err, TimeoutError):  # also the kernel's own ETIMEDOUT
        return Outcome.TIMED_OUT
    if isinstance(err, ConnectionRefusedError):
        return Outcome.REFUSED
    if err.errno in _UNREACHABLE:
        return Outcome.UNREACHABLE
    raise Refused(503, "cannot_dial") from None
