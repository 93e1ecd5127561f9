"""This machine's network is read in milliseconds, and in part where the kernel tells nothing.

That it is right is tested in the lab, against ip(8).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import errno
from ipaddress import IPv6Address
import socket
import struct
import time

import pytest

from custom_components.homeport.host import read_state, source_address
from custom_components.homeport.host.netlink import Kind

from . import kernel

pytestmark = pytest.mark.usefixtures("asking")

SERVER = IPv6Address("2001:db8::53")

type Answer = Callable[[Kind, int], list[bytes]]
"""From a request's kind and number to the datagrams that answer it."""


async def test_this_machine() -> None:
    state = await read_state((SERVER,))
    assert state.complete
    assert state.name_servers == (SERVER,)
    assert not any(each.ip.is_loopback for each in state.addresses)


async def test_it_is_read_soon() -> None:
    began = time.perf_counter()
    for _ in range(10):
        await read_state()
    milliseconds = (time.perf_counter() - began) * 100
    print(f"\nread_state took {milliseconds:.2f} ms")  # noqa: T201
    assert milliseconds < 10


@asynccontextmanager
async def kernel_that(
    answers: Answer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[list[Kind]]:
    """Put a kernel made by hand in place of the real one. Yields what it was asked."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    theirs.setblocking(False)
    monkeypatch.setattr("custom_components.homeport.host.state.open_netlink", lambda: ours)
    asked: list[Kind] = []

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        while request := await loop.sock_recv(theirs, 65536):
            _, kind, _, sequence, _ = struct.unpack_from("=IHHII", request)
            asked.append(Kind(kind))
            for datagram in answers(Kind(kind), sequence):
                await loop.sock_sendall(theirs, datagram)

    with ours, theirs:
        task = asyncio.create_task(serve())
        yield asked
        async with asyncio.timeout(2):  # it ends when its last caller has closed the socket
            await task


def done(sequence: int, error: int = 0, flags: int = kernel.MULTI) -> bytes:
    return kernel.message(kernel.DONE, struct.pack("=i", -error), flags=flags, sequence=sequence)


def numbered(data: bytes, sequence: int) -> bytes:
    """Return a message as a part of the answer to that request."""
    return data[:6] + struct.pack("=HI", kernel.MULTI, sequence) + data[12:]


def one_address(kind: Kind, sequence: int) -> list[bytes]:
    """Answer as a machine with one interface, one address and no route."""
    told = {
        Kind.GET_LINK: kernel.link(),
        Kind.GET_ADDRESS: kernel.address("2001:db8::7"),
        Kind.GET_NEIGHBOUR: kernel.neighbour("2001:db8::1", bytes([2, 0, 0, 0, 0, 1])),
    }
    if kind is Kind.GET_ROUTE:
        error = struct.pack("=i", -errno.ENETUNREACH)
        return [kernel.message(kernel.ERROR, error, sequence=sequence)]
    return [numbered(told[kind], sequence) + done(sequence)]


async def test_a_whole_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    async with kernel_that(one_address, monkeypatch) as asked:
        state = await read_state()
    assert [(str(a.ip), a.interface) for a in state.addresses] == [("2001:db8::7", "eth0")]
    assert [(str(n.ip), n.mac) for n in state.neighbours] == [("2001:db8::1", "02:00:00:00:00:01")]
    assert (state.ipv4_route, state.ipv6_route, state.complete) == (None, None, True)
    assert len(asked) == 5


async def test_answers_to_others_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(kind: Kind, sequence: int) -> list[bytes]:
        stale = [numbered(kernel.address("2001:db8::bad"), sequence - 1), done(sequence - 1)]
        return [b"", b"junk", *stale, *one_address(kind, sequence)]

    async with kernel_that(answers, monkeypatch):
        state = await read_state()
    assert [str(each.ip) for each in state.addresses] == ["2001:db8::7"]


async def test_an_interrupted_table_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(kind: Kind, sequence: int) -> list[bytes]:
        if kind is Kind.GET_ADDRESS and asked.count(kind) == 1:
            return [done(sequence, flags=kernel.MULTI | kernel.INTERRUPTED)]
        return one_address(kind, sequence)

    async with kernel_that(answers, monkeypatch) as asked:
        state = await read_state()
    assert [str(each.ip) for each in state.addresses] == ["2001:db8::7"]
    assert asked.count(Kind.GET_ADDRESS) == 2


async def test_a_table_that_never_rests_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(kind: Kind, sequence: int) -> list[bytes]:
        if kind is Kind.GET_NEIGHBOUR:
            return [done(sequence, flags=kernel.MULTI | kernel.INTERRUPTED)]
        return one_address(kind, sequence)

    async with kernel_that(answers, monkeypatch) as asked:
        state = await read_state()
    assert state.complete
    assert asked.count(Kind.GET_NEIGHBOUR) == 3


def refusing(kind: Kind, sequence: int) -> list[bytes]:
    """Answer as the kernel of Android does, which does not tell the links."""
    error = struct.pack("=i", -errno.EACCES)
    return [kernel.message(kernel.ERROR, error, sequence=sequence)]


def refusing_late(kind: Kind, sequence: int) -> list[bytes]:
    """Answer as a kernel that does not know neighbours."""
    if kind is Kind.GET_NEIGHBOUR:
        return [done(sequence, errno.EOPNOTSUPP)]
    return one_address(kind, sequence)


@pytest.mark.parametrize("answers", [refusing, refusing_late, lambda *_: []])
async def test_a_kernel_that_does_not_tell(
    answers: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refusal or silence, and then at most a second of it, are no error."""
    began = time.monotonic()
    async with kernel_that(answers, monkeypatch):
        state = await read_state((SERVER,))
    assert time.monotonic() - began < 1.5
    assert not state.complete
    assert state.name_servers == (SERVER,)
    assert state.neighbours == ()


async def test_without_netlink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other systems have no such sockets; the kernel's choice of a source is known everywhere."""

    def missing() -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "no such family")

    monkeypatch.setattr("custom_components.homeport.host.state.open_netlink", missing)
    state = await read_state()
    assert not state.complete
    try:
        source = source_address("198.41.0.4")
    except OSError:
        assert state.ipv4_route is None
    else:
        assert state.ipv4_route
        assert (state.ipv4_route.source, state.ipv4_route.gateway) == (source, None)
        assert source in {each.ip for each in state.addresses}
