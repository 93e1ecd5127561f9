"""Fifty ports checked at once: beside each other where the prober allows it."""

from pathlib import Path
from time import monotonic
from typing import Any

from tests.lab import Authority
from tests.lab.build import build
from tests.lab.fixtures import require
from tests.lab.home import MINIUPNPD, NET, ROUTER, SRV, home as home_topology
from tests.lab.peers import STUN, outside

from .homeport import OUTSIDE, Homeport
from .prober_lab import ask_own_prober, own_prober
from .server import HomeAssistantServer

PORTS = 50


async def test_fifty_ports(authority: Authority, tmp_path: Path) -> None:
    prober = own_prober(authority, tmp_path)
    daemons = (MINIUPNPD, outside(authority.issue(NET)), STUN, *prober.daemons)
    topology = home_topology(*daemons, names=True)
    require({name: of for daemon in daemons for name, of in daemon.needs.items()})
    folder = tmp_path / "lab"
    folder.mkdir()
    with build(topology, folder) as lab:
        async with HomeAssistantServer(
            tmp_path / "config",
            inside=lab["lan"],
            environment={"REQUESTS_CA_BUNDLE": str(authority.bundle)},
        ) as server:
            homeport = await Homeport.set_up(server, ROUTER, {**OUTSIDE, "prober_url": ""})
            await ask_own_prober(homeport, prober)
            ports = [
                await homeport.add_port(
                    f"Port {number}",
                    internal_client=SRV,
                    internal_port=str(19_000 + number),
                    external_port=str(19_000 + number),
                )
                for number in range(PORTS)
            ]
            entities = [await homeport.entity("reachability", port) for port in ports]
            begin = monotonic()
            said: dict[str, Any] = await server.call_service(
                "homeport.check_port", target={"entity_id": entities}, response=True
            )
            wall = monotonic() - begin
    steps = [
        step
        for answer in said.values()
        for step in answer["ipv4"]["steps"]
        if step["step"] == "outside"
    ]
    slowest = max(step["seconds"] for step in steps)
    assert {answer["ipv4"]["reachability"] for answer in said.values()} == {"timed_out"}
    assert len(steps) == PORTS
    print(f"\n{PORTS} checks: {wall:.1f} s, the slowest probe {slowest:.1f} s")  # noqa: T201
