"""What a service at home looks like from the machine of Home Assistant: every answer there is."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
import socket
import time
from typing import NamedTuple

import pytest

from custom_components.homeport.host.listening import Transport
from custom_components.homeport.host.service import (
    ANSWER_WITHIN,
    SETTLED_WITHIN,
    SeenService,
    service_seen,
)

from .access_line import within
from .build import Lab
from .fixtures import MakeLab
from .host import Host, family_of
from .topology import Interface, Link, Namespace, Topology, bridge

TCP, UDP = Transport
OWN = ("192.168.77.10", "2a00:77:77:1::10")
NAS = ("192.168.77.20", "2a00:77:77:1::20")
NOBODY = ("192.168.77.99", "2a00:77:77:1::99")
BEHIND = ("192.168.88.20", "2a00:77:77:2::20")
NOBODY_BEHIND = ("192.168.88.99", "2a00:77:77:2::99")
NO_ROUTE = ("203.0.113.1", "2001:db8::1")

UP, DOWN, DROPPED, RESET, PORT, PROHIBITED, UP_RESET, ON_THE_WAY = range(8000, 8008)

FILTER = f"""
table inet filter {{
  chain input {{
    type filter hook input priority filter; policy accept;
    th dport {DROPPED} drop
    tcp dport {{ {RESET}, {UP_RESET} }} reject with tcp reset
    meta l4proto {{ tcp, udp }} th dport {PORT} reject with icmpx type port-unreachable
    meta l4proto {{ tcp, udp }} th dport {PROHIBITED} reject with icmpx type admin-prohibited
  }}
}}
"""
ON_THE_WAY_FILTER = f"""
table inet filter {{
  chain forward {{
    type filter hook forward priority filter; policy accept;
    th dport {ON_THE_WAY} reject with icmpx type admin-prohibited
  }}
}}
"""


def home() -> Topology:
    """Return a machine of Home Assistant's, a neighbour of it, and a second LAN behind a router."""

    def cable(name: str, addresses: tuple[str, str], switch: str) -> Link:
        ends = (f"{addresses[0]}/24", f"{addresses[1]}/64")
        return Link(
            Interface(namespace=name, name="eth0", addresses=ends),
            Interface(namespace="rtr", name=f"{name}0", bridge=switch),
        )

    return Topology(
        name="service",
        namespaces=(
            Namespace(
                name="ha",
                routes=(
                    "192.168.88.0/24 via 192.168.77.1",
                    "2a00:77:77:2::/64 via 2a00:77:77:1::1",
                ),
                nft=FILTER,
            ),
            Namespace(name="nas", nft=FILTER),
            Namespace(
                name="behind",
                routes=("default via 192.168.88.1", "::/0 via 2a00:77:77:2::1"),
                nft=FILTER,
            ),
            Namespace(name="rtr", forwarding=True, nft=ON_THE_WAY_FILTER),
        ),
        links=(
            cable("ha", OWN, "br0"),
            cable("nas", NAS, "br0"),
            cable("behind", BEHIND, "br1"),
        ),
        devices=(
            bridge("rtr", "br0", "192.168.77.1/24", "2a00:77:77:1::1/64"),
            bridge("rtr", "br1", "192.168.88.1/24", "2a00:77:77:2::1/64"),
        ),
    )


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab) -> Lab:
    return make_lab(home())


class Case(NamedTuple):
    """One knock, and what is to be seen."""

    transport: Transport
    addresses: tuple[str, str]
    port: int
    seen: SeenService | None
    what: str


@contextmanager
def listener(
    host: Host, transport: Transport, address: str, port: int, *, both: bool = False
) -> Iterator[None]:
    """Have a program wait for connections, or for datagrams that it does not answer."""
    kind = socket.SOCK_STREAM if transport is TCP else socket.SOCK_DGRAM
    with host.new_socket(family_of(address), kind) as sock:
        if ":" in address:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)
        sock.bind((address, port))
        if transport is TCP:
            sock.listen()
        yield


async def see(case: Case, address: str, *, own: bool) -> tuple[SeenService | None, float]:
    began = time.monotonic()
    async with asyncio.timeout(ANSWER_WITHIN + SETTLED_WITHIN + 1):
        seen = await service_seen(case.transport, ip_address(address), case.port, own=own)
    return seen, time.monotonic() - began


