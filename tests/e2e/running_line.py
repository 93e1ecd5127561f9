"""A line of the lab with everything outside, and Home Assistant on `lan`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

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
    "prober_url": ECHO4[0],
    "look_up_names": True,
    "look_behind": True,
}


@dataclass(frozen=True, slots=True)
class RunningLine:
    """A line under its name, and Homeport set up with the URL of its gateway's description."""

    name: str
    line: Line
    lab: Lab
    homeport: Homeport


@asynccontextmanager
async def running_line(name: str, authority: Authority, folder: Path) -> AsyncIterator[RunningLine]:
    """Build a line and start Home Assistant in it. Skips the test where that is not possible."""
    line = LINES[name](STUN, echo(authority.issue(*ADDRESSES)))
    require({name: of for daemon in line.topology.daemons for name, of in daemon.needs.items()})
    lab_folder = folder / "lab"
    lab_folder.mkdir()
    with build(line.topology, lab_folder) as lab:
        server = HomeAssistantServer(
            folder / "config",
            inside=lab["lan"],
            environment={"REQUESTS_CA_BUNDLE": str(authority.bundle)},
        )
        await server.start()
        try:
            yield RunningLine(
                name, line, lab, await Homeport.set_up(server, line.location, OUTSIDE)
            )
        finally:
            # What it would still do costs a second, and nobody looks at it.
            await server.stop(within=0)
