"""The nonce comes through an opening, and who brings it from outside is told from the household."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
import itertools
import socket

import pytest

from custom_components.homeport.outside.family import IPAddress
from custom_components.homeport.outside.from_outside import outside_of
from custom_components.homeport.outside.listener import listen, udp_answer
from custom_components.homeport.outside.own_port import PortInUse
from custom_components.homeport.outside.prober import ProbeTransport

from .access_line import within
from .build import Lab
from .fixtures import MakeLab
from .home import LAN, LAN6, MINIUPNPD, NET, NET6, SRV, SRV6, WAN, home
from .host import Host, family_of

TCP, UDP = ProbeTransport.TCP, ProbeTransport.UDP
INSIDE = 40001
OPEN6 = f"iifname wan0 ip6 daddr {LAN6} meta l4proto {{ tcp, udp }} th dport {INSIDE} accept"

is_outside = outside_of(ip_network(each) for each in (f"{WAN}/32", "2a00:77:77:1::/64"))

_ports = itertools.count(40100)

both_transports = pytest.mark.parametrize("transport", [TCP, UDP])


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab) -> Lab:
    return make_lab(home(MINIUPNPD))


@contextmanager
def mapping(lab: Lab, transport: ProbeTransport) -> Iterator[int]:
    """Map a port that no test had before as any other program would."""
    port = next(_ports)
    client = ("upnpc", "-u", MINIUPNPD.location)
    lab["lan"].run(*client, "-a", LAN, str(INSIDE), str(port), transport)
    try:
        yield port
    finally:
        lab["lan"].run(*client, "-d", str(port), transport)


async def knock(
    host: Host, transport: ProbeTransport, address: str, port: int, nonce: bytes
) -> bool:
    """Do what a prober does, and say whether the listener was met."""
    if transport is TCP:
        return await host.fetch(address, port, within=1) == nonce
    loop = asyncio.get_running_loop()
    with host.new_socket(family_of(address), socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((address, port))
        await loop.sock_sendall(sock, nonce)
        async with asyncio.timeout(1):
            return await loop.sock_recv(sock, 100) == udp_answer(nonce, nonce)


async def visit(
    lab: Lab, transport: ProbeTransport, visitor: str, address: str, port: int
) -> tuple[set[IPAddress], bool]:
    """Return who was met at home, and whether from outside, when somebody knocks there."""
    own = LAN if "." in address else LAN6

    async def at_home() -> tuple[set[IPAddress], bool]:
        async with listen(transport, ip_address(own), INSIDE, is_outside) as listener:
            assert await knock(lab[visitor], transport, address, port, listener.nonce)
            return listener.met, await listener.met_from_outside()

    return await asyncio.to_thread(within, lab["lan"], at_home())


@both_transports
async def test_through_a_mapping(lab: Lab, transport: ProbeTransport) -> None:
    with mapping(lab, transport) as port:
        assert await visit(lab, transport, "net", WAN, port) == ({ip_address(NET)}, True)
    with pytest.raises(TimeoutError):
        await visit(lab, transport, "net", WAN, port)


@both_transports
async def test_through_the_firewall(lab: Lab, transport: ProbeTransport) -> None:
    with pytest.raises(TimeoutError):
        await visit(lab, transport, "net", LAN6, INSIDE)
    lab["rtr"].run("nft", "-f", "-", stdin=f"add rule inet filter miniupnpd {OPEN6}\n")
    try:
        assert await visit(lab, transport, "net", LAN6, INSIDE) == ({ip_address(NET6)}, True)
    finally:
        lab["rtr"].run("nft", "flush", "chain", "inet", "filter", "miniupnpd")


@both_transports
@pytest.mark.parametrize(("own", "visitor"), [(LAN, SRV), (LAN6, SRV6)])
async def test_the_household_is_not_outside(
    lab: Lab, transport: ProbeTransport, own: str, visitor: str
) -> None:
    met = await visit(lab, transport, "srv", own, INSIDE)
    assert met == ({ip_address(visitor)}, False)


@both_transports
async def test_a_hairpin_is_not_outside(lab: Lab, transport: ProbeTransport) -> None:
    """The router sends back into the LAN what comes from there, in its own name."""
    lab["rtr"].run("nft", "-f", "-", stdin=HAIRPIN)
    try:
        met = await visit(lab, transport, "srv", WAN, 40999)
        assert met == ({ip_address(WAN)}, False)
    finally:
        lab["rtr"].run("nft", "delete", "table", "ip", "hairpin")


HAIRPIN = f"""
table ip hairpin {{
  chain in {{
    type nat hook prerouting priority -110;
    iifname lan0 ip daddr {WAN} meta l4proto {{ tcp, udp }} th dport 40999 dnat to {LAN}:{INSIDE}
  }}
  chain out {{
    type nat hook postrouting priority 90;
    oifname lan0 ct status dnat snat to {WAN}
  }}
}}
"""


@both_transports
@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
async def test_a_service_keeps_its_port(lab: Lab, transport: ProbeTransport, address: str) -> None:
    """A socket at all IPv6 addresses is normally one at all IPv4 addresses as well."""
    kind = socket.SOCK_STREAM if transport is TCP else socket.SOCK_DGRAM
    with lab["lan"].new_socket(family_of(address), kind) as service:
        service.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        service.bind((address, INSIDE))
        if transport is TCP:
            service.listen()
        with pytest.raises(PortInUse):
            await visit(lab, transport, "net", WAN, INSIDE)
