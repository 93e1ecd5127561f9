"""What hosts of a lab see of each other: addresses and ports, path MTU, what gets through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import socket
from typing import NamedTuple

from .host import Host, family_of

MIRROR_PORT = 7007

# linux/in.h and linux/in6.h; the socket module has no names for them.
_MTU_DISCOVER = {socket.AF_INET: (socket.IPPROTO_IP, 10), socket.AF_INET6: (41, 23)}
_MTU = {socket.AF_INET: (socket.IPPROTO_IP, 14), socket.AF_INET6: (41, 24)}
_HEADERS = {socket.AF_INET: 28, socket.AF_INET6: 48}
_DISCOVER_DO, _DISCOVER_PROBE = 2, 3


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

    class Tell(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.DatagramTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(_line(addr), addr)

    with host.inside():
        stream = socket.create_server(
            ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256
        )
        datagram = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagram.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    datagram.bind(("::", port))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Tell, sock=datagram)
    try:
        async with await asyncio.start_server(tell, sock=stream):
            yield
    finally:
        transport.close()


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


async def path_mtu(host: Host, address: str) -> int:
    """Return the path MTU to a mirror, learned by sending what fills an Ethernet."""
    family = family_of(address)
    loop = asyncio.get_running_loop()
    with host.new_socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(*_MTU_DISCOVER[family], _DISCOVER_PROBE)
        await loop.sock_connect(sock, (address, MIRROR_PORT))
        for _ in range(2):
            # The answer, or the error that tells the MTU, which the next call raises.
            with suppress(OSError):
                sock.send(bytes(1500 - _HEADERS[family]))
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await loop.sock_recv(sock, 1500)
        sock.setsockopt(*_MTU_DISCOVER[family], _DISCOVER_DO)
        return sock.getsockopt(*_MTU[family])


async def arrives(host: Host, address: str, port: int, *, within: float = 0.5) -> bytes | None:
    """Return what a TCP connection from here brings; None if none comes about in time."""
    try:
        return await host.fetch(address, port, within=within)
    except OSError:
        return None
