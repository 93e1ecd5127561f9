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
from .traffic import ask_tcp, ask_udp, mirror, path_mtu

_NGN_ONLY = "2408::/22"


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


async def test_the_outside_sees(lab: Lab, line: Line) -> None:
    """Addresses, ports and path MTU of both families;, and what the gateway says."""
    lan = lab["lan"]
    async with mirror(lab["net"]):
        if line.public:
            for source in (await ask_tcp(lan, NET), await ask_udp(lan, NET)):
                assert source.address in line.public
                assert not line.ports or any(a <= source.port <= b for a, b in line.ports)
            assert await path_mtu(lan, NET) == line.mtu
        else:
            await _is_out_of_reach(lab, NET)
        if line.prefix and line.ipv6_mode != "ngn_only":
            link = ip_network(f"{line.prefix}::/64")
            for source in (await ask_tcp(lan, NET6), await ask_udp(lan, NET6)):
                assert ip_address(source.address) in link
            assert await path_mtu(lan, NET6) == line.mtu6
        else:
            await _is_out_of_reach(lab, NET6)
    assert _wan(lab, line) == line.wan


async def _is_out_of_reach(lab: Lab, address: str) -> None:
    for ask in (ask_tcp, ask_udp):
        with pytest.raises(OSError):
            await ask(lab["lan"], address, within=0.2)


def _wan(lab: Lab, line: Line) -> str:
    """Return the WAN address that the gateway tells an independent client."""
    status = lab["lan"].run("upnpc", "-u", line.location, "-s")
    found = re.search(r"ExternalIPAddress = (\S+)", status)
    return found[1] if found else ""
