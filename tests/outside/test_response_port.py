"""A UDP port is open when a response comes in by it, and closed when only another one does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
import socket
import time

import pytest
import pytest_socket

from custom_components.homeport.outside import response_port, stun, stun_ear
from custom_components.homeport.outside.errors import (
    OtherAddress,
    OutsideInvalid,
    OutsideUnreachable,
)
from custom_components.homeport.outside.own_port import AddressNotOwn, PortInUse, own_socket
from custom_components.homeport.outside.prober import Answer, Outcome, ProbeTransport, Question
from custom_components.homeport.outside.response_port import StunProber
from tests.fakes.stun import Asked, message, success, xored
from tests.fakes.stun_knocking import CHANGE_REQUEST, RESPONSE_PORT, KnockingServer

HOME = IPv4Address("11.22.33.44")
OWN = IPv4Address("127.0.0.1")
OPEN = Answer(Outcome.ACCEPTED, nonce_seen=True)
CLOSED = Answer(Outcome.TIMED_OUT)
EXTERNAL = 40123
QUESTION = Question(ProbeTransport.UDP, HOME, EXTERNAL, source=OWN)


@pytest.fixture(autouse=True)
def _any_loopback(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the plugin has put there comes back after the test.
    monkeypatch.setattr(socket.socket, "connect", socket.socket.connect)
    pytest_socket.socket_allow_hosts(["127.0.0.1", "127.0.0.2"])


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_port, "KNOCKING", 0.3)
    monkeypatch.setattr(stun_ear, "TIMEOUT", 0.3)
    monkeypatch.setattr(stun_ear, "RTO", 0.04)


@pytest.fixture
async def server() -> AsyncIterator[KnockingServer]:
    async with KnockingServer() as started:
        yield started


@pytest.fixture
def inside(server: KnockingServer, unused_udp_port: int) -> int:
    """Return the port at home that the one under test leads to."""
    server.opened[EXTERNAL] = unused_udp_port
    return unused_udp_port


def prober(server: KnockingServer) -> StunProber:
    place = server.places[0]
    return StunProber(stun.StunServer(place.host, place.port), lambda _: True)


async def prove(server: KnockingServer, inside: int, question: Question = QUESTION) -> Answer:
    return await prober(server).prove(question, inside)


def test_what_it_says_of_itself() -> None:
    asked = StunProber(stun.StunServer("stun.example.org"), lambda _: True)
    assert (asked.kind, asked.key) == ("stun", "stun.example.org:3478")
    assert asked.abilities.can(QUESTION)
    assert asked.abilities.can(replace(QUESTION, address=IPv6Address("2600::1")))
    assert not asked.abilities.can(replace(QUESTION, transport=ProbeTransport.TCP))
    assert asked.abilities.own_address_only
    assert not asked.abilities.public


async def test_a_port_that_leads_here_is_open(server: KnockingServer, inside: int) -> None:
    assert await prove(server, inside) == OPEN


async def test_a_port_that_leads_nowhere_is_closed(server: KnockingServer, inside: int) -> None:
    server.closed.add(EXTERNAL)
    assert await prove(server, inside) == CLOSED


async def test_a_port_that_leads_to_another_port_is_closed(
    server: KnockingServer, inside: int
) -> None:
    server.opened[EXTERNAL] = inside - 1 if inside > 1024 else inside + 1
    assert await prove(server, inside) == CLOSED


async def test_every_knock_comes_from_where_we_have_not_spoken_to(
    server: KnockingServer, inside: int
) -> None:
    """Otherwise what a NAT keeps of our own packets would let it in."""
    await prove(server, inside)
    asked, other = server.places
    assert {host for host, _ in server.knocks} == {other.host}
    asking = {each.port for each in asked.requests}
    control = {each.port for each in other.requests}
    assert len(asking) == len(control) == 1
    assert asking.isdisjoint(control)
    assert (asking | control).isdisjoint({inside, EXTERNAL})
    # The one of these two that speaks to the other place is not the one that the knock is at.
    assert [port for _, port in server.knocks[:2]] == [EXTERNAL, *control]


async def test_the_sockets_avoid_the_port_under_test(
    server: KnockingServer, inside: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind, given = socket.socket.bind, 0

    def bind_to_it(sock: socket.socket, address: tuple[str, int]) -> None:
        nonlocal given
        if address[1] == 0:
            given += 1
            # The kernel's choice for every first one is the very port.
            address = (address[0], EXTERNAL if given % 2 else 0)
        bind(sock, address)

    monkeypatch.setattr(socket.socket, "bind", bind_to_it)
    assert await prove(server, inside) == OPEN
    assert given == 4
    assert EXTERNAL not in {each.port for place in server.places for each in place.requests}


@pytest.mark.parametrize("lost", [1, 2])
async def test_what_is_lost_is_sent_again(server: KnockingServer, inside: int, lost: int) -> None:
    for place in server.places:
        place.lose = lost
    server.lose_knocks = 2 * lost
    assert await prove(server, inside) == OPEN
    [first, *again] = [each for each in server.places[0].requests if len(each.data) > 20]
    assert first in again


# What cannot do it, or does it otherwise. In no case is the port called open, nor closed.


@pytest.mark.parametrize("attribute", [CHANGE_REQUEST, RESPONSE_PORT])
async def test_a_server_that_refuses_is_no_prober(
    server: KnockingServer, inside: int, attribute: int
) -> None:
    server.unknown.add(attribute)
    begin = time.monotonic()
    with pytest.raises(OutsideInvalid, match="420"):
        await prove(server, inside)
    assert time.monotonic() - begin < 0.2


@pytest.mark.parametrize(
    "ignored",
    [{RESPONSE_PORT}, {CHANGE_REQUEST}, {RESPONSE_PORT, CHANGE_REQUEST}],
    ids=["the port", "the change", "both"],
)
@pytest.mark.parametrize("closed", [set[int](), {EXTERNAL}], ids=["open", "closed"])
async def test_a_server_that_ignores_what_it_is_asked_is_no_prober(
    server: KnockingServer, inside: int, ignored: set[int], closed: set[int]
) -> None:
    server.ignored, server.closed = ignored, closed
    with pytest.raises(OutsideInvalid):
        await prove(server, inside)


async def test_a_server_with_one_address_is_not_asked_to_knock(
    server: KnockingServer, inside: int
) -> None:
    server.is_alone = True
    with pytest.raises(OutsideInvalid, match="without another address"):
        await prove(server, inside)
    assert server.knocks == []


@pytest.mark.parametrize("which", ["address", "port", "family"])
async def test_another_address_that_is_none_is_seen_through(
    server: KnockingServer, inside: int, which: str
) -> None:
    asked, other = server.places
    server.says_other = {
        "address": (asked.host, other.port),
        "port": (other.host, asked.port),
        "family": ("2600::1", other.port),
    }[which]
    with pytest.raises(OutsideInvalid):
        await prove(server, inside)
    assert server.knocks == []


@pytest.mark.parametrize("place", [0, 1])
async def test_a_server_within_the_home_is_no_prober(
    server: KnockingServer, inside: int, place: int
) -> None:
    at_home = IPv4Address(server.places[place].host)
    asked = server.places[0]
    stun_server = stun.StunServer(asked.host, asked.port)
    with pytest.raises(OutsideInvalid, match="not outside"):
        await StunProber(stun_server, lambda each: each != at_home).prove(QUESTION, inside)
    assert server.knocks == []


async def test_who_is_seen_at_another_address_lets_nobody_knock(
    server: KnockingServer, inside: int
) -> None:
    """At that address it would be somebody else's port."""
    server.address = "11.22.33.45"
    with pytest.raises(OtherAddress):
        await prove(server, inside)
    assert server.knocks == []


