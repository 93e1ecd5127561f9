"""The listener says its nonce, reads nothing, and is gone when it should be."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address
import socket
import time

from hypothesis import example, given, strategies as st
import pytest
import pytest_socket

from custom_components.homeport.outside import listener as listener_module
from custom_components.homeport.outside.family import IPAddress
from custom_components.homeport.outside.listener import (
    ANSWERS,
    CONNECTIONS,
    NonceListener,
    listen,
    udp_answer,
)
from custom_components.homeport.outside.own_port import AddressNotOwn, PortInUse, own_socket
from custom_components.homeport.outside.prober import ProbeTransport
from tests.fuzz import fuzz

TCP, UDP = ProbeTransport.TCP, ProbeTransport.UDP
V4, V6 = IPv4Address("127.0.0.1"), IPv6Address("::1")
NONCE = bytes(range(16))
ANSWER = sha256(NONCE).digest()[:16]

both_transports = pytest.mark.parametrize("transport", [TCP, UDP])
both_families = pytest.mark.parametrize("address", [V4, V6])


@pytest.fixture(autouse=True)
def _any_loopback(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the plugin has put there comes back after the test.
    monkeypatch.setattr(socket.socket, "connect", socket.socket.connect)
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"])


def everybody(_: IPAddress) -> bool:
    return True


def nobody(_: IPAddress) -> bool:
    return False


@asynccontextmanager
async def open_(
    transport: ProbeTransport, port: int, address: IPAddress = V4
) -> AsyncIterator[NonceListener]:
    async with listen(transport, address, port, everybody, NONCE) as opened:
        yield opened


async def connect(
    port: int, address: IPAddress = V4, said: bytes = b"", *, drain: bool = False
) -> bytes:
    """Connect, say something, and return what comes until the other side has no more to say.

    With `drain` not before all was said. Raises TimeoutError after a second.
    """
    reader, writer = await asyncio.open_connection(str(address), port)
    try:
        async with asyncio.timeout(1):
            writer.write(said)
            if drain:
                await writer.drain()
            return await reader.read()
    finally:
        writer.transport.abort()


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def udp_client(clients: ExitStack, port: int, address: IPAddress = V4) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    sock = clients.enter_context(socket.socket(family, socket.SOCK_DGRAM))
    sock.setblocking(False)
    sock.connect((str(address), port))
    return sock


async def answers(sock: socket.socket, data: bytes) -> bytes | None:
    """Send a datagram and return the answer; None for none before that to a later one."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, data)
    async with asyncio.timeout(2):
        return await loop.sock_recv(sock, 100)


@both_families
async def test_whoever_connects_is_told_the_nonce(address: IPAddress, unused_tcp_port: int) -> None:
    async with open_(TCP, unused_tcp_port, address) as opened:
        assert await connect(unused_tcp_port, address) == NONCE
        assert opened.met == {address}
        assert await opened.met_from_outside()


@both_families
async def test_a_datagram_that_is_the_nonce_is_answered(
    address: IPAddress, unused_udp_port: int, clients: ExitStack
) -> None:
    async with open_(UDP, unused_udp_port, address) as opened:
        client = udp_client(clients, unused_udp_port, address)
        assert await answers(client, NONCE) == ANSWER
        assert opened.met == {address}
        assert await opened.met_from_outside()


async def test_nothing_else_is_answered(unused_udp_port: int, clients: ExitStack) -> None:
    async with open_(UDP, unused_udp_port) as opened:
        wrong, right = (udp_client(clients, unused_udp_port) for _ in range(2))
        for data in (b"", b"\0", NONCE[:15], NONCE + b"\0", NONCE[::-1], ANSWER, b"?" * 60000):
            wrong.send(data)
        assert not opened.met
        # They came before this one.
        assert await answers(right, NONCE) == ANSWER
        with pytest.raises(BlockingIOError):
            wrong.recv(100)


async def test_each_has_a_nonce_of_its_own(unused_tcp_port: int) -> None:
    nonces = set[bytes]()
    for _ in range(3):
        async with listen(TCP, V4, unused_tcp_port, everybody) as opened:
            nonces.add(opened.nonce)
            assert await connect(unused_tcp_port) == opened.nonce
    assert {len(nonce) for nonce in nonces} == {16}
    assert len(nonces) == 3


@pytest.mark.parametrize("nonce", [b"", b"\0" * 15, b"\0" * 17])
async def test_what_is_no_nonce_is_refused(nonce: bytes, unused_tcp_port: int) -> None:
    with pytest.raises(ValueError):
        async with listen(TCP, V4, unused_tcp_port, everybody, nonce):
            pytest.fail("it listens")


@both_transports
async def test_somebody_of_the_home_is_met_but_not_from_outside(
    transport: ProbeTransport, unused_tcp_port: int, clients: ExitStack
) -> None:
    async with listen(transport, V4, unused_tcp_port, nobody, NONCE) as opened:
        if transport is TCP:
            await connect(unused_tcp_port)
        else:
            await answers(udp_client(clients, unused_tcp_port), NONCE)
        assert opened.met == {V4}
        assert not await opened.met_from_outside(0)
        assert not await opened.met_from_outside(0.05)


async def test_who_comes_a_moment_later_is_waited_for(unused_tcp_port: int) -> None:
    async with open_(TCP, unused_tcp_port) as opened:
        waiting = asyncio.create_task(opened.met_from_outside(2))
        await asyncio.sleep(0)
        await connect(unused_tcp_port)
        assert await waiting


