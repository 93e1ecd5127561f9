"""A real STUN server knocks at UDP ports: what is closed is never called open, whoever asks how."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_network
import itertools
import socket
import time

import pytest

from custom_components.homeport.outside.errors import OtherAddress, OutsideInvalid
from custom_components.homeport.outside.from_outside import outside_of
from custom_components.homeport.outside.own_port import PortInUse
from custom_components.homeport.outside.prober import Answer, Outcome, ProbeTransport, Question
from custom_components.homeport.outside.response_port import StunProber
from custom_components.homeport.outside.stun import StunServer
from custom_components.homeport.outside.stun_message import encode_request

from .access_line import within
from .build import Lab
from .coturn import Coturn
from .fixtures import MakeLab
from .home import LAN, LAN6, MINIUPNPD, NET, NET6, SRV, WAN, home
from .host import Host

SECOND, SECOND6 = "11.22.33.3", "2a00:77:77:ff::3"
HOME_SERVER, HOME_SECOND = "2a00:77:77:1::30", "2a00:77:77:1::31"
INSIDE = 40001
"""A port at home that is no external one."""
OPEN = Answer(Outcome.ACCEPTED, nonce_seen=True)
CLOSED = Answer(Outcome.TIMED_OUT)

is_outside = outside_of(ip_network(each) for each in (f"{WAN}/32", "2a00:77:77:1::/64"))

_ports = itertools.count(40100)


@pytest.fixture
def port() -> int:
    """Return an external port that no test had before: the router remembers flows for a while."""
    return next(_ports)


def question(port: int) -> Question:
    return Question(ProbeTransport.UDP, IPv4Address(WAN), port, source=IPv4Address(LAN))


def question6(port: int) -> Question:
    return Question(ProbeTransport.UDP, IPv6Address(LAN6), port, source=IPv6Address(LAN6))


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab) -> Iterator[Lab]:
    built = make_lab(home(MINIUPNPD))
    for address in (f"{SECOND}/24", f"{SECOND6}/64"):
        built["net"].run("ip", "address", "add", address, "dev", "eth0")
    servers = [
        Coturn(namespace="net", label="ipv4", addresses=(NET, SECOND)),
        Coturn(namespace="net", label="ipv6", addresses=(NET6, SECOND6)),
        Coturn(namespace="net", label="alone", addresses=(NET,), port=3500),
    ]
    built.start(*servers)
    yield built
    for server in servers:
        built.stop(server)


@contextmanager
def mapping(lab: Lab, port: int, inside: int = INSIDE, host: str = LAN) -> Iterator[None]:
    """Map the port as any other program would."""
    client = ("upnpc", "-u", MINIUPNPD.location)
    lab["lan"].run(*client, "-a", host, str(inside), str(port), "UDP")
    try:
        yield
    finally:
        lab["lan"].run(*client, "-d", str(port), "UDP")


@contextmanager
def rule(lab: Lab, text: str) -> Iterator[None]:
    """Give the router's forward chain a rule before all others."""
    router, chain = lab["rtr"], ("inet", "filter", "forward")
    router.run("nft", "insert", "rule", *chain, *text.split(), "comment", "first")
    try:
        yield
    finally:
        shown = router.run("nft", "-a", "list", "chain", *chain)
        [handle] = [line.split()[-1] for line in shown.splitlines() if '"first"' in line]
        router.run("nft", "delete", "rule", *chain, "handle", handle)


async def at_home[T](lab: Lab, doing: Coroutine[None, None, T], host: str = "lan") -> T:
    """Do something as a machine at home, beside what the other machines do meanwhile."""
    return await asyncio.to_thread(within, lab[host], doing)


def prober(address: str = NET, port: int = 3478) -> StunProber:
    return StunProber(StunServer(address, port), is_outside)


async def prove(lab: Lab, asked: Question, inside: int = INSIDE) -> Answer:
    server = NET if asked.address.version == 4 else NET6
    return await at_home(lab, prober(server).prove(asked, inside))


async def test_a_mapped_port_is_open(lab: Lab, port: int) -> None:
    with mapping(lab, port):
        begin = time.monotonic()
        assert await prove(lab, question(port)) == OPEN
        assert time.monotonic() - begin < 1
        assert await prove(lab, question(port), INSIDE + 1) == CLOSED
    assert await prove(lab, question(port)) == CLOSED


async def test_the_same_port_inside_and_outside(lab: Lab, port: int) -> None:
    begin = time.monotonic()
    assert await prove(lab, question(port), port) == CLOSED
    assert 2.9 < time.monotonic() - begin < 4
    with mapping(lab, port, port):
        assert await prove(lab, question(port), port) == OPEN


async def test_a_port_that_leads_to_another_host_is_closed(lab: Lab, port: int) -> None:
    with mapping(lab, port, host=SRV):
        assert await prove(lab, question(port)) == CLOSED


async def test_two_ports_that_lead_to_the_same_are_both_open(lab: Lab, port: int) -> None:
    """The router changes the second knock's source port, to tell the flows apart."""
    with mapping(lab, port), mapping(lab, another := next(_ports)):
        assert await prove(lab, question(port)) == OPEN
        assert await prove(lab, question(another)) == OPEN


async def test_an_entry_without_its_filter_entry_is_closed(lab: Lab, port: int) -> None:
    """The mapping reads back well, and nothing arrives."""
    with mapping(lab, port), rule(lab, f"iifname wan0 udp dport {INSIDE} drop"):
        assert await prove(lab, question(port)) == CLOSED


