"""Every line of the lab is recognised by a real Home Assistant, as its user sees it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.lab import Authority, Lab
from tests.lab.build import build
from tests.lab.fixtures import require
from tests.lab.lines import LINES, Line
from tests.lab.lines.outside import ADDRESSES, ECHO4, ECHO6, STUN, echo

from .homeport import Homeport
from .server import HomeAssistantServer

OUTSIDE = {
    "echo_urls": [*ECHO4, *ECHO6],
    "stun_servers": [f"{ADDRESSES[0]}:3478", f"{ADDRESSES[1]}:3478", f"[{ADDRESSES[2]}]:3478"],
    "look_up_names": True,
    "look_behind": True,
}

# What can be said of a line whose gateway says nothing, or too little to be sure.
POSSIBLE = {
    "ds_lite_transix_silent": {"ds_lite"},
    "cgnat_silent": {"unknown", "ds_lite", "private_wan"},
    "double_nat_silent": {"double_nat"},
    "private_wan": {"private_wan"},
    "squatted": {"cgnat"},
    "two_exits": {"two_exits"},
}


@pytest.fixture(params=LINES)
def line_name(request: pytest.FixtureRequest) -> str:
    """Return the name of each line."""
    return str(request.param)


@pytest.fixture
def running(
    line_name: str, authority: Authority, tmp_path: Path
) -> Iterator[tuple[Lab, Line]]:
    """Build the line with everything outside."""
    line = LINES[line_name](STUN, echo(authority.issue(*ADDRESSES)))
    daemons = line.topology.daemons
    require({name: of for daemon in daemons for name, of in daemon.needs.items()})
    folder = tmp_path / "lab"
    folder.mkdir()
    with build(line.topology, folder) as lab:
        yield lab, line


@pytest_asyncio.fixture
async def homeport(
    running: tuple[Lab, Line], authority: Authority, tmp_path: Path
) -> AsyncIterator[Homeport]:
    """Run Home Assistant on `lan`, and set Homeport up with the description's URL."""
    lab, line = running
    async with HomeAssistantServer(
        tmp_path / "config",
        inside=lab["lan"],
        environment={"REQUESTS_CA_BUNDLE": str(authority.bundle)},
    ) as server:
        yield await Homeport.set_up(server, line.location, OUTSIDE)


async def test_line(homeport: Homeport, running: tuple[Lab, Line], line_name: str) -> None:
    _, line = running
    said = await homeport.detect_line()
    expected = POSSIBLE.get(line_name, {line.mode})
    assert (said["mode"] or "unknown") in expected, said
    if line_name not in POSSIBLE:
        assert said["confidence"] in {"certain", "likely"}, said
    assert (said["ipv6_mode"] or "none") == line.ipv6_mode, said
    assert said["reasons"], said
    print(line_name, said["mode"], said["confidence"], said["ipv6_mode"], said["carrier"])
