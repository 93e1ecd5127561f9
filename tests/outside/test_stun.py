"""STUN servers are asked within their time, and only they are believed."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address
import itertools
import socket
import time

import pytest
import pytest_socket

from custom_components.homeport.outside import (
    Binding,
    OutsideError,
    OutsideInvalid,
    OutsideUnreachable,
    Sampled,
    StunServer,
    binding,
    parse_server,
    sample,
    stun,
)
from tests.fakes.stun import StunServer as FakeServer, success

V4 = IPv4Address("11.22.33.44")
V6 = IPv6Address("2a00:77:77:1::10")


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with FakeServer() as started:
        started.address = str(V4)
        yield started


@pytest.fixture
async def second() -> AsyncIterator[FakeServer]:
    async with FakeServer() as started:
        started.address = str(V4)
        yield started


@pytest.fixture
async def server6(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeServer]:
    # The plugin lets connect to 127.0.0.1 only; what it has put there comes back after the test.
    monkeypatch.setattr(socket.socket, "connect", socket.socket.connect)
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"])
    async with FakeServer(host="::1") as started:
        started.address = str(V6)
        yield started


def at(server: FakeServer) -> StunServer:
    return StunServer(server.host, server.port)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("stun.example.org", "stun.example.org", 3478),
        ("stun.example.org:19302", "stun.example.org", 19302),
        ("localhost:1", "localhost", 1),
        ("under_score-1.example:65535", "under_score-1.example", 65535),
        ("11.22.33.44", "11.22.33.44", 3478),
        ("11.22.33.44:80", "11.22.33.44", 80),
        ("[2a00:77::1]:80", "2a00:77::1", 80),
        ("[2a00:77::1]", "2a00:77::1", 3478),
        ("2a00:77::1", "2a00:77::1", 3478),
    ],
)
def test_a_server_is_written_so(text: str, host: str, port: int) -> None:
    server = parse_server(text)
    assert server == StunServer(host, port)
    assert parse_server(str(server)) == server


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ":", ":3478", "host:", "host:0", "host:65536", "host:-1", "host:+1", "host: 1"),
        *("host:1e3", "host:\u0661", "host:000080", "host:http", "stun:host", "stun:host:3478"),
        *("ho st", "host/path", "http://host", "user@host", "h\u00f6st", "host\n", "a..b", ".a"),
        *("-host", "a" * 64, "a." * 127 + "a", "1.2", "1.2.3.256", "0x7f.1.1.1.1", "1.2.3.4.5"),
        *("[", "[]", "[]:80", "[2a00:77::1", "[2a00:77::1]80", "[2a00:77::1]:", "[11.22.33.44]"),
        *("[host]:80", "2a00:77::1]:80", "2a00::77::1", "fe80::1%eth0", "[fe80::1%eth0]:80"),
    ],
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_server(text)


async def test_the_answer_is_handed_on(server: FakeServer) -> None:
    server.map_port = lambda _: 40000
    bound = await binding(at(server), 4)
    [asked] = server.requests
    assert bound == Binding(asked.port, V4, 40000, at(server))


async def test_the_question_leaves_from_the_port_that_is_wanted(
    server: FakeServer, unused_udp_port: int
) -> None:
    bound = await binding(at(server), 4, local_port=unused_udp_port)
    assert (bound.local_port, bound.port) == (unused_udp_port, unused_udp_port)
    assert [asked.port for asked in server.requests] == [unused_udp_port]


async def test_a_port_that_is_taken_is_an_error_of_the_outside(server: FakeServer) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("", 0))
        with pytest.raises(OutsideUnreachable):
            await binding(at(server), 4, local_port=taken.getsockname()[1])
    assert server.requests == []


async def test_over_ipv6_as_well(server6: FakeServer) -> None:
    assert (await binding(at(server6), 6)).address == V6
    with pytest.raises(OutsideUnreachable):
        await binding(at(server6), 4)
    server6.address = str(V4)
    with pytest.raises(OutsideInvalid):
        await binding(at(server6), 6)


async def test_a_name_is_looked_up_for_the_family_only(server: FakeServer) -> None:
    assert (await binding(StunServer("localhost", server.port), 4)).address == V4
    with pytest.raises(OutsideError):
        await binding(StunServer("127.0.0.1", server.port), 6)
    assert len(server.requests) == 1


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_what_is_lost_is_sent_again(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    monkeypatch.setattr(stun, "RTO", 0.02)
    server.lose = lost
    assert (await binding(at(server), 4)).address == V4
    # The same request, so that a late answer counts, from the same port.
    assert len(server.requests) == lost + 1
    assert len(set(server.requests)) == 1


async def test_silence_is_unreachable_in_time(server: FakeServer) -> None:
    server.down = True
    begin = time.monotonic()
    with pytest.raises(OutsideUnreachable) as caught:
        await binding(at(server), 4)
    assert 2.4 < time.monotonic() - begin < 3
    assert caught.value.translation_key == "outside_unreachable"
    assert len(server.requests) == 4


async def test_a_closed_port_is_unreachable_at_once(unused_udp_port: int) -> None:
    begin = time.monotonic()
    with pytest.raises(OutsideUnreachable):
        await binding(StunServer("127.0.0.1", unused_udp_port), 4)
    assert time.monotonic() - begin < 0.2


@pytest.mark.parametrize(
    "address", ["192.168.1.2", "127.0.0.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", str(V6)]
)
async def test_an_address_that_is_not_of_the_internet_is_refused(
    server: FakeServer, address: str
) -> None:
    server.address = address
    with pytest.raises(OutsideInvalid) as caught:
        await binding(at(server), 4)
    assert caught.value.translation_key == "outside_invalid"


async def test_an_error_ends_it(server: FakeServer) -> None:
    server.reply = lambda request: (
        bytes.fromhex("01110008") + request[4:20] + bytes.fromhex("000900040000042c")
    )
    with pytest.raises(OutsideInvalid, match="444"):
        await binding(at(server), 4)


async def test_whoever_was_not_asked_is_not_believed(server: FakeServer) -> None:
    """Not even with the right answer, which is sent from another port before the server's."""
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))

        def reply(request: bytes) -> bytes:
            caller = ("127.0.0.1", server.requests[-1].port)
            other.sendto(success(request, IPv4Address("11.22.33.99"), 1), caller)
            return success(request, V4, 40000)

        server.reply = reply
        assert (await binding(at(server), 4)).address == V4


