"""Asking the gateway by UDP, as PCP and NAT-PMP do."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
import random
import socket
from typing import Final

from .epoch import Epoch
from .errors import GatewayUnreachable

type IPAddress = IPv4Address | IPv6Address

PORT: Final = 5351
"""RFC 6886 section 3.1, RFC 6887 section 19.1."""
FIRST_WAIT: Final = 0.25
"""Seconds until a request is sent again, doubled each time: RFC 6886 section 3.1. RFC 6887 section
8.1.1 begins with 3 s, which a person who has switched something on would have to wait for."""
WITHIN: Final = 3.75
"""Seconds for an answer: four requests. RFC 6886 goes on for a minute, RFC 6887 for ever; whoever
asks here comes again later."""
LARGEST: Final = 1100
"""Bytes of a message (RFC 6887 section 7)."""

# RFC 6887 section 8.1.1, so that not all hosts of a home ask at once after a power cut.
_JITTER: Final = (0.9, 1.1)
_chance: Final = random.SystemRandom()


class Asker:
    """Asks one gateway, one question after the other (RFC 6886 section 3.7).

    A hundred at once would take a gateway longer than the time after which they are repeated, and
    make it do everything twice. For the same reason one that was slow gets more time before that.
    """

    def __init__(
        self, gateway: IPAddress, source: IPAddress | None = None, within: float = WITHIN
    ) -> None:
        """Take the gateway's address, for IPv6 normally a link-local one with its interface.

        `source` is the own address to ask from, by default what the kernel chooses. `within` are
        the seconds that a question takes at most, once it is its turn.
        """
        self._gateway = gateway
        self._source = source
        self._within = within
        self._turn = asyncio.Lock()
        self._first_wait = FIRST_WAIT

    async def ask[AnswerT](
        self,
        encode: Callable[[IPAddress], bytes],
        decode: Callable[[bytes], AnswerT | None],
        *,
        within: float | None = None,
    ) -> AnswerT:
        """Send a request to the gateway, again and again, until `decode` takes an answer.

        `encode` makes the request for the own address that it is sent from. `decode` returns None
        for what is no answer; what it raises is passed on. Raises GatewayUnreachable when there is
        no route, nobody listens, or nothing comes in time.
        """
        async with self._turn:
            began = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(self._within if within is None else within):
                    with _connected(self._gateway, self._source) as sock:
                        own = ip_address(sock.getsockname()[0].partition("%")[0])
                        answer = await self._exchange(sock, encode(own), decode)
            except OSError as err:  # TimeoutError is one of them
                self._first_wait = FIRST_WAIT
                raise GatewayUnreachable(type(err).__name__) from err
            taken = asyncio.get_running_loop().time() - began
            self._first_wait = min(max(FIRST_WAIT, 2 * taken), self._within / 2)
            return answer

    async def _exchange[AnswerT](
        self, sock: socket.socket, request: bytes, decode: Callable[[bytes], AnswerT | None]
    ) -> AnswerT:
        seconds = self._first_wait
        while True:
            await asyncio.get_running_loop().sock_sendall(sock, request)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds * _chance.uniform(*_JITTER)):
                    return await _answer(sock, decode)
            seconds *= 2


@contextmanager
def _connected(gateway: IPAddress, source: IPAddress | None) -> Iterator[socket.socket]:
    """Open a socket that hears nobody but the gateway's port."""
    # No look-up: only the scope is made a number.
    family, kind, _, _, peer = socket.getaddrinfo(
        str(gateway), PORT, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    with socket.socket(family, kind) as sock:
        sock.setblocking(False)
        if source is not None:
            sock.bind((str(source), 0))
        sock.connect(peer)
        yield sock


async def _answer[AnswerT](
    sock: socket.socket, decode: Callable[[bytes], AnswerT | None]
) -> AnswerT:
    while True:
        # One byte more, so that what is too large does not look right when it is cut.
        data = await asyncio.get_running_loop().sock_recv(sock, LARGEST + 1)
        if len(data) <= LARGEST and (answer := decode(data)) is not None:
            return answer
        # sock_recv gives way only when there is nothing to read: a flood would stop everything.
        await asyncio.sleep(0)


def heard(seconds: int) -> Epoch:
    """Return what a gateway has just said of its table."""
    return Epoch(seconds, asyncio.get_running_loop().time())