async def test_over_ipv6_the_firewall_decides(lab: Lab, port: int) -> None:
    with rule(lab, f"iifname wan0 ip6 daddr {LAN6} udp dport {port} accept"):
        assert await prove(lab, question6(port), port) == OPEN
        assert await prove(lab, question6(port + 1), port + 1) == CLOSED
    assert await prove(lab, question6(port), port) == CLOSED
    with rule(lab, "meta nfproto ipv6 iifname wan0 accept"):
        assert await prove(lab, question6(port), port) == OPEN


async def test_a_server_with_one_address_is_no_prober(lab: Lab, port: int) -> None:
    with mapping(lab, port), pytest.raises(OutsideInvalid):
        await at_home(lab, prober(port=3500).prove(question(port), INSIDE))


async def test_a_server_at_home_is_no_prober(lab: Lab, port: int) -> None:
    """Its knock comes in by no opening at all: without the check it would be a false green."""
    srv, at = lab["srv"], (HOME_SERVER, HOME_SECOND)
    for address in at:
        srv.run("ip", "address", "add", f"{address}/64", "dev", "eth0")
    server = Coturn(namespace="srv", label="home", addresses=at)
    lab.start(server)
    try:
        with pytest.raises(OutsideInvalid, match="not outside"):
            await at_home(lab, prober(HOME_SERVER).prove(question6(port), port))
        anywhere = StunProber(StunServer(HOME_SERVER), lambda _: True)
        assert await at_home(lab, anywhere.prove(question6(port), port)) == OPEN
    finally:
        lab.stop(server)
        for address in at:
            srv.run("ip", "address", "del", f"{address}/64", "dev", "eth0")


async def test_another_public_address_is_not_knocked_at(lab: Lab, port: int) -> None:
    """As on a line with two exits, or from somebody's temporary IPv6 address."""
    asked = replace(question(port), address=IPv4Address("11.22.33.9"))
    with mapping(lab, port), pytest.raises(OtherAddress):
        await prove(lab, asked)
    temporary = f"{LAN6.rpartition(':')[0]}:abcd"
    lab["lan"].run("ip", "address", "add", f"{temporary}/64", "dev", "eth0")
    try:
        with pytest.raises(OtherAddress):
            await prove(lab, replace(question6(port), source=IPv6Address(temporary)), port)
    finally:
        lab["lan"].run("ip", "address", "del", f"{temporary}/64", "dev", "eth0")


async def test_a_port_that_a_service_has_is_left_alone(lab: Lab, port: int) -> None:
    with lab["lan"].new_socket(kind=socket.SOCK_DGRAM) as service:
        service.bind(("", INSIDE))
        with pytest.raises(PortInUse):
            await prove(lab, question(port))


# What would be wrong about asking otherwise.

WAYS = [(True, False), (True, True), (False, False), (False, True)]
"""From the socket that listens, or from another one; and with CHANGE-REQUEST."""


def arrives(lan: Host, port: int, *, same: bool, change: bool) -> bool:
    """Ask for a knock in one of the four ways, and say whether it arrives."""
    request = encode_request(b"twelve bytes", knock_at=port)
    if not change:
        # CHANGE-REQUEST is the first attribute.
        request = request[:2] + b"\0\x08" + request[4:20] + request[28:]
    with ExitStack() as stack:
        sockets = [stack.enter_context(lan.new_socket(kind=socket.SOCK_DGRAM)) for _ in range(2)]
        listening, other = sockets
        listening.bind((LAN, port))
        listening.settimeout(0.5)
        (listening if same else other).sendto(request, (NET, 3478))
        try:
            data, sender = listening.recvfrom(1500)
        except TimeoutError:
            return False
        assert data[8:20] == b"twelve bytes"
        assert sender[0] == (SECOND if change else NET)
        return True


def arriving(lan: Host) -> dict[tuple[bool, bool], bool]:
    """Try every way, each at a port of its own, so that it finds no state of another."""
    return {way: arrives(lan, next(_ports), same=way[0], change=way[1]) for way in WAYS}


async def test_what_arrives_by_our_own_nat_state(lab: Lab) -> None:
    assert arriving(lab["lan"]) == {way: way == (True, False) for way in WAYS}


async def test_with_a_mapping_it_arrives_in_every_way(lab: Lab) -> None:
    for same, change in WAYS:
        mapped = next(_ports)
        with mapping(lab, mapped, mapped):
            assert arrives(lab["lan"], mapped, same=same, change=change)


CONE = """
table ip cone {
  map open { type inet_service : ipv4_addr . inet_service; flags dynamic; size 1000; }
  chain out {
    type filter hook postrouting priority 0;
    oifname wan0 meta l4proto udp update @open { udp sport : ip saddr . udp sport }
  }
  chain in {
    type nat hook prerouting priority -90;
    iifname wan0 meta l4proto udp dnat ip to udp dport map @open
  }
}
"""


async def test_what_arrives_by_the_state_of_a_full_cone(lab: Lab, port: int) -> None:
    """It lets in whatever comes to a port that something was sent from, whoever sends it."""
    lab["rtr"].run("nft", "-f", "-", stdin=CONE)
    try:
        with rule(lab, "iifname wan0 ct status dnat accept"):
            assert arriving(lab["lan"]) == {way: way[0] for way in WAYS}
            assert await prove(lab, question(port), port) == CLOSED
        with mapping(lab, another := next(_ports)):
            assert await prove(lab, question(another)) == OPEN
    finally:
        lab["rtr"].run("nft", "delete", "table", "ip", "cone")