async def test_what_answers_another_request_is_not_heard(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stun, "RTO", 0.02)
    answers = itertools.chain((b"", b"junk", b"\0" * 65000, bytes(20)), itertools.repeat(None))

    def reply(request: bytes) -> bytes:
        wrong = next(answers)
        return success(request, V4, 40000) if wrong is None else wrong

    server.reply = reply
    assert (await binding(at(server), 4)).address == V4
    assert len(server.requests) == 5


async def test_a_flood_does_not_stop_everything(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is always more to read, so reading never waits, and yet the time runs out."""
    read = 0

    async def sock_recv(sock: socket.socket, size: int) -> bytes:
        nonlocal read
        read += 1
        if read > 1_000_000:
            pytest.fail("nothing else had a turn")
        return b"junk"

    monkeypatch.setattr(stun, "TIMEOUT", 0.3)
    monkeypatch.setattr(asyncio.get_running_loop(), "sock_recv", sock_recv)
    with pytest.raises(OutsideUnreachable):
        await binding(at(server), 4)


async def test_giving_up_early_leaves_nothing(server: FakeServer) -> None:
    """That nothing is left is looked at after every test here."""
    server.down = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await binding(at(server), 4)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await sample([at(server)], 4)


def blocks(ports: list[int]) -> set[int]:
    return {port // 4096 for port in ports}


@pytest.mark.parametrize("start", range(0, 65536, 1111))
def test_local_ports_are_spread(start: int) -> None:
    ports = list(itertools.islice(stun.spread_ports(start), 32))
    assert all(1024 <= port < 65536 for port in ports)
    assert len(set(ports)) == len(ports)
    for first in range(16):
        assert len(blocks(ports[first : first + 16])) == 16
    # A NAT that keeps the ports must not look as if it had a port set, whatever its form (offset
    # and PSID bits of RFC 7597 section 5.1).
    for offset, psid in itertools.product(range(9), range(1, 8)):
        psids = {port >> 16 - offset - psid & (1 << psid) - 1 for port in ports[:12]}
        assert len(psids) > min(1 << psid, 12) / 2
    for offset, psid in ((4, 8), (6, 6)):
        psids = {port >> 16 - offset - psid & (1 << psid) - 1 for port in ports[:12]}
        assert len(psids) >= 11


async def test_a_sample_asks_one_server_many_times_and_the_others_once(
    server: FakeServer, second: FakeServer
) -> None:
    server.map_port = second.map_port = lambda port: port ^ 1
    sampled = await sample([at(server), at(second)], 4)
    assert (sampled.address, sampled.answered, sampled.contradicting) == (V4, True, False)
    asked = [each.port for each in (*server.requests, *second.requests)]
    assert sorted((len(server.requests), len(second.requests))) == [1, 12]
    assert sampled.ports == tuple((port, port ^ 1) for port in sorted(asked))
    assert len(blocks(asked)) == 13


async def test_no_two_samples_use_the_same_ports(server: FakeServer) -> None:
    first, another = [await sample([at(server)], 4) for _ in range(2)]
    assert len(first.ports) == len(another.ports) == 12
    assert first.ports != another.ports


async def test_the_server_that_answers_is_the_one_that_is_asked_on(
    server: FakeServer,
    second: FakeServer,
    unused_udp_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stun, "TIMEOUT", 0.4)
    server.down = True
    servers = [StunServer("127.0.0.1", unused_udp_port), at(server), at(second)]
    sampled = await sample(servers, 4, 20)
    assert (sampled.address, len(sampled.ports), len(second.requests)) == (V4, 20, 20)


async def test_servers_that_contradict_each_other_give_no_address(
    server: FakeServer, second: FakeServer
) -> None:
    second.address = "11.22.33.45"
    assert await sample([at(server), at(second)], 4) == Sampled(None, True, (), contradicting=True)


async def test_a_nat_with_an_address_for_each_port_gives_none(server: FakeServer) -> None:
    server.reply = lambda request: success(
        request, V4 + len(server.requests) % 2, server.requests[-1].port
    )
    assert await sample([at(server)], 4) == Sampled(None, True, (), contradicting=True)


async def test_a_port_that_is_taken_is_passed_over(server: FakeServer) -> None:
    wanted = next(stun.spread_ports(20000))
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("", wanted))
        sampled = await sample([at(server)], 4, 1, start=20000)
    assert len(sampled.ports) == 1
    assert wanted < sampled.ports[0][0] < wanted + 16


async def test_a_sample_over_ipv6(server6: FakeServer) -> None:
    sampled = await sample([at(server6)], 6)
    assert (sampled.address, len(sampled.ports)) == (V6, 12)


async def test_a_sample_without_an_answer_is_empty(
    server: FakeServer,
    second: FakeServer,
    unused_udp_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stun, "TIMEOUT", 0.4)
    nothing = Sampled(None, False, (), contradicting=False)
    assert await sample([], 4) == nothing
    assert await sample([StunServer("127.0.0.1", unused_udp_port)], 4) == nothing
    server.down = True
    second.address = "10.0.0.1"
    assert await sample([at(server), at(second)], 4) == nothing


async def test_a_sample_ends_in_time_with_what_there_is(
    server: FakeServer, second: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stun, "SAMPLE_TIMEOUT", 0.3)
    server.down = True
    begin = time.monotonic()
    sampled = await sample([at(server), at(second)], 4)
    assert time.monotonic() - begin < 0.6
    assert (sampled.address, len(sampled.ports)) == (V4, 12)
