"""Hearing STUN responses at several sockets at once, wherever a server sends them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
import secrets
import socket
from typing import Any, override

from .errors import OutsideError, OutsideInvalid, OutsideUnreachable
from .family import SOCKET_FAMILY, IPAddress
from .stun import RTO, TIMEOUT
from .stun_message import ID_SIZE, Mapped, decode_response, encode_request

type Endpoint = tuple[IPAddress, int]
"""An address and a port."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A response, or why it is none that can be used; `sender` is None where nobody sent it."""

    said: Mapped | OutsideError
    sender: Endpoint | None

    def mapped(self) -> Mapped:
        """Return what the response says. Raises OutsideError."""
        if isinstance(self.said, OutsideError):
            raise self.said
        return self.said


class Ear(asyncio.DatagramProtocol):
    """Hears the responses that are expected at one socket. Use `hearing` to have one."""

    transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        """Expect nothing."""
        self._expected: dict[bytes, asyncio.Future[Heard]] = {}

    @override
    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        transaction_id = data[8 : 8 + ID_SIZE]
        expected = self._expected.get(transaction_id)
        if expected is None or expected.done():
            return
        said: Mapped | OutsideError | None
        try:
            said = decode_response(data, transaction_id)
        except OutsideInvalid as err:
            said = err
        if said is not None:
            expected.set_result(Heard(said, endpoint(addr)))

    @override
    def error_received(self, exc: Exception) -> None:
        # Port unreachable: nobody is going to answer.
        for expected in self._expected.values():
            if not expected.done():
                expected.set_result(Heard(OutsideUnreachable(type(exc).__name__), None))

    def expect(self, transaction_id: bytes) -> asyncio.Future[Heard]:
        """Return what is going to have the first response to this request."""
        heard = self._expected[transaction_id] = asyncio.get_running_loop().create_future()
        return heard

    def send(self, data: bytes) -> None:
        """Send to the peer of a connected socket."""
        self.transport.sendto(data)

    async def binding(self) -> Mapped:
        """Return what the peer sees. Raises OutsideUnreachable or OutsideInvalid."""
        transaction_id = secrets.token_bytes(ID_SIZE)
        heard = self.expect(transaction_id)
        await persist(lambda: self.send(encode_request(transaction_id)), [heard], TIMEOUT)
        if not heard.done():
            raise OutsideUnreachable("no response")
        return heard.result().mapped()


async def persist(
    send: Callable[[], None], until: Iterable[asyncio.Future[Heard]], within: float
) -> None:
    """Send, again and again, until one of these is done or the time is over."""
    futures = list(until)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    wait = RTO
    while (left := deadline - loop.time()) > 0:
        send()
        done, _ = await asyncio.wait(
            futures, timeout=min(wait, left), return_when=asyncio.FIRST_COMPLETED
        )
        if done:
            return
        wait *= 2


@asynccontextmanager
async def hearing(sock: socket.socket) -> AsyncIterator[Ear]:
    """Hear at a socket, which is closed in the end."""
    loop = asyncio.get_running_loop()
    transport, ear = await loop.create_datagram_endpoint(Ear, sock=sock)
    ear.transport = transport
    try:
        yield ear
    finally:
        transport.abort()
        # The socket is closed by then, and its port free for whoever comes next.
        await asyncio.sleep(0)


def speaking(source: IPAddress, peer: Endpoint, avoid: int) -> socket.socket:
    """Return a socket from any local port but one, which hears nobody but its peer.

    Raises OSError where there is no route.
    """
    sock = _bound(source)
    try:
        if sock.getsockname()[1] == avoid:
            another = _bound(source)  # while the first one has that port
            sock.close()
            sock = another
        sock.connect((str(peer[0]), peer[1]))
    except BaseException:
        sock.close()
        raise
    return sock


def _bound(source: IPAddress) -> socket.socket:
    sock = socket.socket(SOCKET_FAMILY[source.version], socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((str(source), 0))
    except BaseException:
        sock.close()
        raise
    return sock


def endpoint(address: tuple[Any, ...]) -> Endpoint:
    """Return what a socket's address says."""
    return ip_address(address[0]), address[1]