async def test_who_has_many_addresses_lets_nobody_knock(
    server: KnockingServer, inside: int
) -> None:
    """As behind a provider's NAT with a pool: the second socket is seen at another one."""
    server.address_at_other = "11.22.33.45"
    with pytest.raises(OtherAddress):
        await prove(server, inside)
    assert server.knocks == []


async def test_a_knock_that_names_another_address_is_no_proof(
    server: KnockingServer, inside: int
) -> None:
    server.address_in_knocks = "11.22.33.45"
    with pytest.raises(OtherAddress):
        await prove(server, inside)


async def test_a_server_that_is_down_is_unreachable(server: KnockingServer, inside: int) -> None:
    server.places[0].down = True
    with pytest.raises(OutsideUnreachable):
        await prove(server, inside)
    server.places[0].down, server.places[1].down = False, True
    with pytest.raises(OutsideUnreachable):
        await prove(server, inside)
    assert server.knocks == []


async def test_a_closed_port_of_the_server_is_unreachable_at_once(
    inside: int, unused_udp_port_factory: object
) -> None:
    assert callable(unused_udp_port_factory)
    nobody = StunProber(stun.StunServer("127.0.0.1", unused_udp_port_factory()), lambda _: True)
    begin = time.monotonic()
    with pytest.raises(OutsideUnreachable):
        await nobody.prove(QUESTION, inside)
    assert time.monotonic() - begin < 0.2