def check(lab: Lab, cases: tuple[Case, ...], *, own: bool = False) -> None:
    """Knock at all of them at once, over both families, print the table and compare."""
    asked = [(case, address) for case in cases for address in case.addresses]

    async def ask() -> list[tuple[SeenService | None, float]]:
        return await asyncio.gather(*(see(case, address, own=own) for case, address in asked))

    wrong = []
    print()  # noqa: T201
    for (case, address), (seen, took) in zip(asked, within(lab["ha"], ask()), strict=True):
        family = "IPv6" if ":" in address else "IPv4"
        line = f"{case.transport} {family}  {case.what:34} {seen!s:14} {took:5.2f} s"
        print(line)  # noqa: T201
        if seen is not case.seen:
            wrong.append(line)
    assert wrong == []


S = SeenService
NEIGHBOURS = (
    Case(TCP, NAS, UP, S.LISTENING, "up"),
    Case(TCP, NAS, DOWN, S.DOWN, "down"),
    Case(TCP, NAS, DROPPED, S.SILENT, "filter drops"),
    # Nothing tells it from a host where nobody listens.
    Case(TCP, NAS, RESET, S.DOWN, "filter resets"),
    Case(TCP, NAS, PORT, S.HOST_REJECTS, "filter says port unreachable"),
    Case(TCP, NAS, PROHIBITED, S.HOST_REJECTS, "filter says prohibited"),
    Case(TCP, NOBODY, UP, S.HOST_ABSENT, "no such host"),
    Case(TCP, NO_ROUTE, UP, None, "no route"),
    Case(UDP, NAS, UP, S.SILENT, "up, and says nothing"),
    Case(UDP, NAS, DOWN, S.DOWN, "down"),
    Case(UDP, NAS, DROPPED, S.SILENT, "filter drops"),
    Case(UDP, NAS, PORT, S.DOWN, "filter says port unreachable"),
    Case(UDP, NAS, PROHIBITED, S.HOST_REJECTS, "filter says prohibited"),
    Case(UDP, NOBODY, UP, S.HOST_ABSENT, "no such host"),
    Case(UDP, NO_ROUTE, UP, None, "no route"),
)


def test_on_the_same_link(lab: Lab) -> None:
    with ExitStack() as stack:
        for transport in Transport:
            stack.enter_context(listener(lab["nas"], transport, "::", UP, both=True))
        check(lab, NEIGHBOURS)


ROUTED = (
    Case(TCP, BEHIND, UP, S.LISTENING, "up"),
    Case(TCP, BEHIND, DOWN, S.DOWN, "down"),
    Case(TCP, BEHIND, DROPPED, S.SILENT, "filter drops"),
    Case(TCP, BEHIND, PROHIBITED, S.HOST_REJECTS, "filter says prohibited"),
    Case(TCP, BEHIND, ON_THE_WAY, None, "router says prohibited"),
    Case(TCP, NOBODY_BEHIND, UP, S.HOST_ABSENT, "no such host"),
    Case(UDP, BEHIND, UP, S.SILENT, "up, and says nothing"),
    Case(UDP, BEHIND, DOWN, S.DOWN, "down"),
    Case(UDP, BEHIND, ON_THE_WAY, None, "router says prohibited"),
    Case(UDP, NOBODY_BEHIND, UP, S.HOST_ABSENT, "no such host"),
)


def test_behind_a_router_at_home(lab: Lab) -> None:
    with ExitStack() as stack:
        for transport in Transport:
            stack.enter_context(listener(lab["behind"], transport, "::", UP, both=True))
        check(lab, ROUTED)


ONE, LOCAL, OTHER, BOTH, ONLY6 = range(9000, 9005)


