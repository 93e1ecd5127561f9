"""Every cell of what a port can look like, seen from outside by a real prober."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
import socket
from typing import Any

import pytest

from tests.lab import Authority, Lab
from tests.lab.build import build
from tests.lab.coturn import Coturn
from tests.lab.fixtures import require
from tests.lab.home import (
    GUEST,
    GUEST6,
    MINIUPNPD,
    NET,
    NET6,
    ROUTER,
    SRV,
    home as home_topology,
)
from tests.lab.host import Host
from tests.lab.peers import STUN_SERVER, outside
from tests.lab.traffic import mirror

from .homeport import OUTSIDE, Homeport
from .prober_lab import ask_own_prober, own_prober
from .server import HomeAssistantServer

SERVICES = "up", "down", "absent", "silent"

# (reachability, blocked by) where the router leads to the service.
SEEN = {
    ("TCP", "up"): ("reachable", "nothing"),
    ("TCP", "down"): ("refused", "service_down"),
    ("TCP", "absent"): ("unreachable", "host_absent"),
    # A host that is there and does not answer a SYN filters it.
    ("TCP", "silent"): ("timed_out", "host_firewall"),
    ("UDP", "up"): ("reachable", "nothing"),
    ("UDP", "down"): ("refused", "service_down"),
    ("UDP", "absent"): ("unreachable", "host_absent"),
    ("UDP", "silent"): ("timed_out", "service_silent"),
}
NOT_MAPPED = {4: "no_mapping", 6: "router_filter_v6"}
# What is found at home stops it first.
AT_HOME = {"down": "service_down", "absent": "host_absent"}


QUIET = """
table inet quiet {
  chain input {
    type filter hook input priority filter; policy accept;
    tcp dport { PORTS } drop
  }
}
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """A port in one of all states."""

    mapped: bool
    service: str
    protocol: str
    family: int
    number: int

    @property
    def port(self) -> int:
        return 18_000 + self.number

    @property
    def own(self) -> bool:
        """Whether it is Home Assistant's own machine: the router opens IPv6 for nobody else."""
        return self.family == 6 and self.service != "absent"

    def expected(self, closed: str) -> tuple[str, str]:
        if self.mapped:
            seen, blocked_by = SEEN[self.protocol, self.service]
            if self.own and self.service == "down":
                seen = "reachable"  # a listener of ours stood in
            if self.family == 6 and self.service == "absent":
                seen = "timed_out"  # the rule was made by hand, and ends nowhere
            return seen, blocked_by
        refused = "refused" if closed == "reject" else "timed_out"
        if self.protocol == "TCP" and self.service == "silent":
            return refused, "host_firewall"
        at_home = None if self.own else AT_HOME.get(self.service)
        return refused, at_home or NOT_MAPPED[self.family]


CELLS = [
    Cell(*each, number)
    for number, each in enumerate(product((True, False), SERVICES, ("TCP", "UDP"), (4, 6)))
]


@pytest.mark.parametrize("closed", ["drop", "reject"])
async def test_every_cell(authority: Authority, tmp_path: Path, closed: str) -> None:
    prober = own_prober(authority, tmp_path)
    asked = {**OUTSIDE, "prober_url": "", "stun_servers": [STUN_SERVER, f"[{NET6}]:3478"]}
    stun = Coturn(namespace="net", addresses=(NET, NET6))
    daemons = (MINIUPNPD, outside(authority.issue(NET)), stun, *prober.daemons)
    topology = home_topology(*daemons, closed=closed, names=True, guest=True)
    require({name: of for daemon in daemons for name, of in daemon.needs.items()})
    folder = tmp_path / "lab"
    folder.mkdir()
    with build(topology, folder) as lab:
        async with (
            HomeAssistantServer(
                tmp_path / "config",
                inside=lab["lan"],
                environment={"REQUESTS_CA_BUNDLE": str(authority.bundle)},
            ) as server,
            services(lab["srv"], own=False),
            services(lab["lan"], own=True),
        ):
            homeport = await Homeport.set_up(server, ROUTER, asked)
            await ask_own_prober(homeport, prober)
            ports = {cell: await add(homeport, cell) for cell in CELLS}
            await settle(lab, homeport, ports)
            found = await check(homeport, ports)
            again = await check(homeport, ports)
    rows = [(cell, cell.expected(closed), found[cell], again[cell]) for cell in CELLS]
    print(f"\nThe router's answer at a closed port: {closed}")  # noqa: T201
    for cell, _, first, _ in rows:
        opened = "mapped" if cell.mapped else "not mapped"
        print(  # noqa: T201
            f"{opened:10} {cell.service:6} {cell.protocol} IPv{cell.family}: {first[0]}, {first[1]}"
        )
    for cell, (seen, blocked_by), *checks in rows:
        for reachability, blocker in checks:
            assert (reachability, blocker) == (seen, blocked_by), cell


