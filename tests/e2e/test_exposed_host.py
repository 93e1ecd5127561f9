"""Whether Home Assistant's machine is open to the whole internet, seen from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab import Authority, Lab
from tests.lab.build import build
from tests.lab.coturn import Coturn
from tests.lab.fixtures import require
from tests.lab.home import LAN, MINIUPNPD, NET, NET6, ROUTER, WAN, home as home_topology
from tests.lab.peers import STUN_SERVER, outside

from .homeport import DOMAIN, OUTSIDE, Homeport
from .prober_lab import ask_own_prober, own_prober
from .server import HomeAssistantServer

NOBODY = "192.168.77.99"


def dmz(to: str) -> str:
    """Return the rules that send everything that nobody has asked for to one machine."""
    return f"""
table ip dmz {{
  chain prerouting {{
    type nat hook prerouting priority dstnat + 10; policy accept;
    iifname "wan0" ip daddr {WAN} dnat to {to}
  }}
}}
insert rule inet filter forward ct status dnat accept
"""


UNFILTERED = 'insert rule inet filter forward iifname "wan0" meta nfproto ipv6 accept\n'

# Rules of the router, and what is shown over each family.
ROWS = {
    "nothing": ("", False, False),
    "DMZ to this machine": (dmz(LAN), True, False),
    "DMZ to nobody": (dmz(NOBODY), False, False),
    "IPv6 filter off": (UNFILTERED, False, True),
}


@pytest.mark.parametrize("closed", ["drop", "reject"])
async def test_exposed_host(authority: Authority, tmp_path: Path, closed: str) -> None:
    prober = own_prober(authority, tmp_path)
    asked = {**OUTSIDE, "prober_url": "", "stun_servers": [STUN_SERVER, f"[{NET6}]:3478"]}
    stun = Coturn(namespace="net", addresses=(NET, NET6))
    daemons = (MINIUPNPD, outside(authority.issue(NET)), stun, *prober.daemons)
    topology = home_topology(*daemons, closed=closed, names=True)
    require({name: of for daemon in daemons for name, of in daemon.needs.items()})
    folder = tmp_path / "lab"
    folder.mkdir()
    with build(topology, folder) as lab:
        async with HomeAssistantServer(
            tmp_path / "config",
            inside=lab["lan"],
            environment={"REQUESTS_CA_BUNDLE": str(authority.bundle)},
        ) as server:
            homeport = await Homeport.set_up(server, ROUTER, asked)
            await homeport.state("exposed_host", "unknown")
            await ask_own_prober(homeport, prober)
            await homeport.state("public_ipv6", "2a00:77:77:1::10")
            for name, (rules, ipv4, ipv6) in ROWS.items():
                with router_rules(lab, rules):
                    seen = await look(homeport)
                print(f"\n{closed}, {name}: IPv4 {seen[0]}, IPv6 {seen[1]}", end="")  # noqa: T201
                assert seen == (ipv4, ipv6), name
                issues = {each["translation_key"] for each in await server.issues(DOMAIN)}
                assert ("exposed_host" in issues) is (ipv4 or ipv6), name


async def look(homeport: Homeport) -> tuple[bool, bool]:
    """Look at it anew, and return whether it is exposed over IPv4 and over IPv6."""
    entity = await homeport.entity("exposed_host")
    await homeport.press("detect_line", "")
    state = await homeport.server.wait_state(
        entity,
        lambda state: None not in (state["attributes"]["ipv4"], state["attributes"]["ipv6"]),
        within=40,
    )
    shown = state["attributes"]["ipv4"], state["attributes"]["ipv6"]
    assert state["state"] == ("on" if any(shown) else "off")
    return shown


@contextmanager
def router_rules(lab: Lab, rules: str) -> Iterator[None]:
    """Have more rules on the router for a while."""
    router = lab["rtr"]
    router.run("nft", "-f", "-", stdin=rules)
    try:
        yield
    finally:
        if "table ip dmz" in rules:
            router.run("nft", "delete", "table", "ip", "dmz")
        if "insert" in rules:
            listed = router.run("nft", "-a", "list", "chain", "inet", "filter", "forward")
            first = next(
                line
                for line in listed.splitlines()
                if "# handle" in line and "chain" not in line and "type" not in line
            )
            router.run(
                "nft",
                "delete",
                "rule",
                "inet",
                "filter",
                "forward",
                "handle",
                first.rpartition(" ")[2],
            )
