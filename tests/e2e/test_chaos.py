"""Home Assistant is killed while ports are played with: nothing is leaked, nothing is lost.

HOMEPORT_CHAOS=50 kills it that often, HOMEPORT_CHAOS_SEED repeats a run's choices.
"""

from collections.abc import Callable
import os
from pathlib import Path
from random import Random

import pytest

from tests.lab import Authority, Lab
from tests.lab.fixtures import MakeLab
from tests.lab.home import MINIUPNPD, NET, WAN, home as home_topology
from tests.lab.peers import SIMULATED_GATEWAY_LOCATION, STUN, outside, simulated_gateway

from .chaos import Chaos, MortalServer
from .homeport import Homeport

KILLS = int(os.environ.get("HOMEPORT_CHAOS", "5"))
SEED = int(os.environ.get("HOMEPORT_CHAOS_SEED", "20261124"))
STARTING = 0.2
"""How many of the kills come while it starts."""

# Half of them where a rule that is forgotten stays for ever.
ROUTERS = {
    "permanent leases only": (
        (KILLS + 1) // 2,
        simulated_gateway(WAN, "--quirk", "only_permanent"),
        SIMULATED_GATEWAY_LOCATION,
    ),
    "miniupnpd": (KILLS // 2, MINIUPNPD, MINIUPNPD.location),
}

pytestmark = pytest.mark.asyncio


@pytest.fixture
def build_home(make_lab: MakeLab, authority: Authority) -> Callable[..., Lab]:
    """Return what builds a home with this router."""
    return lambda daemon: make_lab(home_topology(daemon, outside(authority.issue(NET)), STUN))


@pytest.mark.timeout(60 + 30 * KILLS)
@pytest.mark.parametrize("router", ROUTERS)
async def test_killed_again_and_again(
    build_home: Callable[..., Lab], authority: Authority, tmp_path: Path, router: str
) -> None:
    kills, daemon, location = ROUTERS[router]
    random = Random(f"{SEED} {router}")
    print(f"\n{router}: {kills} kills, seed {SEED}")  # noqa: T201
    lab = build_home(daemon)
    server = MortalServer(
        tmp_path,
        inside=lab["lan"],
        environment={"REQUESTS_CA_BUNDLE": str(authority.bundle)},
    )
    await server.start()
    try:
        chaos = Chaos(lab, await Homeport.set_up(server, location), location, random)
        await chaos.begin()
        for number in range(1, kills + 1):
            after = random.uniform(0.0, 2.5)
            await chaos.play(after)
            said = f"after {after:.2f} s"
            if random.random() < STARTING:
                starting = random.uniform(0.5, 6.0)
                await chaos.kill_while_starting(starting)
                said += f" and {starting:.1f} s into the start"
            before = chaos.left_behind()
            await server.start()
            took = await chaos.settled()
            print(f" {number:2}  {said}: {before}, settled in {took:.2f} s")  # noqa: T201
            await chaos.forget_doubts()
        assert "Traceback" not in server.log.read_text()
    finally:
        await server.kill()