async def add(homeport: Homeport, cell: Cell) -> str:
    """Add the port of a cell."""
    name = f"{cell.service} {cell.protocol} IPv{cell.family} {cell.number}"
    to = {} if cell.own else {"internal_client": GUEST if cell.service == "absent" else SRV}
    return await homeport.add_port(
        name,
        protocol=cell.protocol,
        families=[f"ipv{cell.family}"],
        internal_port=str(cell.port),
        external_port=str(cell.port),
        by_hand=cell.family == 6 and cell.mapped and not cell.own,
        **to,
    )


async def settle(lab: Lab, homeport: Homeport, ports: dict[Cell, str]) -> None:
    """Open what is to be open, and let a machine that was there go."""
    # Else it leaves out to say that a host is not there: it sends few ICMP errors by itself.
    for limit in "icmp_ratelimit=0", "icmp_msgs_per_sec=100000":
        lab["rtr"].run("sysctl", "-q", "-e", "-w", f"net.ipv4.{limit}")
    for cell, port in ports.items():
        if not cell.mapped:
            continue
        if cell.family == 4 or cell.own:
            await homeport.switch(port, on=True)
        else:
            # Other machines' pinholes are refused by this router; people make such a rule by hand.
            rule = f"ip6 daddr {GUEST6} {cell.protocol.lower()} dport {cell.port} accept"
            lab["rtr"].run("nft", "insert", "rule", "inet", "filter", "forward", *rule.split())
    silent = [cell for cell in CELLS if (cell.protocol, cell.service) == ("TCP", "silent")]
    for name, own in (("srv", False), ("lan", True)):
        dropped = ", ".join(str(cell.port) for cell in silent if cell.own is own)
        lab[name].run("nft", "-f", "-", stdin=QUIET.replace("PORTS", dropped))
    # The kernel of Home Assistant's machine has to have met it, to know its IPv6 address.
    async with lab["guest"].serve(b"here", 9000, "::"):
        assert await lab["lan"].fetch(GUEST6, 9000) == b"here"
    await check(homeport, {cell: port for cell, port in ports.items() if cell.family == 6})
    lab["guest"].run("ip", "link", "set", "eth0", "down")
    # It counts as there for half a minute more, unless the kernel is told that it is not.
    for address in GUEST, GUEST6:
        lab["lan"].run("ip", "neighbour", "delete", address, "dev", "eth0")


@asynccontextmanager
async def services(host: Host, *, own: bool) -> AsyncIterator[None]:
    """Run what is up: TCP and UDP that answer, UDP that does not, TCP behind a packet filter."""
    async with AsyncExitStack() as stack:
        for cell in CELLS:
            if cell.own is not own:
                continue
            match cell.service, cell.protocol:
                case ("up", _) | ("silent", "TCP"):
                    await stack.enter_async_context(mirror(host, cell.port))
                case "silent", "UDP":
                    stack.enter_context(mute(host, cell.port))
        yield


@contextmanager
def mute(host: Host, port: int) -> Iterator[None]:
    """Have somebody listen over UDP who never answers."""
    with host.new_socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::", port))
        yield


async def check(homeport: Homeport, ports: dict[Cell, str]) -> dict[Cell, tuple[str, str]]:
    """Check all ports at once."""
    entities = {
        cell: await homeport.entity(f"reachability{'' if cell.family == 4 else '_ipv6'}", port)
        for cell, port in ports.items()
    }
    said: dict[str, Any] = await homeport.server.call_service(
        "homeport.check_port", target={"entity_id": list(entities.values())}, response=True
    )
    answers = {cell: said[entity][f"ipv{cell.family}"] for cell, entity in entities.items()}
    return {cell: (each["reachability"], each["blocked_by"]) for cell, each in answers.items()}
