"""How large a packet may be to pass the access line whole: the path MTU."""

import asyncio
from asyncio.trsock import TransportSocket
from contextlib import suppress
from dataclasses import dataclass
import errno
from ipaddress import IPv4Address, ip_address
import socket
import struct
from typing import Final

_WITHIN: Final = 0.5
"""Seconds. Who answers is the router, or the provider's first one behind it."""

_LARGEST: Final = 1500
"""Bytes. Ethernet's MTU, which no access line exceeds."""

_HOPS: Final = 2
"""A packet that has passed the access line dies behind it, so nobody else is bothered."""

_PORT: Final = 33434
"""Where traceroute has begun ever since: nobody listens there."""

_UDP_HEADER: Final = 8  # RFC 768
_TCP_HEADER: Final = 20  # RFC 9293 section 3.1, without options
_TIMESTAMPS: Final = 12  # bytes of options, RFC 7323 appendix A

_MSG_ERRQUEUE: Final = 0x2000  # linux/socket.h
_ANCILLARY: Final = 512  # bytes, for the error and the address of who sent it
# sock_extended_err, 16, linux/errqueue.h: errno, origin, ICMP type, ICMP code
_ERROR: Final = struct.Struct("=IBBB9x")
_FROM_KERNEL: Final = 1  # SO_EE_ORIGIN_LOCAL

_PROBE: Final = 3  # IP_PMTUDISC_PROBE: never fragment, and heed no MTU that was learned before

_TCP_INFO_OPTION: Final = 11  # TCP_INFO
# tcp_info, linux/tcp.h: state at 0, options in use at 5, snd_mss at 16. Its pmtu is no help,
# since it stays as it was when a router has lowered the MSS.
_TCP_INFO: Final = struct.Struct("=B4xB10xI")
_CONNECTED: Final = frozenset({1, 8})  # TCP_ESTABLISHED, TCP_CLOSE_WAIT
_HAS_TIMESTAMPS: Final = 1  # TCPI_OPT_TIMESTAMPS


@dataclass(frozen=True, slots=True)
class _Family:
    """What differs between the families; numbers of linux/in.h and in6.h."""

    family: socket.AddressFamily
    level: int
    hops: int
    discover: int
    errors: int
    mtu: int
    header: int
    """Bytes of the IP header."""
    least: int
    """Bytes that every link carries: less is no measurement."""
    passed: frozenset[tuple[int, int]]
    """ICMP type and code of time exceeded in transit, and of port unreachable: nobody filtered."""


_IPV4: Final = _Family(
    family=socket.AF_INET,
    level=socket.IPPROTO_IP,
    hops=2,  # IP_TTL
    discover=10,  # IP_MTU_DISCOVER
    errors=11,  # IP_RECVERR
    mtu=14,  # IP_MTU
    header=20,  # RFC 791 section 3.1
    least=576,  # RFC 791 section 3.1: what every host takes
    passed=frozenset({(11, 0), (3, 3)}),  # RFC 792
)
_IPV6: Final = _Family(
    family=socket.AF_INET6,
    level=socket.IPPROTO_IPV6,
    hops=16,  # IPV6_UNICAST_HOPS
    discover=23,  # IPV6_MTU_DISCOVER
    errors=25,  # IPV6_RECVERR
    mtu=24,  # IPV6_MTU
    header=40,  # RFC 8200 section 3
    least=1280,  # RFC 8200 section 5
    passed=frozenset({(3, 0), (1, 4)}),  # RFC 4443 sections 3.3 and 3.1
)


async def path_mtu(target: str) -> int | None:
    """Return the path MTU of the access line in bytes, within half a second.

    `target` is a literal address far away, of the family that is meant: a single datagram is sent
    towards it, which dies after two hops. So where two routers of this home are in the way, it is
    the link between them that is measured. None where nothing answers, as with a router that drops
    without a word, or where there is no route. Raises ValueError when `target` is no address.
    """
    family = _IPV4 if isinstance(ip_address(target), IPv4Address) else _IPV6
    try:
        with socket.socket(family.family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.setsockopt(family.level, family.discover, _PROBE)
            sock.setsockopt(family.level, family.hops, _HOPS)
            sock.setsockopt(family.level, family.errors, 1)
            sock.connect((target, _PORT))
            return await _measure(sock, family)
    except OSError:
        return None


async def _measure(sock: socket.socket, family: _Family) -> int | None:
    size = _LARGEST
    if not _send(sock, family, size):
        # Not even the first link takes it.
        size = _known(sock, family)
        if size < family.least or not _send(sock, family, size):
            return None
    try:
        async with asyncio.timeout(_WITHIN):
            passed = await _answer(sock, family)
    except TimeoutError:
        passed = False
    if passed:
        return size
    # The kernel has taken up what a router said, now, some minutes ago, or when it was advertised.
    known = _known(sock, family)
    return known if family.least <= known < size else None


def _send(sock: socket.socket, family: _Family, size: int) -> bool:
    """Send a packet of `size` bytes and say whether the link takes it."""
    try:
        sock.send(bytes(size - family.header - _UDP_HEADER))
    except OSError as err:
        if err.errno != errno.EMSGSIZE:
            raise
        return False
    return True


def _known(sock: socket.socket, family: _Family) -> int:
    return sock.getsockopt(family.level, family.mtu)


async def _answer(sock: socket.socket, family: _Family) -> bool:
    """Wait for an answer and say whether the packet has passed the line."""
    while True:
        await _readable(sock)
        code, icmp = _next_error(sock)
        if code == errno.EMSGSIZE:
            return False
        if icmp in family.passed or _has_data(sock):
            return True


async def _readable(sock: socket.socket) -> None:
    """Wait until the socket has an error or data."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    loop.add_reader(sock, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(sock)


def _next_error(sock: socket.socket) -> tuple[int, tuple[int, int] | None]:
    """Return the next errno that another machine caused, with ICMP type and code; or 0 and None."""
    with suppress(BlockingIOError):
        _, ancillary, _, _ = sock.recvmsg(1, _ANCILLARY, _MSG_ERRQUEUE)
        for _, _, content in ancillary:
            if len(content) >= _ERROR.size:
                code, origin, icmp_type, icmp_code = _ERROR.unpack_from(content)
                if origin != _FROM_KERNEL:
                    return code, (icmp_type, icmp_code)
    return 0, None


def _has_data(sock: socket.socket) -> bool:
    """Say whether the target has sent something, and take it."""
    with suppress(OSError):  # there is none, or first another error, which is in the queue as well
        sock.recv(1)
        return True
    return False


def mtu_from_mss(sock: socket.socket | TransportSocket) -> int | None:
    """Return the MTU in bytes that a TCP connection has arrived at, or None if it is not connected.

    The smaller of what the two ends offered and of what routers on the way made of it, so a far end
    on a narrow link says less than the line has. None where the system does not tell.
    """
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO_OPTION, _TCP_INFO.size)
        peer = sock.getpeername()[0]
    except OSError:
        return None
    if len(info) < _TCP_INFO.size:
        return None
    state, options, mss = _TCP_INFO.unpack(info)
    if state not in _CONNECTED:
        return None
    # An IPv6 socket speaks IPv4 to an address that is written so.
    ipv6 = sock.family == socket.AF_INET6 and not peer.startswith("::ffff:")
    timestamps = _TIMESTAMPS if options & _HAS_TIMESTAMPS else 0
    return int(mss) + timestamps + _TCP_HEADER + (_IPV6 if ipv6 else _IPV4).header
