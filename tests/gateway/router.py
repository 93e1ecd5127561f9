"""A gateway on loopback that answers PCP and NAT-PMP with what it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address
from typing import Any, override

import pytest

from custom_components.homeport.gateway import datagram

GATEWAY = IPv4Address("127.0.0.1")

type Answering = Callable[[bytes], Sequence[bytes]]


class Router(asyncio.DatagramProtocol):
    """Answers each request with the datagrams that `answer` makes of it."""

    def __init__(self, answer: Answering, lose: int) -> None:
        self.requests: list[bytes] = []
        self.callers: list[Any] = []
        self._answer = answer
        self._lose = lose
        self._transport: asyncio.DatagramTransport | None = None

    @override
    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.requests.append(data)
        self.callers.append(addr)
        if len(self.requests) > self._lose:
            for answer in self._answer(data):
                self.send(answer, addr)

    def send(self, data: bytes, addr: Any) -> None:
        """Send a datagram from the gateway's port."""
        assert self._transport
        self._transport.sendto(data, addr)


@asynccontextmanager
async def router(
    monkeypatch: pytest.MonkeyPatch,
    answer: Answering = lambda _: (),
    *,
    lose: int = 0,
    at: IPv4Address | IPv6Address = GATEWAY,
) -> AsyncIterator[Router]:
    """Run one that keeps silent about the first `lose` requests."""
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Router(answer, lose), local_addr=(str(at), 0)
    )
    monkeypatch.setattr(datagram, "PORT", transport.get_extra_info("sockname")[1])
    try:
        yield protocol
    finally:
        transport.close()
        await asyncio.sleep(0)