async def test_what_a_client_says_does_not_lose_the_nonce(unused_tcp_port: int) -> None:
    """Closing a connection on which something unread waits would reset it."""
    async with open_(TCP, unused_tcp_port):
        assert await connect(unused_tcp_port, said=b"GET / HTTP/1.1\r\n\r\n" * 1000) == NONCE


async def test_nothing_is_read(unused_tcp_port: int) -> None:
    """Whoever says more than the kernel keeps is not heard out."""
    async with open_(TCP, unused_tcp_port):
        with pytest.raises(TimeoutError):
            await connect(unused_tcp_port, said=b"?" * (1 << 25), drain=True)


async def test_only_a_handful_is_served(unused_tcp_port: int) -> None:
    async with open_(TCP, unused_tcp_port):
        for _ in range(CONNECTIONS):
            assert await connect(unused_tcp_port) == NONCE
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await connect(unused_tcp_port)


async def test_only_a_handful_of_datagrams_is_answered(
    unused_udp_port: int, clients: ExitStack
) -> None:
    async with open_(UDP, unused_udp_port):
        client = udp_client(clients, unused_udp_port)
        for _ in range(ANSWERS):
            assert await answers(client, NONCE) == ANSWER
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await answers(client, NONCE)


@both_transports
async def test_the_port_is_free_again_at_once(
    transport: ProbeTransport, unused_tcp_port: int, clients: ExitStack
) -> None:
    for _ in range(3):
        async with open_(transport, unused_tcp_port):
            if transport is TCP:
                await connect(unused_tcp_port)
            else:
                await answers(udp_client(clients, unused_tcp_port), NONCE)
            with pytest.raises(PortInUse):
                own_socket(transport, V4, unused_tcp_port)
        own_socket(transport, V4, unused_tcp_port).close()
        assert asyncio.all_tasks() == {asyncio.current_task()}


@both_transports
async def test_it_closes_by_itself(
    transport: ProbeTransport, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener_module, "OPEN_FOR", 0.1)
    async with open_(transport, unused_tcp_port) as opened:
        begin = time.monotonic()
        while time.monotonic() - begin < 2:
            try:
                own_socket(transport, V4, unused_tcp_port).close()
            except PortInUse:
                await asyncio.sleep(0.01)
            else:
                break
        assert 0.05 < time.monotonic() - begin < 1
        assert not opened.met


@both_transports
async def test_it_closes_when_whoever_asks_is_stopped(
    transport: ProbeTransport, unused_tcp_port: int
) -> None:
    """That nothing is left is looked at after every test here."""

    async def ask(wait: asyncio.Event) -> None:
        async with open_(transport, unused_tcp_port):
            wait.set()
            await asyncio.sleep(60)

    opened = asyncio.Event()
    asking = asyncio.create_task(ask(opened))
    await opened.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    own_socket(transport, V4, unused_tcp_port).close()


@both_transports
async def test_it_closes_when_whoever_asks_fails(
    transport: ProbeTransport, unused_tcp_port: int
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_(transport, unused_tcp_port):
            raise ZeroDivisionError
    own_socket(transport, V4, unused_tcp_port).close()


@both_transports
async def test_a_port_that_is_taken_is_said_to_be(
    transport: ProbeTransport, unused_tcp_port: int
) -> None:
    with own_socket(transport, V4, unused_tcp_port), pytest.raises(PortInUse):
        async with open_(transport, unused_tcp_port):
            pytest.fail("it listens")
    with pytest.raises(AddressNotOwn):
        async with open_(transport, unused_tcp_port, IPv4Address("11.22.33.44")):
            pytest.fail("it listens")


@both_transports
async def test_a_flood_does_not_stop_everything(
    transport: ProbeTransport, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is always more to read, so reading never waits, and yet the time runs out."""
    turns = 0

    async def sock_accept(_: socket.socket) -> tuple[socket.socket, tuple[str, int]]:
        nonlocal turns
        turns += 1
        raise ConnectionAbortedError

    async def sock_recvfrom(_: socket.socket, __: int) -> tuple[bytes, tuple[str, int]]:
        nonlocal turns
        turns += 1
        if turns > 1_000_000:  # nothing else had a turn
            raise ConnectionAbortedError
        return b"junk", ("127.0.0.1", 9)

    monkeypatch.setattr(listener_module, "OPEN_FOR", 0.3)
    monkeypatch.setattr(asyncio.get_running_loop(), "sock_accept", sock_accept)
    monkeypatch.setattr(asyncio.get_running_loop(), "sock_recvfrom", sock_recvfrom)
    async with open_(transport, unused_tcp_port):
        await asyncio.sleep(0.4)
        own_socket(transport, V4, unused_tcp_port).close()
    assert 0 < turns < (CONNECTIONS if transport is TCP else 1_000_000)


@fuzz
@given(
    st.binary(min_size=16, max_size=16),
    st.binary(max_size=64) | st.binary(min_size=16, max_size=16),
)
@example(NONCE, NONCE)
@example(NONCE, ANSWER)
def test_only_the_nonce_has_an_answer(nonce: bytes, data: bytes) -> None:
    answer = udp_answer(nonce, data)
    assert (answer is not None) == (data == nonce)
    assert answer is None or (len(answer) == 16 and answer != nonce)
