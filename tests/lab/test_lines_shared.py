"""Homes that share an address by ports: each port leads to one home, and never to another."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from ipaddress import ip_network
import json
import socket
import struct

import pytest

from .build import Lab
from .errors import LabError
from .fixtures import MakeLab, require
from .home import LAN, NET, NET6, ROUTER
from .host import Host
from .lines import Line
from .lines.fixtures import StartLine
from .lines.mape import (
    OCN,
    UNKNOWN,
    V6PLUS,
    V6PLUS_HOME,
    V6PLUS_LATER,
    V6PLUS_LATER_HOME,
    map_e_v6plus,
    renumber,
)
from .lines.shares import Share
from .miniupnpd import Miniupnpd
from .traffic import Source, ask_tcp, ask_udp, closed, mirror, path_mtu

type Ask = Callable[[Host, str], Awaitable[Source]]

SHARES = {"map_e_v6plus": V6PLUS, "map_e_ocn": OCN, "a_plus_p": UNKNOWN}
OPEN_ALL = {
    home: f"""
table ip by_hand {{
  chain pre {{
    type nat hook prerouting priority dstnat; policy accept;
    iifname "w0" tcp dport 1-65535 {verdict}
  }}
}}
{more}
"""
    for home, verdict, more in (
        ("rtr", f"dnat to {LAN}:8123", "insert rule inet filter forward ct status dnat accept"),
        ("neighbour", "redirect to :8123", ""),
    )
}
"""What sends every port of a home to its listener."""
HOME, NEIGHBOUR = b"this home\n", b"the neighbour\n"
FLOWS = 100
ECHO_ID = 0x4D2


@pytest.fixture(scope="module", autouse=True)
def _programs() -> None:
    require({**Miniupnpd.needs, "named": "bind9", "upnpc": "miniupnpc", "natpmpc": "natpmpc"})


@pytest.fixture
def lab(start_line: StartLine) -> Lab:
    return start_line("map_e_v6plus")[0]


@pytest.fixture
def line(start_line: StartLine) -> Line:
    return start_line("map_e_v6plus")[1]


def upnpc(lab: Lab, line: Line, *arguments: str) -> str:
    return lab["lan"].run("upnpc", "-u", line.location, *arguments)


@pytest.mark.parametrize(("share", "count", "blocks"), [(V6PLUS, 240, 15), (OCN, 1008, 63)])
def test_every_port_is_in_one_set(share: Share, count: int, blocks: int) -> None:
    assert len(share.ports) == blocks
    assert sum(last - first + 1 for first, last in share.ports) == count
    taken = Counter(
        port
        for psid in range(1 << share.length)
        for first, last in replace(share, psid=psid).ports
        for port in range(first, last + 1)
    )
    assert set(taken) == set(range(share.lowest, 65536))
    assert set(taken.values()) == {1}


def test_sets_of_the_homes() -> None:
    """The ends of the sets, worked out by hand."""
    assert (V6PLUS.ports[0], V6PLUS.ports[-1]) == ((7488, 7503), (64832, 64847))
    assert (OCN.ports[0], OCN.ports[-1]) == ((1872, 1887), (65360, 65375))


@pytest.mark.parametrize("ask", [ask_tcp, ask_udp])
@pytest.mark.parametrize("name", ["map_e_v6plus", "map_e_ocn", "a_plus_p"])
async def test_flows_take_all_blocks(start_line: StartLine, name: str, ask: Ask) -> None:
    lab, line = start_line(name)
    async with mirror(lab["net"]):
        seen = await asyncio.gather(*(ask(lab["lan"], NET) for _ in range(FLOWS)))
    assert {source.address for source in seen} == set(line.public)
    assert {_block(line, source.port) for source in seen} == set(line.ports)


def _block(line: Line, port: int) -> tuple[int, int] | None:
    """Return the block that has this port; None when it is not this home's."""
    return next((each for each in line.ports if each[0] <= port <= each[1]), None)


@pytest.mark.parametrize("name", ["map_e_v6plus", "map_e_ocn", "a_plus_p"])
async def test_each_port_leads_to_one_home(start_line: StartLine, name: str) -> None:
    """Both homes take in all that comes; what is in neither set comes to nobody."""
    lab, line = start_line(name)
    for home in ("rtr", "neighbour"):
        lab[home].run("nft", "-f", "-", stdin=OPEN_ALL[home])
    net, (address,), share = lab["net"], line.public, SHARES[name]
    async with lab["lan"].serve(HOME, 8123), lab["neighbour"].serve(NEIGHBOUR, 8123):
        for ports, greeting in ((share.ports, HOME), (share.neighbour().ports, NEIGHBOUR)):
            for port in (*ports[0], *ports[-1]):
                assert await net.fetch(address, port) == greeting
        for port in (22, 443, 8123, share.lowest - 1):
            assert await closed(net, address, port)


def test_the_router_refuses_ports_of_others(lab: Lab, line: Line) -> None:
    with pytest.raises(LabError, match="failed with code 606"):
        upnpc(lab, line, "-a", LAN, "8123", "8123", "TCP", "600")
    mapped = upnpc(lab, line, "-n", LAN, "8123", "8123", "TCP", "600")
    assert "external 106.72.63.108:7503" in mapped


