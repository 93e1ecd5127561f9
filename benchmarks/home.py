"""A home to measure in: one router, one Home Assistant with Homeport, for all benchmarks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.homeport import Homeport
from tests.e2e.server import HomeAssistantServer
from tests.lab import Authority, Bind, Lab, Miniupnpd, build
from tests.lab.home import MINIUPNPD, NET, ROUTER, home
from tests.lab.peers import outside

# When the router's events arrive can be seen in the log alone.
_CONFIGURATION = """\
logger:
  default: warning
  logs:
    custom_components.homeport.gateway.events: debug
"""


_CALM = 0.5
"""Seconds without a word from the router after which nobody is asking it any more."""


@dataclass(frozen=True, slots=True)
class Home:
    """A running lab, and in it a Home Assistant whose Homeport knows the router."""

    lab: Lab
    homeport: Homeport

    @property
    def server(self) -> HomeAssistantServer:
        """Return Home Assistant, with its WebSocket open."""
        return self.homeport.server

    async def calm(self) -> None:
        """Wait until the router is at rest, so that no round makes the next one slower."""
        log = self.lab.folder / f"{self.lab.daemon(Miniupnpd).name}.log"
        said = -1
        while said != log.stat().st_size:
            said = log.stat().st_size
            await asyncio.sleep(_CALM)


@asynccontextmanager
async def at_home(folder: Path) -> AsyncIterator[Home]:
    """Build everything, for as long as the context lasts."""
    authority = Authority(folder)
    bind = Bind(namespace="net", addresses=(NET,))
    with build(home(MINIUPNPD, bind, outside(authority.issue(NET))), folder) as lab:
        async with HomeAssistantServer(
            folder / "config",
            inside=lab["lan"],
            environment={"REQUESTS_CA_BUNDLE": str(authority.bundle)},
            configuration=_CONFIGURATION,
        ) as server:
            yield Home(lab, await Homeport.set_up(server, ROUTER))
