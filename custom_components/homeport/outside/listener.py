"""A listener that lets a prober prove that a port leads here, before any service does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from hashlib import sha256
from ipaddress import ip_address
import secrets
import socket
from typing import Final

from .errors import OutsideInvalid
from .family import IPAddress
from .from_outside import IsOutside
from .own_port import own_socket
from .prober import Answer, ProbeTransport

NONCE_SIZE: Final = 16
"""Bytes, as `Question.nonce` has them."""
OPEN_FOR: Final = 10.0
"""Seconds after which it closes by itself."""
CONNECTIONS: Final = 32
"""How many it accepts in all; a prober that knocks from many places makes a handful."""
PAUSE: Final = 0.1
"""Seconds after a connection that could not be accepted."""
ANSWERS: Final = 8
"""How many datagrams it answers in all: a nonce that was seen on the way makes nobody's flood."""


class NonceListener:
    """Says its nonce to whoever connects, and remembers who did.

    - `nonce`: sent to whoever connects over TCP; over UDP what a datagram must be to be answered
    - `met`: who connected over TCP; over UDP who sent the nonce
    """

    def __init__(self, nonce: bytes, is_outside: IsOutside) -> None:
        """Take 16 bytes. Use `listen` to have it at a port. Raises ValueError for other nonces."""
        if len(nonce) != NONCE_SIZE:
            raise ValueError("not a nonce")
        self.nonce = nonce
        self.met: set[IPAddress] = set()
        self._is_outside = is_outside
        self._from_outside = asyncio.Event()

    async def met_from_outside(self, within: float = 0.5) -> bool:
        """Say whether somebody from outside was met, now or `within` seconds.

        A prober's word may be here before the connection that it speaks of was looked at.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._from_outside.wait()
        return self._from_outside.is_set()

    async def met_as(self, answer: Answer) -> bool:
        """Say whether somebody from outside was met, or a prober that says so was.

        Whoever asks a prober has told it the nonce. Raises OutsideInvalid where it says that the
        nonce came back, and nobody was here to be told it.
        """
        met = await self.met_from_outside()
        if answer.nonce_seen and not self.met:
            raise OutsideInvalid("a nonce that nobody was told")
        return met or answer.nonce_seen

    async def serve(self, transport: ProbeTransport, sock: socket.socket) -> None:
        """Serve at a socket until the time is over, and close it."""
        with sock, suppress(OSError):  # TimeoutError is one of them
            async with asyncio.timeout(OPEN_FOR):
                if transport is ProbeTransport.TCP:
                    await self._serve_tcp(sock)
                else:
                    await self._serve_udp(sock)

    async def _serve_tcp(self, sock: socket.socket) -> None:
        with ExitStack() as connections:
            for _ in range(CONNECTIONS):
                try:
                    connection, peer = await asyncio.get_running_loop().sock_accept(sock)
                except OSError:  # it was gone again, or there are no descriptors left
                    await asyncio.sleep(PAUSE)
                    continue
                connections.enter_context(connection)
                self._meet(peer[0])
                # A new connection takes these few bytes at once, or is broken.
                with suppress(OSError):
                    connection.send(self.nonce)
                    # Closed for good later: where something unread has come, closing resets the
                    # connection (RFC 2525 section 2.17), and the nonce may be lost with it.
                    connection.shutdown(socket.SHUT_WR)
            await asyncio.sleep(OPEN_FOR)

    async def _serve_udp(self, sock: socket.socket) -> None:
        left = ANSWERS
        while left:
            # One byte more, so that what is too long does not look right when it is cut.
            data, peer = await asyncio.get_running_loop().sock_recvfrom(sock, NONCE_SIZE + 1)
            if answer := udp_answer(self.nonce, data):
                left -= 1
                self._meet(peer[0])
                with suppress(OSError):
                    sock.sendto(answer, peer)
            # sock_recvfrom gives way only when there is nothing to read: a flood would stop
            # everything.
            await asyncio.sleep(0)
        await asyncio.sleep(OPEN_FOR)

    def _meet(self, host: str) -> None:
        peer = ip_address(host)
        self.met.add(peer)
        if self._is_outside(peer):
            self._from_outside.set()


@asynccontextmanager
async def listen(
    transport: ProbeTransport,
    address: IPAddress,
    port: int,
    is_outside: IsOutside,
    nonce: bytes | None = None,
) -> AsyncIterator[NonceListener]:
    """Have a listener at a free port of one own address; without `nonce` it makes one up.

    Whatever happens it is gone at the end, and hears nobody after OPEN_FOR. Raises PortInUse,
    AddressNotOwn or CannotListen, and ValueError for what is no port of one host or no nonce.
    """
    chosen = secrets.token_bytes(NONCE_SIZE) if nonce is None else nonce
    listener = NonceListener(chosen, is_outside)
    # Here as well as in the task, which may be ended before it has begun.
    with own_socket(transport, address, port) as sock:
        serving = asyncio.create_task(listener.serve(transport, sock))
        try:
            yield listener
        finally:
            serving.cancel()
            await asyncio.wait([serving])


def udp_answer(nonce: bytes, data: bytes) -> bytes | None:
    """Return what a datagram is answered with: as long as the nonce, and nothing but to it.

    The hash shows that it was read, which sending it back would not: a mirror does that as well.
    """
    return sha256(nonce).digest()[:NONCE_SIZE] if data == nonce else None
