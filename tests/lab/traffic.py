"""What hosts of a lab see of each other: addresses and ports, path MTU, what gets through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import socket
from typing import NamedTuple

from .host import Host, family_of

MIRROR_PORT = 7007

# By family, from linux/in.h and linux/in6.h; the socket module has no names for most of them.
_LEVEL = {socket.AF_INET: socket.IPPROTO_IP, socket.AF_INET6: socket.IPPROTO_IPV6}
_HOPS = {socket.AF_INET: socket.IP_TTL, socket.AF_INET6: socket.IPV6_UNICAST_HOPS}
_MTU_DISCOVER = {socket.AF_INET: 10, socket.AF_INET6: 23}
_RECVERR = {socket.AF_INET: 11, socket.AF_INET6: 25}
_MTU = {socket.AF_INET: 14, socket.AF_INET6: 24}
_DISCOVER_DO, _DISCOVER_PROBE = 2, 3

_HEADERS = {socket.AF_INET: 28, socket.AF_INET6: 48}
"""Bytes of IP and UDP."""


class Source(NamedTuple):
    """Where a packet has come from, as its receiver sees it."""

    address: str
    port: int


@asynccontextmanager
async def mirror(host: Host, port: int = MIRROR_PORT) -> AsyncIterator[None]:
    """Tell whoever comes, by TCP or UDP and over either family, where they come from."""

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_line(writer.get_extra_info("peername")))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    with host.inside():
        stream = socket.create_server(
            ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256
        )
        datagram = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagram.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    datagram.setblocking(False)
    datagram.bind(("::", port))

    def tell_datagram() -> None:
        _, peer = datagram.recvfrom(1500)
        datagram.sendto(_line(peer), peer)

    loop = asyncio.get_running_loop()
    loop.add_reader(datagram, tell_datagram)
    try:
        async with await asyncio.start_server(tell, sock=stream):
            yield
    finally:
        loop.remove_reader(datagram)
        datagram.close()


def _line(peer: tuple[str, int]) -> bytes:
    return f"{peer[0].removeprefix('::ffff:')} {peer[1]}".encode()


def _source(line: bytes) -> Source:
    address, port = line.decode().split()
    return Source(address, int(port))


async def ask_tcp(
    host: Host, address: str, port: int = MIRROR_PORT, *, within: float = 2
) -> Source:
    """Ask a mirror where a connection from here comes from. Raises OSError, TimeoutError."""
    return _source(await host.fetch(address, port, within=within))


async def ask_udp(
    host: Host, address: str, port: int = MIRROR_PORT, *, local: int = 0, within: float = 2
) -> Source:
    """Ask the same over UDP, from a local port. Raises OSError, TimeoutError."""
    loop = asyncio.get_running_loop()
    with host.new_socket(family_of(address), socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("", local))
        await loop.sock_connect(sock, (address, port))
        await loop.sock_sendall(sock, b"?")
        async with asyncio.timeout(within):
            return _source(await loop.sock_recv(sock, 1500))


async def path_mtu(host: Host, address: str, *, hops: int = 64) -> int:
    """Return the path MTU as far as some hops away, learned by sending what fills an Ethernet."""
    family = family_of(address)
    level = _LEVEL[family]
    loop = asyncio.get_running_loop()
    with host.new_socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(level, _MTU_DISCOVER[family], _DISCOVER_PROBE)
        sock.setsockopt(level, _RECVERR[family], 1)
        sock.setsockopt(level, _HOPS[family], hops)
        await loop.sock_connect(sock, (address, MIRROR_PORT))
        # Ends with the mirror's answer, or with the error that says what was too large or too far.
        with suppress(OSError):
            sock.send(bytes(1500 - _HEADERS[family]))
            async with asyncio.timeout(1):
                await loop.sock_recv(sock, 1500)
        sock.setsockopt(level, _MTU_DISCOVER[family], _DISCOVER_DO)
        return sock.getsockopt(level, _MTU[family])


async def hop(host: Host, address: str, number: int, *, within: float = 1) -> str | None:
    """Return who says that a packet ends after so many hops of IPv4; None for silence."""
    with host.new_socket(kind=socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, number)
        sock.setsockopt(socket.IPPROTO_IP, _RECVERR[socket.AF_INET], 1)
        sock.connect((address, 33434))
        sock.send(b"?")
        deadline = asyncio.get_running_loop().time() + within
        while asyncio.get_running_loop().time() < deadline:
            with suppress(BlockingIOError):
                _, extra, _, _ = sock.recvmsg(100, 200, socket.MSG_ERRQUEUE)
                # struct sock_extended_err, then the address of who has sent the error.
                return socket.inet_ntoa(extra[0][2][20:24])
            await asyncio.sleep(0.01)
    return None


async def closed(host: Host, address: str, port: int, *, within: float = 0.4) -> bool:
    """Say whether no TCP connection from here comes about in time."""
    try:
        await host.fetch(address, port, within=within)
    except OSError:
        return True
    return False
