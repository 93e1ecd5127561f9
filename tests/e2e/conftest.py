"""A home in the lab, with a gateway, a name server, the outside, and Home Assistant in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.lab import Authority, Bind, Lab
from tests.lab.fixtures import MakeLab, authority, make_lab, pytest_terminal_summary
from tests.lab.home import MINIUPNPD, NET, home as home_topology
from tests.lab.peers import STUN, outside

from .server import HomeAssistantServer

__all__ = ["authority", "make_lab", "pytest_terminal_summary"]


@pytest.fixture(scope="module")
def home(make_lab: MakeLab, authority: Authority) -> Lab:
    """Build the home with miniupnpd, BIND, and echo and prober outside."""
    bind = Bind(namespace="net", addresses=(NET,), records=("home A 192.0.2.1",))
    return make_lab(home_topology(MINIUPNPD, bind, outside(authority.issue(NET)), STUN))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hass_server(
    home: Lab, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[HomeAssistantServer]:
    """Run Home Assistant on `lan`, where it trusts the lab's certificates."""
    config_dir: Path = tmp_path_factory.mktemp("config")
    async with HomeAssistantServer(
        config_dir,
        inside=home["lan"],
        environment={"REQUESTS_CA_BUNDLE": str(authority.bundle)},
    ) as server:
        yield server