async def test_a_name_that_is_none_is_unreachable(inside: int) -> None:
    nobody = StunProber(stun.StunServer("2600::1"), lambda _: True)
    with pytest.raises(OutsideUnreachable):
        await nobody.prove(QUESTION, inside)


async def test_a_port_that_is_taken_is_said_before_anybody_is_asked(
    server: KnockingServer, inside: int
) -> None:
    with own_socket(ProbeTransport.UDP, OWN, inside), pytest.raises(PortInUse):
        await prove(server, inside)
    with pytest.raises(AddressNotOwn):
        await prove(server, inside, replace(QUESTION, source=HOME))
    assert server.places[0].requests == []


@pytest.mark.parametrize(
    "question",
    [
        replace(QUESTION, source=None),
        replace(QUESTION, transport=ProbeTransport.TCP),
        replace(QUESTION, source=IPv6Address("2600::1")),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    server: KnockingServer, inside: int, question: Question
) -> None:
    with pytest.raises(ValueError):
        await prove(server, inside, question)


async def test_the_port_is_free_again_at_once(server: KnockingServer, inside: int) -> None:
    for closed in (set[int](), {EXTERNAL}, set[int]()):
        server.closed = closed
        assert await prove(server, inside) == (CLOSED if closed else OPEN)
        own_socket(ProbeTransport.UDP, OWN, inside).close()


async def test_giving_up_early_leaves_nothing(server: KnockingServer, inside: int) -> None:
    """That nothing is left is looked at after every test here."""
    server.closed.add(EXTERNAL)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await prove(server, inside)
    own_socket(ProbeTransport.UDP, OWN, inside).close()


async def test_all_of_it_is_over_in_time(
    server: KnockingServer, inside: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_port, "WITHIN", 0.2)
    monkeypatch.setattr(response_port, "KNOCKING", 60)
    server.closed.add(EXTERNAL)
    with pytest.raises(OutsideUnreachable):
        await prove(server, inside)


# Whoever else sends something to the port under test.


async def test_what_others_send_to_the_port_is_no_proof(
    server: KnockingServer, inside: int
) -> None:
    server.closed.add(EXTERNAL)
    place = server.places[1]
    junk = (b"", b"junk", bytes(20), success(bytes(20), HOME, 1), b"\0" * 60000)

    def send_junk(_: bytes) -> None:
        for data in junk:
            place.send(data, Asked("127.0.0.1", inside, b""))

    server.on_knock = send_junk
    assert await prove(server, inside) == CLOSED


async def test_a_response_from_elsewhere_is_no_proof(server: KnockingServer, inside: int) -> None:
    """Such as one from where we have spoken to, which a NAT lets in."""
    server.closed.add(EXTERNAL)

    def send_it(transaction_id: bytes) -> None:
        said = [(0x0020, xored(HOME, 1, transaction_id))]
        data = message(b"\1\1", transaction_id, said)
        server.places[0].send(data, Asked("127.0.0.1", inside, b""))

    server.on_knock = send_it
    with pytest.raises(OutsideInvalid, match="other address"):
        await prove(server, inside)


async def test_a_response_without_an_answer_is_no_proof(
    server: KnockingServer, inside: int
) -> None:
    server.closed.add(EXTERNAL)

    def send_it(transaction_id: bytes) -> None:
        place = server.places[1]
        place.send(message(b"\1\1", transaction_id, []), Asked("127.0.0.1", inside, b""))

    server.on_knock = send_it
    with pytest.raises(OutsideInvalid):
        await prove(server, inside)
