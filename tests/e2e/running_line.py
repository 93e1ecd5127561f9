"""A line of the lab with everything outside, and Home Assistant on `lan`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab import Authority, Lab
from tests.lab.build import build
from tests.lab.daemon import Daemon
from tests.lab.fixtures import require
from tests.lab.lines import LINES, Line
from tests.lab.lines.outside import ADDRESSES, ECHO4, ECHO6, STUN, echo
from tests.lab.topology import Topology

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
async def running_line(
    name: str, authority: Authority, folder: Path, *daemons: Daemon, **asked: str
) -> AsyncIterator[RunningLine]:
    """Build a line and start Home Assistant in it. Skips the test where that is not possible.

    `daemons` are more than what stands outside of every line, and `asked` is what the form is
    filled in with otherwise than with OUTSIDE.
    """
    line = LINES[name](STUN, echo(authority.issue(*ADDRESSES)), *daemons)
    require({name: of for daemon in line.topology.daemons for name, of in daemon.needs.items()})
    lab_folder = folder / "lab"
    lab_folder.mkdir()
    async with _built(line.topology, lab_folder) as lab:
        server = HomeAssistantServer(
            folder / "config",
            inside=lab["lan"],
            environment={"REQUESTS_CA_BUNDLE": str(authority.bundle)},
        )
        await server.start()
        try:
            homeport = await Homeport.set_up(server, line.location, {**OUTSIDE, **asked})
            yield RunningLine(name, line, lab, homeport)
        finally:
            # What it would still do costs a second, and nobody looks at it.
            await server.stop(within=0)


@asynccontextmanager
async def _built(topology: Topology, folder: Path) -> AsyncIterator[Lab]:
    """Build a lab while others go on: they have servers to answer for."""
    stack = ExitStack()
    building = asyncio.ensure_future(
        asyncio.to_thread(lambda: stack.enter_context(build(topology, folder)))
    )
    try:
        yield await asyncio.shield(building)
    finally:
        # A thread cannot be cancelled, and what it builds has to go.
        await asyncio.wait([building])
        await asyncio.to_thread(stack.close)
