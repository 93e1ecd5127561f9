"""Who the first routers on the way to the internet are, as far as they say so."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
import socket
import struct
from typing import Final

type IPAddress = IPv4Address | IPv6Address

HOPS: Final = 3
"""The home's router, a second one behind it, and the provider's: nothing further is of interest."""
SENDING: Final = (0.0, 0.4)
"""Seconds after the start at which the datagram is sent: a second time, where nothing came."""
WITHIN: Final = 1.0
"""Seconds in all."""

# Where traceroute has begun ever since: nobody listens there.
_PORT: Final = 33434
# struct sock_extended_err (linux/errqueue.h), and behind it the sender as a sockaddr.
_ERROR: Final = struct.Struct("=IBBBBII")
_FAMILY: Final = struct.Struct("=H")
_ANCILLARY: Final = 512


@dataclass(frozen=True, slots=True)
class _Protocol:
    """What one IP family calls things.

    `origin` is ee_origin of an error that came by ICMP; `exceeded` and `unreachable` are the ICMP
    types; `address` is where a sockaddr has the address.
    """

    level: int
    receive_errors: int
    hop_limit: int
    origin: int
    exceeded: int
    unreachable: int
    address: slice


_PROTOCOLS: Final = {
    # RFC 792; SO_EE_ORIGIN_ICMP
    socket.AF_INET: _Protocol(
        socket.IPPROTO_IP, socket.IP_RECVERR, socket.IP_TTL, 2, 11, 3, slice(4, 8)
    ),
    # RFC 4443 sections 3.1 and 3.3; SO_EE_ORIGIN_ICMP6
    socket.AF_INET6: _Protocol(
        socket.IPPROTO_IPV6, socket.IPV6_RECVERR, socket.IPV6_UNICAST_HOPS, 3, 3, 1, slice(8, 24)
    ),
}


@dataclass(frozen=True, slots=True)
class HopAnswer:
    """Who answered a datagram, and whether it has gone as far as it can."""

    sender: IPAddress
    last: bool


async def trace(target: str, hops: int = HOPS) -> tuple[IPAddress | None, ...]:
    """Return who answered datagrams that live for 1, 2 … `hops` hops; None for silence.

    The list is shorter where the target, or a router that lets nothing pass, comes earlier. Needs
    no rights: the kernel hands the ICMP errors to the socket that caused them (ip(7), IP_RECVERR).
    Takes at most WITHIN. Raises ValueError for a `target` that is no IP address.
    """
    peer = ip_address(target)
    answers = await asyncio.gather(*(_ask_hop(peer, hop) for hop in range(1, hops + 1)))
    found: list[IPAddress | None] = []
    for answer in answers:
        if answer is None:
            found.append(None)
        elif not answer.last:
            found.append(answer.sender)
        else:
            # A router that refuses what it has let expire before is no second one.
            if answer.sender not in found:
                found.append(answer.sender)
            break
    return tuple(found)


def parse_error(level: int, kind: int, data: bytes) -> HopAnswer | None:
    """Read a control message of the error queue; None unless it names a router on the way.

    The arguments are those of a cmsg. Errors of this machine itself name nobody.
    """
    for family, protocol in _PROTOCOLS.items():
        if (level, kind) != (protocol.level, protocol.receive_errors):
            continue
        sockaddr = data[_ERROR.size :]
        if len(sockaddr) < protocol.address.stop or _FAMILY.unpack_from(sockaddr)[0] != family:
            return None
        _, origin, icmp_type, *_ = _ERROR.unpack_from(data)
        if origin != protocol.origin or icmp_type not in (protocol.exceeded, protocol.unreachable):
            return None
        sender = ip_address(sockaddr[protocol.address])
        return HopAnswer(sender, last=icmp_type == protocol.unreachable)
    return None


async def _ask_hop(peer: IPAddress, hop: int) -> HopAnswer | None:
    """Send a datagram that lives for `hop` hops and return what comes of it."""
    family = socket.AF_INET if peer.version == 4 else socket.AF_INET6
    protocol = _PROTOCOLS[family]
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[HopAnswer] = loop.create_future()
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(protocol.level, protocol.receive_errors, 1)
        sock.setsockopt(protocol.level, protocol.hop_limit, hop)
        try:
            sock.connect((str(peer), _PORT + hop))
        except OSError:  # no route
            return None
        loop.add_reader(sock, _receive, sock, peer, answer)
        try:
            for begin, end in zip(SENDING, (*SENDING[1:], WITHIN), strict=True):
                # What it fails with may be the very answer, which waits in the error queue.
                with suppress(OSError):
                    sock.send(b"homeport")
                if (await asyncio.wait([answer], timeout=end - begin))[0]:
                    return answer.result()
        finally:
            loop.remove_reader(sock)
    return None


def _receive(sock: socket.socket, peer: IPAddress, answer: asyncio.Future[HopAnswer]) -> None:
    """Take what the socket has: an error, or else an answer of the target itself."""
    found = None
    try:
        _, messages, *_ = sock.recvmsg(1, _ANCILLARY, socket.MSG_ERRQUEUE)
    except OSError:
        with suppress(OSError):
            sock.recv(1)
            found = HopAnswer(peer, last=True)
    else:
        found = next(filter(None, (parse_error(*message) for message in messages)), None)
    if found and not answer.done():
        answer.set_result(found)
