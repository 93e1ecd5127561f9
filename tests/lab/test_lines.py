"""Every line is what it says: what the outside sees, what fits through, what the gateway tells."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
import re

import pytest

from .bind import Bind
from .build import Lab, build
from .fixtures import require
from .home import NET, NET6
from .lines import LINES, Line
from .miniupnpd import Miniupnpd
from .tayga import Tayga
from .traffic import Source, ask_tcp, ask_udp, mirror, path_mtu


@pytest.fixture(scope="module", autouse=True)
def _programs() -> None:
    require({**Miniupnpd.needs, **Bind.needs, **Tayga.needs, "upnpc": "miniupnpc"})


@pytest.fixture(params=list(LINES))
def line(request: pytest.FixtureRequest) -> Line:
    return LINES[request.param]()


@pytest.fixture
def lab(line: Line, tmp_path: Path) -> Iterator[Lab]:
    with build(line.topology, tmp_path) as running:
        yield running


async def test_what_the_outside_sees(lab: Lab, line: Line) -> None:
    """Addresses and ports, and what fits through, by family; and what the gateway tells."""
    async with mirror(lab["net"]):
        if line.public:
            for source in await _sources(lab, NET):
                assert source.address in line.public
                assert not line.ports or any(a <= source.port <= b for a, b in line.ports)
            assert await _mtus(lab, NET) == {line.mtu}
        else:
            await _is_out_of_reach(lab, NET)
        if line.prefix and line.ipv6_mode != "ngn_only":
            link = ip_network(f"{line.prefix}::/64")
            assert all(ip_address(source.address) in link for source in await _sources(lab, NET6))
            assert await _mtus(lab, NET6) == {line.mtu6}
        else:
            await _is_out_of_reach(lab, NET6)
    assert _wan(lab, line) == line.wan


async def _sources(lab: Lab, address: str) -> list[Source]:
    """Return where TCP and UDP seem to come from."""
    return [await ask_tcp(lab["lan"], address), await ask_udp(lab["lan"], address)]


async def _mtus(lab: Lab, address: str) -> set[int]:
    """Return the path MTU to the far end, and the one as far as the provider's first router."""
    at_home = sum(space.name in {"rtr", "hgw"} for space in lab.topology.namespaces)
    return {await path_mtu(lab["lan"], address, hops=hops) for hops in (64, at_home + 1)}


async def _is_out_of_reach(lab: Lab, address: str) -> None:
    for ask in (ask_tcp, ask_udp):
        with pytest.raises(OSError):
            await ask(lab["lan"], address, within=0.2)


def _wan(lab: Lab, line: Line) -> str:
    """Return the WAN address that the gateway tells an independent client."""
    status = lab["lan"].run("upnpc", "-u", line.location, "-s")
    found = re.search(r"ExternalIPAddress = (\S+)", status)
    return found[1] if found else ""
