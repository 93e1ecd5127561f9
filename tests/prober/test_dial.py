"""What a knock meets, at real sockets."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
import errno
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
import socket

import pytest

from custom_components.homeport.outside.listener import listen
from custom_components.homeport.outside.prober import ProbeTransport
from prober import dial as dialling
from prober.dial import Met, Outcome, _outcome, dial
from prober.question import Transport
from prober.refused import Refused

HERE = ip_address("127.0.0.1")
HERE6 = ip_address("::1")
NONCE = bytes(range(16))
ACCEPTED, PROVED = Met(Outcome.ACCEPTED), Met(Outcome.ACCEPTED, nonce=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only as long as a test on one machine needs."""
    monkeypatch.setattr(dialling, "SECONDS", 0.5)
    monkeypatch.setattr(dialling, "READ_SECONDS", 0.3)
    monkeypatch.setattr(dialling, "_UDP_WAITS", (0.1, 0.1, 0.1, 0.1))


@contextmanager
def tcp(host: str = "127.0.0.1", backlog: int = 8) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family, backlog=backlog) as sock:
        sock.settimeout(2)
        yield sock


@contextmanager
def udp(answer: Callable[[bytes], list[bytes]] | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Have a socket that answers each datagram so; gives its port, and what has come."""
    loop, came = asyncio.get_running_loop(), list[bytes]()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)

        def read() -> None:
            data, peer = sock.recvfrom(2048)
            came.append(data)
            for each in answer(data) if answer else []:
                sock.sendto(each, peer)

        loop.add_reader(sock, read)
        yield sock.getsockname()[1], came
        loop.remove_reader(sock)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("transport", Transport)
async def test_our_listener_is_known_by_its_nonce(
    host: str, transport: Transport, unused_tcp_port: int
) -> None:
    """Both ends of the project's own talk to each other."""
    over, address = ProbeTransport(transport.value.upper()), ip_address(host)
    async with listen(over, address, unused_tcp_port, lambda _: True, NONCE) as listener:
        assert await dial(transport, address, unused_tcp_port, NONCE) == PROVED
        assert await dial(transport, address, unused_tcp_port, b"x" * 16) != PROVED
        assert listener.met == {address}


@pytest.mark.parametrize("nonce", [None, NONCE])
async def test_a_service_that_says_nothing_has_accepted(nonce: bytes | None) -> None:
    with tcp() as sock:
        assert await dial(Transport.TCP, HERE, sock.getsockname()[1], nonce) == ACCEPTED
        connection, _ = sock.accept()
        with connection:
            assert connection.recv(100) == b""  # nothing is sent to it


@pytest.mark.parametrize("said", [b"", NONCE[:15], NONCE[::-1], b"\0" + NONCE, b"ready\r\n" * 9])
async def test_what_another_service_says_is_no_nonce(said: bytes) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await dial(Transport.TCP, HERE, port, NONCE) == ACCEPTED


async def test_a_nonce_may_come_in_pieces() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in NONCE:
            writer.write(bytes([each]))
            await asyncio.sleep(0.005)
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await dial(Transport.TCP, HERE, port, NONCE) == PROVED


async def test_a_service_that_resets_has_accepted() -> None:
    async def abort(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with await asyncio.start_server(abort, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await dial(Transport.TCP, HERE, port, NONCE) == ACCEPTED


@pytest.mark.parametrize("address", [HERE, HERE6])
@pytest.mark.parametrize("transport", Transport)
async def test_nobody_there_refuses(
    address: object, transport: Transport, unused_tcp_port: int
) -> None:
    assert await dial(transport, address, unused_tcp_port) == Met(Outcome.REFUSED)


async def test_a_connection_that_nobody_answers_times_out() -> None:
    with tcp(backlog=0) as sock, ExitStack() as stack:
        port = sock.getsockname()[1]
        for _ in range(4):  # as many as wait to be accepted: the kernel takes no more
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        assert await dial(Transport.TCP, HERE, port) == Met(Outcome.TIMED_OUT)


async def test_a_silent_datagram_service_times_out_after_four_tries() -> None:
    with udp() as (port, came):
        assert await dial(Transport.UDP, HERE, port, NONCE) == Met(Outcome.TIMED_OUT)
        assert came == [NONCE] * 4


async def test_a_random_datagram_stands_in_for_a_nonce() -> None:
    with udp() as (port, came):
        assert await dial(Transport.UDP, HERE, port) == Met(Outcome.TIMED_OUT)
        assert await dial(Transport.UDP, HERE, port) == Met(Outcome.TIMED_OUT)
    assert [len(each) for each in came] == [16] * 8
    assert len(set(came)) == 2


@pytest.mark.parametrize(
    ("answer", "met"),
    [
        (lambda data: [sha256(data).digest()[:16]], PROVED),
        (lambda data: [data], ACCEPTED),  # a mirror, such as an echo service
        (lambda _: [b""], ACCEPTED),
        (lambda _: [b"x" * 1400], ACCEPTED),
        (lambda data: [sha256(data).digest()], ACCEPTED),
    ],
)
async def test_a_datagram_back_is_accepted_and_only_the_right_one_proves(
    answer: Callable[[bytes], list[bytes]], met: Met
) -> None:
    with udp(answer) as (port, _):
        assert await dial(Transport.UDP, HERE, port, NONCE) == met
        assert await dial(Transport.UDP, HERE, port) == ACCEPTED


async def test_a_lost_datagram_is_sent_again() -> None:
    seen: list[bytes] = []

    def second(data: bytes) -> list[bytes]:
        seen.append(data)
        return [] if len(seen) < 3 else [sha256(data).digest()[:16]]

    with udp(second) as (port, _):
        assert await dial(Transport.UDP, HERE, port, NONCE) == PROVED


async def test_strangers_datagrams_are_not_heard() -> None:
    """An answer from another port than the one under test proves nothing of that one."""
    with udp() as (port, came), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        knocking = asyncio.create_task(dial(Transport.UDP, HERE, port, NONCE))
        while not came:
            await asyncio.sleep(0.01)
        for candidate in _udp_ports_to(port):
            stranger.sendto(sha256(NONCE).digest()[:16], ("127.0.0.1", candidate))
        assert await knocking == Met(Outcome.TIMED_OUT)


def _udp_ports_to(port: int) -> list[int]:
    """Return the local ports of the datagram sockets that are connected to a port (proc(5))."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    found = [int(row[1].split(":")[1], 16) for row in rows if row[2].endswith(f":{port:04X}")]
    assert found
    return found


async def test_each_knock_comes_from_another_port() -> None:
    ports: set[int] = set()
    with tcp() as sock:
        for _ in range(5):
            await dial(Transport.TCP, HERE, sock.getsockname()[1])
            connection, peer = sock.accept()
            connection.close()
            ports.add(peer[1])
    assert len(ports) == 5


async def test_a_knock_that_is_given_up_leaves_nothing() -> None:
    """The fixture sees to it."""
    with udp() as (port, came):
        knocking = asyncio.create_task(dial(Transport.UDP, HERE, port))
        while not came:
            await asyncio.sleep(0.01)
        knocking.cancel()
        await asyncio.wait([knocking])
        assert knocking.cancelled()


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        (errno.ECONNREFUSED, Outcome.REFUSED),
        (errno.ETIMEDOUT, Outcome.TIMED_OUT),
        (errno.EHOSTUNREACH, Outcome.UNREACHABLE),
        (errno.ENETUNREACH, Outcome.UNREACHABLE),
        (errno.EACCES, Outcome.UNREACHABLE),
        (errno.ENOPROTOOPT, Outcome.UNREACHABLE),
    ],
)
def test_errors_of_the_other_side(number: int, outcome: Outcome) -> None:
    assert _outcome(OSError(number, "")) is outcome


@pytest.mark.parametrize("number", [errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENOBUFS, errno.EPERM])
def test_errors_of_this_side_say_nothing_of_the_other(number: int) -> None:
    with pytest.raises(Refused, match="cannot_dial"):
        _outcome(OSError(number, ""))


async def test_without_a_way_out_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "")

    class Cut(socket.socket):
        connect = nowhere

    monkeypatch.setattr(dialling.socket, "socket", Cut)
    with pytest.raises(Refused, match="no_route"):
        await dial(Transport.TCP, HERE, 1)
