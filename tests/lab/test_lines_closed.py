"""What comes in from outside: behind a provider's NAT nothing, by a second exit all the same."""

import asyncio
import re

import pytest

from .bind import Bind
from .build import Lab
from .fixtures import require
from .home import LAN, NET, ROUTER
from .lines.closed import POOL, VARYING_POOL
from .lines.fixtures import StartLine
from .lines.pieces import OWN
from .lines.second_router import INNER, OUTER, UPSTREAM
from .miniupnpd import Miniupnpd
from .traffic import Source, ask_tcp, ask_udp, closed, hop, mirror

HELLO = b"hello\n"
CLOSED = ["ds_lite_transix", "ds_lite_xpass", "cgnat", "squatted"]


@pytest.fixture(scope="module", autouse=True)
def _programs() -> None:
    require({**Miniupnpd.needs, **Bind.needs, "upnpc": "miniupnpc"})


async def sources(lab: Lab, host: str, target: str = NET) -> set[Source]:
    """Return where ten flows of each protocol seem to come from."""
    flows = [ask(lab[host], target) for ask in (ask_tcp, ask_udp) for _ in range(10)]
    return set(await asyncio.gather(*flows))


@pytest.mark.parametrize("name", CLOSED)
async def test_two_homes_with_the_same_addresses(start_line: StartLine, name: str) -> None:
    """Both get answers, and nothing that the outside starts reaches either, at any address."""
    lab, line = start_line(name)
    async with mirror(lab["net"]):
        home, neighbour = await sources(lab, "lan"), await sources(lab, "neighbour")
    assert {source.address for source in home | neighbour} <= set(line.public)
    assert not home & neighbour
    async with lab["lan"].serve(HELLO, 8123), lab["neighbour"].serve(HELLO, 8123):
        for address in (*line.public, line.wan):
            assert await closed(lab["net"], address, 8123)


@pytest.mark.parametrize("name", ["ds_lite_transix", "cgnat"])
async def test_a_block_of_ports(start_line: StartLine, name: str) -> None:
    """It looks like a port set, all in one quarter, and is none."""
    lab, _ = start_line(name)
    async with mirror(lab["net"]):
        home, neighbour = await sources(lab, "lan"), await sources(lab, "neighbour")
    assert all(10240 <= source.port <= 11263 for source in home)
    assert all(11264 <= source.port <= 12287 for source in neighbour)


async def test_a_pool_of_addresses(start_line: StartLine) -> None:
    """Ports from anywhere; and an address by the target, so two services may see different ones."""
    lab, _ = start_line("ds_lite_xpass")
    async with mirror(lab["net"]):
        seen = await sources(lab, "lan")
    assert {source.address for source in seen} <= set(VARYING_POOL)
    ports = [source.port for source in seen]
    assert max(ports) - min(ports) > 16384


async def test_the_squatted_address_is_mapped_in_vain(start_line: StartLine) -> None:
    lab, line = start_line("squatted")
    mapped = lab["lan"].run("upnpc", "-u", line.location, "-a", LAN, "8123", "18123", "TCP", "600")
    assert f"external {line.wan}:18123" in mapped
    async with lab["lan"].serve(HELLO, 8123):
        for address in (line.wan, *line.public):
            assert await closed(lab["net"], address, 18123)


async def test_two_exits(start_line: StartLine) -> None:
    """The outside sees one address, and comes in by the other."""
    lab, line = start_line("two_exits")
    lab["lan"].run("upnpc", "-u", line.location, "-a", LAN, "8123", "18123", "TCP", "600")
    async with mirror(lab["net"]), lab["lan"].serve(HELLO, 8123):
        assert (await ask_tcp(lab["lan"], NET)).address == POOL
        assert await lab["net"].fetch(OWN, 18123) == HELLO
        assert await closed(lab["net"], POOL, 18123)


async def test_the_outer_router_can_be_told(start_line: StartLine) -> None:
    """Asked through the inner one, it maps to that one; the rest is the inner one's affair."""
    lab, _ = start_line("double_nat")
    outer = ("upnpc", "-u", UPSTREAM.location)
    assert f"ExternalIPAddress = {OWN}" in lab["lan"].run(*outer, "-s")
    lab["lan"].run(*outer, "-a", INNER, "18123", "18123", "TCP", "600")
    lab["rtr"].run("nft", "-f", "-", stdin=_forward(18123, 8123))
    async with lab["lan"].serve(HELLO, 8123):
        assert await lab["net"].fetch(OWN, 18123) == HELLO


def _forward(external: int, internal: int) -> str:
    """Return what the inner router's own page would set."""
    return f"""
table ip by_hand {{
  chain pre {{
    type nat hook prerouting priority dstnat; policy accept;
    iifname "w0" tcp dport {external} dnat to {LAN}:{internal}
  }}
}}
insert rule inet filter forward iifname "w0" ct status dnat accept
"""


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("public", [ROUTER, "118.22.40.1", NET]),
        ("pppoe", [ROUTER, "118.22.40.1", NET]),
        ("map_e_ocn", [ROUTER, "192.0.2.1", NET]),
        ("ds_lite_transix", [ROUTER, "192.0.0.1", NET]),
        ("cgnat", [ROUTER, "100.64.0.1", NET]),
        ("double_nat", [ROUTER, OUTER, "118.22.40.1"]),
        ("private_wan", [ROUTER, OUTER, "118.22.40.1"]),
        ("map_e_hgw", [ROUTER, OUTER, "192.0.2.1"]),
        ("two_exits", [ROUTER, "192.0.0.1", NET]),
        ("nat64_clat", [ROUTER, "192.0.0.2"]),
    ],
)
async def test_the_way_out(start_line: StartLine, name: str, way: list[str]) -> None:
    """Every router on the way says so when a packet ends there."""
    lab, _ = start_line(name)
    assert [await hop(lab["lan"], NET, number) for number in range(1, len(way) + 1)] == way


async def test_nobody_answers_upstream(start_line: StartLine) -> None:
    lab, _ = start_line("private_wan")
    for port in (1900, 5000, 5351, 8888):
        assert await closed(lab["lan"], OUTER, port)


async def test_the_home_gateway_shows_its_page(start_line: StartLine) -> None:
    lab, line = start_line("map_e_hgw")
    resolver = lab.daemon(Bind, "resolver")
    assert resolver.lookup(lab["rtr"], "ntt.setup.", "A") == {OUTER}
    url = f"http://{OUTER}:8888/enabler.ipv4/check?callback=x"
    async with lab["lan"].http_session() as session, session.get(url) as answer:
        assert re.search('"status" *: *"ON"', await answer.text())
    async with mirror(lab["net"]):
        seen = await sources(lab, "lan")
    assert all(any(a <= port <= b for a, b in line.ports) for _, port in seen)