def own(transport: Transport) -> tuple[Case, ...]:
    ipv4, ipv6 = ((address,) for address in OWN)
    silent = transport is UDP  # a socket of ours shows that somebody listens, whatever it says
    return (
        Case(transport, OWN, UP, S.LISTENING, "for all addresses"),
        Case(transport, OWN, DOWN, S.DOWN, "nobody"),
        Case(transport, OWN, ONE, S.LISTENING, "for this address"),
        Case(transport, OWN, OTHER, S.DOWN, "for another address"),
        Case(transport, OWN, LOCAL, S.LOOPBACK_ONLY, "for loopback"),
        Case(transport, OWN, BOTH, S.LISTENING, "for both families, by one socket"),
        Case(transport, ipv4, ONLY6, S.DOWN, "for IPv6 only"),
        Case(transport, ipv6, ONLY6, S.LISTENING, "for IPv6 only"),
        Case(transport, OWN, UP_RESET, S.LISTENING if silent else S.HOST_REJECTS, "filter resets"),
        Case(transport, OWN, DROPPED, S.DOWN, "nobody, and filter drops"),
    )


def test_on_this_machine(lab: Lab) -> None:
    ha = lab["ha"]
    for address, length in (("192.168.77.11", 24), ("2a00:77:77:1::11", 64)):
        ha.run("ip", "address", "add", f"{address}/{length}", "dev", "eth0", "nodad")
    sockets = [(address, port) for port in (UP, UP_RESET) for address in ("0.0.0.0", "::")]
    sockets += [(address, ONE) for address in OWN]
    sockets += [("127.0.0.1", LOCAL), ("::1", LOCAL)]
    sockets += [("192.168.77.11", OTHER), ("2a00:77:77:1::11", OTHER)]
    with ExitStack() as stack:
        for transport in Transport:
            for address, port in sockets:
                stack.enter_context(listener(ha, transport, address, port))
            stack.enter_context(listener(ha, transport, "::", BOTH, both=True))
            stack.enter_context(listener(ha, transport, "::", ONLY6))
        check(lab, (*own(TCP), *own(UDP)), own=True)


async def test_a_service_that_answers_a_datagram(lab: Lab) -> None:
    with lab["nas"].new_socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", UP))
        received = []

        def answer() -> None:
            data, peer = sock.recvfrom(100)
            received.append(data)
            sock.sendto(b"!", peer)

        asyncio.get_running_loop().add_reader(sock, answer)
        await asyncio.to_thread(check, lab, (Case(UDP, NAS, UP, S.LISTENING, "answers"),))
        asyncio.get_running_loop().remove_reader(sock)
    assert received == [b"", b""]


def test_a_connection_is_closed_without_a_word(lab: Lab) -> None:
    with listener(lab["nas"], TCP, NAS[0], UP):
        pass
    with lab["nas"].new_socket() as sock:
        sock.bind((NAS[0], UP))
        sock.listen()
        check(lab, (Case(TCP, NAS[:1], UP, S.LISTENING, "up"),))
        with sock.accept()[0] as connection:
            connection.settimeout(1)
            assert connection.recv(1) == b""


def test_a_port_that_calls_itself_is_no_service(lab: Lab) -> None:
    """The kernel may choose the very port that is called to call from."""
    path = Path("/proc/sys/net/ipv4/ip_local_port_range")  # of IPv6 as well
    with lab["ha"].inside():
        before = path.read_text()
        path.write_text("50000 50001")
    try:
        with lab["ha"].new_socket() as sock:
            sock.settimeout(1)
            sock.connect((OWN[0], 50000))
            assert sock.getsockname() == sock.getpeername()
        check(lab, (Case(TCP, OWN, 50000, S.DOWN, "nobody, and calls itself"),), own=True)
    finally:
        with lab["ha"].inside():
            path.write_text(before)


def test_host_that_was_there_a_moment_ago(lab: Lab) -> None:
    """The kernel believes in it for some seconds more; so long it is waited for."""
    with lab["ha"].inside():
        for family in ("ipv4", "ipv6"):
            path = f"/proc/sys/net/{family}/neigh/eth0/base_reachable_time_ms"
            Path(path).write_text("500")
    lab["ha"].run("ip", "neighbour", "flush", "dev", "eth0")  # they keep the time they began with
    cases = tuple(Case(each, NAS, DOWN, S.DOWN, "there") for each in Transport)
    check(lab, cases)
    lab["nas"].run("ip", "link", "set", "eth0", "down")
    try:
        time.sleep(1)  # more than the kernel is sure of it
        gone = tuple(case._replace(seen=S.HOST_ABSENT, what="gone") for case in cases)
        check(lab, gone)
    finally:
        lab["nas"].run("ip", "link", "set", "eth0", "up")