def test_nat_pmp_gives_another_port(lab: Lab) -> None:
    # Close to the next block: this gateway takes milliseconds for each port that it must not give.
    opened = lab["lan"].run("natpmpc", "-g", ROUTER, "-a", "11580", "9123", "tcp", "600")
    assert "Mapped public port 11584" in opened


async def test_an_unlimited_router_opens_what_never_works(start_line: StartLine) -> None:
    """Two mappings that read back well: a port of nobody, and one of the neighbour."""
    lab, line = start_line("map_e_v6plus_unlimited")
    for port in ("8123", "7506"):
        upnpc(lab, line, "-a", LAN, "8123", port, "TCP", "600")
    async with lab["lan"].serve(HOME, 8123), lab["neighbour"].serve(NEIGHBOUR, 7506):
        assert await closed(lab["net"], V6PLUS.ipv4, 8123)
        assert await lab["net"].fetch(V6PLUS.ipv4, 7506) == NEIGHBOUR


async def test_fragments_and_errors_find_home(lab: Lab) -> None:
    """Both have their port in another place than other packets."""
    lan, net = lab["lan"], lab["net"]
    async with mirror(net):
        assert await path_mtu(lan, NET) == 1460
    loop = asyncio.get_running_loop()
    with (
        lan.new_socket(kind=socket.SOCK_DGRAM) as client,
        net.new_socket(kind=socket.SOCK_DGRAM) as server,
    ):
        client.setblocking(False)
        server.setblocking(False)
        server.bind((NET, 7008))
        await loop.sock_sendto(client, b"?", (NET, 7008))
        _, source = await asyncio.wait_for(loop.sock_recvfrom(server, 100), 2)
        large = bytes(1900)
        await loop.sock_sendto(server, large, source)
        assert await asyncio.wait_for(loop.sock_recv(client, 2000), 2) == large
    with pytest.raises(ConnectionRefusedError):
        await ask_udp(lan, NET, 7009)


async def test_echo_requests_have_ids_of_the_set(lab: Lab, line: Line) -> None:
    """`lan` hears the answers, although their ids are the only thing that tells whose they are."""
    loop = asyncio.get_running_loop()
    with lab["lan"].new_socket(kind=socket.SOCK_RAW, proto=socket.IPPROTO_ICMP) as sock:
        sock.setblocking(False)
        sock.connect((NET, 0))
        # Type 8, code 0, and the checksum for this id and number.
        number, checksum = 1, 0xFFFF - 0x0800 - ECHO_ID - 1
        sock.send(struct.pack("!BBHHH", 8, 0, checksum, ECHO_ID, number))
        answer = await asyncio.wait_for(loop.sock_recv(sock, 100), 2)
    assert struct.unpack("!BBxxHH", answer[20:28]) == (0, 0, ECHO_ID, number)


async def test_renumbering(make_lab: MakeLab) -> None:
    """Another prefix is announced: the old addresses are deprecated, and IPv4 moves with it."""
    line = map_e_v6plus()
    lab = make_lab(line.topology)
    assert set(_flags(lab)) == {V6PLUS_HOME}
    await renumber(lab)
    async with asyncio.timeout(5):
        while V6PLUS_LATER_HOME not in (flags := _flags(lab)):
            await asyncio.sleep(0.05)
    assert flags[V6PLUS_HOME] == {"deprecated"}
    assert flags[V6PLUS_LATER_HOME] == set()
    async with mirror(lab["net"]):
        seen = [await ask(lab["lan"], NET) for ask in (ask_tcp, ask_udp)]
        assert {source.address for source in seen} == {V6PLUS_LATER.ipv4}
        assert all(any(a <= port <= b for a, b in V6PLUS_LATER.ports) for _, port in seen)
        assert (await ask_tcp(lab["lan"], NET6)).address.startswith(V6PLUS_LATER_HOME)
    assert f"ExternalIPAddress = {V6PLUS_LATER.ipv4}" in upnpc(lab, line, "-s")
    first = V6PLUS_LATER.ports[0][0]
    upnpc(lab, line, "-a", LAN, "8123", str(first), "TCP", "600")
    async with lab["lan"].serve(HOME, 8123):
        assert await lab["net"].fetch(V6PLUS_LATER.ipv4, first) == HOME


def _flags(lab: Lab) -> dict[str, set[str]]:
    """Return whether the addresses of `lan` in each prefix are deprecated or tentative.

    There have to be a stable and a temporary one in each.
    """
    shown = lab["lan"].run("ip", "-json", "-6", "address", "show", "dev", "eth0", "scope", "global")
    found: dict[str, list[dict[str, object]]] = {}
    # Empty ones stand for what is filtered out.
    for each in filter(None, json.loads(shown)[0]["addr_info"]):
        prefix = ip_network((each["local"], 64), strict=False).network_address
        found.setdefault(str(prefix).removesuffix("::"), []).append(each)
    for group in found.values():
        assert sorted(bool(each.get("temporary")) for each in group) == [False, True]
    return {
        prefix: {flag for each in group for flag in ("deprecated", "tentative") if each.get(flag)}
        for prefix, group in found.items()
    }
