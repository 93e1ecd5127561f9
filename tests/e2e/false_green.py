"""Lines on which a port might look open that is not, and what is looked at on each."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count

from tests.lab import Bind, Lab
from tests.lab.home import LAN, NET, NET6
from tests.lab.lines.closed import CGN_WAN, SQUATTED_WAN
from tests.lab.lines.mape import V6PLUS
from tests.lab.lines.outside import ECHO6
from tests.lab.lines.pieces import OWN as PUBLIC
from tests.lab.lines.second_router import INNER
from tests.lab.lines.temporary import both, leave_temporary
from tests.lab.test_response_port import CONE, arrives
from tests.lab.traffic import ask_tcp, ask_udp, closed, mirror

from .cells import ECHOIP, OWN, STUN, Cell, Ports
from .knocks import BEGINS, Knocks
from .lab_control import asked_outside
from .prober_lab import OwnProber
from .running_line import RunningLine

UP, FREE = 8200, 8201
"""Ports at home: one that somebody listens at, over TCP and UDP, and one that nobody does."""
SERVER, SERVER6 = f"{NET}:3478", f"[{NET6}]:3478"


@dataclass(frozen=True, slots=True)
class Scene:
    """A line, the prober on its other side, and the ports that are looked at."""

    running: RunningLine
    prober: OwnProber
    ports: Ports

    @property
    def lab(self) -> Lab:
        """Return the lab."""
        return self.running.lab

    async def ask_own(self, address: str = NET) -> None:
        """Have the own prober asked from now on, at this address."""
        await self.ports.ask(**self.prober.options_at(address))


# --- The neighbour's home listens at its ports of the address that both have ---------------------

OURS = V6PLUS.ports[3][0] + 5
THEIRS = V6PLUS.neighbour().ports[3][0] + 5
NOT_OURS = {"reachability": "-", "blocked_by": "port_not_in_set"}
# What stops these first is that nothing listens at home.
NOT_OURS_FREE = {"reachability": "-", "blocked_by": "service_down"}
SHARED_ADDRESS = [
    Cell("the neighbour's", "TCP", 4, UP, THEIRS, on=True, **NOT_OURS),
    Cell("the neighbour's", "UDP", 4, UP, THEIRS, on=True, **NOT_OURS),
    Cell("the neighbour's", "TCP", 4, UP, THEIRS + 1, by_hand=True, **NOT_OURS),
    Cell("the neighbour's, free here", "TCP", 4, 8210, THEIRS + 2, on=True, **NOT_OURS_FREE),
    Cell("the neighbour's, free here", "UDP", 4, 8211, THEIRS + 2, on=True, **NOT_OURS_FREE),
    Cell("nobody's", "TCP", 4, UP, 8123, on=True, **NOT_OURS),
    Cell("ours", "TCP", 4, UP, OURS, on=True),
    Cell("ours, free here", "UDP", 4, 8212, OURS, on=True, blocked_by="service_down"),
]


async def shared_address(scene: Scene, *, by_stun: bool) -> None:
    """Never knock at the neighbour's, also not to see whether we are exposed."""
    lab, ports, address = scene.lab, scene.ports, V6PLUS.ipv4
    to_us = f'iifname "n0" ip daddr {address}'
    relay = Knocks.count(
        lab["isp"],
        any=(f"{to_us} {BEGINS}", f"{to_us} meta l4proto udp"),
        ours=(
            f"{to_us} tcp dport {V6PLUS.match} {BEGINS}",
            f"{to_us} udp dport {V6PLUS.match}",
        ),
    )
    neighbour = Knocks.count(lab["neighbour"], came=(BEGINS, "meta l4proto udp"))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(mirror(lab["lan"], UP))
        for port in range(THEIRS, THEIRS + 3):
            await stack.enter_async_context(mirror(lab["neighbour"], port))
            await ask_tcp(lab["net"], address, port)
            await ask_udp(lab["net"], address, port)
        assert neighbour.so_far() == {"came": 6}
        neighbour.forget()
        relay.forget()
        first, *others = SHARED_ADDRESS
        await ports.add(first)
        await ports.check(ECHOIP, [first])  # perhaps before it is known what the line is
        await ports.homeport.state("line_mode", "map_e", within=30)
        await ports.add(*others)
        await ports.homeport.detect_line()
        await ports.know_exposed_host()
        await ports.check(ECHOIP, [each for each in SHARED_ADDRESS if each.protocol == "TCP"])
        if by_stun:
            await ports.ask(udp_server=SERVER)
            await ports.check(STUN, [each for each in SHARED_ADDRESS if each.protocol == "UDP"])
        else:
            await scene.ask_own()
            await ports.know_exposed_host()
            await ports.check(OWN, SHARED_ADDRESS)
            await ports.homeport.detect_line()
            await ports.know_exposed_host()
    came, knocks = neighbour.so_far(), relay.so_far()
    assert came == {"came": 0}, came
    assert knocks["any"] == knocks["ours"] > 0, knocks


# --- Our own NAT lets in what answers to us ------------------------------------------------------

KINDS = {"masquerade": "", "full cone": CONE.replace("wan0", "w0")}
LET_IN = "insert rule inet filter forward ct status dnat accept\n"


async def own_nat(scene: Scene) -> None:
    """Tell a mapping from the state that the router keeps for what we have sent."""
    lab, ports = scene.lab, scene.ports
    await ports.homeport.state("line_mode", "public", within=30)
    await ports.ask(udp_server=SERVER)
    for begin, (kind, rules) in zip((19_000, 19_100), KINDS.items(), strict=True):
        if rules:
            lab["rtr"].run("nft", "-f", "-", stdin=rules + LET_IN)
        # Asked for in a wrong way, it does come in.
        assert arrives(lab["lan"], begin, same=True, change=bool(rules))
        cells = [
            *(Cell(kind, "UDP", 4, begin + 1 + n, **CLOSED4) for n in range(3)),
            *(Cell(kind, "UDP", 4, begin + 4 + n, on=True, **OPEN) for n in range(2)),
        ]
        await ports.add(*cells)
        await ports.check(STUN, cells)
    cells = [
        Cell("firewall", "UDP", 6, 19_200, **CLOSED6),
        Cell("firewall", "UDP", 6, 19_201, on=True, **OPEN),
    ]
    await ports.ask(udp_server=SERVER6)
    await ports.add(*cells)
    await ports.check(STUN, cells)


OPEN = {"blocked_by": "service_down"}
CLOSED4 = {"reachability": "timed_out", "blocked_by": "no_mapping"}
CLOSED6 = {"reachability": "timed_out", "blocked_by": "router_filter_v6"}


# --- A temporary address is open, and the lasting one is not -------------------------------------

FILTERED = {"reachability": "timed_out", "blocked_by": "router_filter_v6"}
THERE, THERE_TOO, HERE = 8202, 8203, 8204
TEMPORARY = [
    Cell("open at another", "TCP", 6, UP, **FILTERED),
    Cell("open at another", "UDP", 6, UP, **FILTERED),
    Cell("open at another, free", "TCP", 6, FREE, **FILTERED),
    Cell("open at another, free", "UDP", 6, FREE, **FILTERED),
    Cell("open and listens at another", "TCP", 6, THERE, **FILTERED),
    # The way is there, but nobody at its end.
    Cell("open, listens at another", "TCP", 6, THERE_TOO, on=True, blocked_by="service_down"),
    Cell("open", "TCP", 6, HERE, on=True),
]
UNSTABLE = {
    "name": "there is no other",
    "reachability": "-",
    "blocked_by": "unstable_address",
}


async def temporary_address(scene: Scene) -> None:
    """Be asked from the address under test, and never mean another one."""
    lab, ports = scene.lab, scene.ports
    lasting, temporary = await both(lab)
    await ports.homeport.state("public_ipv6", lasting, within=30)
    let_in(lab, temporary)
    to_prober = f"ip6 daddr {NET6} tcp dport 8443 {BEGINS}"
    asking = Knocks.count(
        lab["lan"], "output", any=to_prober, lasting=f"ip6 saddr {lasting} {to_prober}"
    )
    async with AsyncExitStack() as stack:
        for port in UP, HERE:
            await stack.enter_async_context(mirror(lab["lan"], port))
        for port in THERE, THERE_TOO:
            await stack.enter_async_context(lab["lan"].serve(b"here", port, temporary))
            assert await lab["net"].fetch(temporary, port) == b"here"
        await ask_tcp(lab["net"], temporary, UP)
        await ask_udp(lab["net"], temporary, UP)
        assert await closed(lab["net"], lasting, UP)
        await ports.add(*TEMPORARY)
        await ports.check(ECHOIP, [each for each in TEMPORARY if each.protocol == "TCP"])
        await ports.ask(udp_server=SERVER6)
        await ports.check(
            STUN, [each for each in TEMPORARY if (each.protocol, each.inside) == ("UDP", FREE)]
        )
        await scene.ask_own(NET6)
        await ports.check(OWN, TEMPORARY)
        asked = [each for each in await asked_outside(lab) if "/port/" in each["path"]]
        assert {each["caller"] for each in asked} == {lasting}, asked
        knocks = asking.so_far()
        assert knocks["any"] == knocks["lasting"] > 0, knocks

        left = await leave_temporary(lab)
        let_in(lab, left)
        await ask_tcp(lab["net"], left, UP)
        arriving = Knocks.count(lab["rtr"], came=f'iifname "e0" ip6 daddr {left} {BEGINS}')
        cells = [ports.again(each, **UNSTABLE) for each in TEMPORARY[:2]]
        await ports.homeport.state("public_ipv6", left, within=30)
        await ports.check(OWN, cells)
        came = arriving.so_far()
        assert came == {"came": 0}, came


def let_in(lab: Lab, address: str) -> None:
    """Have the router's firewall let in what is sent to the ports of an address."""
    rule = f"ip6 daddr {address} meta l4proto {{ tcp, udp }} th dport {UP}-{THERE_TOO} accept"
    lab["rtr"].run("nft", "insert", "rule", "inet", "filter", "forward", *rule.split())


# --- The home's router lets it in, and something else does not -----------------------------------


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stops a port that the home's router lets in.

    - `blocked_by`: its name
    - `near`: a machine that reaches such a port all the same, at the address `wan`
    - `asked`: whether a prober is worth to be asked
    - `by_stun`: whether a STUN server is asked as well, and not the own prober
    """

    blocked_by: str
    near: str
    wan: str
    asked: bool = False
    by_stun: bool = False

    async def play(self, scene: Scene) -> None:
        """Name it where the port is opened, by whomever."""
        lab, ports = scene.lab, scene.ports
        cells = self._cells()
        lab["rtr"].run("nft", "-f", "-", stdin=led_home(cells))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(mirror(lab["lan"], UP))
            await ask_tcp(lab[self.near], self.wan, cells[0].external)
            if self.asked:
                cells.append(answered := Cell("another answers", "TCP", 4, UP, 18_099, **MET))
                await stack.enter_async_context(mirror(lab[self.near], answered.external))
                rule = f"tcp dport {answered.external} accept"
                lab[self.near].run(
                    "nft", "insert", "rule", "inet", "filter", "input", *rule.split()
                )
                await ask_tcp(lab["net"], PUBLIC, answered.external)
            await ports.homeport.state("line_mode", scene.running.line.mode, within=30)
            await ports.add(*cells)
            await ports.check(ECHOIP, [each for each in cells if each.protocol == "TCP"])
            if self.by_stun:
                await ports.ask(udp_server=SERVER)
                free = [each for each in cells if each.protocol == "UDP" and each.inside != UP]
                await ports.check(STUN, free)
            else:
                await scene.ask_own()
                await ports.check(OWN, cells)
        if not self.asked:
            paths = [each["path"] for each in await asked_outside(lab)]
            assert not [each for each in paths if "/port/" in each], paths

    def _cells(self) -> list[Cell]:
        """Return ports that are opened by Homeport or by hand, and led home in any case."""
        numbers = count(18_001)
        return [
            Cell(
                "up" if up else "free",
                protocol,
                4,
                UP if up else next(numbers),
                next(numbers),
                on=on,
                by_hand=not on,
                reachability="timed_out" if self.asked else "-",
                # Where nobody knocks, a listener of ours stands in for nobody.
                blocked_by=self.blocked_by if up or self.asked else "service_down",
            )
            for on in (True, False)
            for protocol in ("TCP", "UDP")
            for up in (True, False)
        ]


MET = {"by_hand": True, "reachability": "possible", "blocked_by": "-"}


def led_home(cells: list[Cell]) -> str:
    """Return the rules of a router that leads these ports to Home Assistant's machine."""
    rules = "\n    ".join(
        f'iifname "w0" {each.protocol.lower()} dport {each.external} dnat to {LAN}:{each.inside}'
        for each in cells
    )
    return f"""
table ip by_hand {{
  chain prerouting {{
    type nat hook prerouting priority -90; policy accept;
    {rules}
  }}
}}
{LET_IN}"""


OBSTACLES = {
    "private_wan": Obstacle("line_private", "hgw", INNER, asked=True),
    "double_nat": Obstacle("second_nat", "hgw", INNER, asked=True),
    "double_nat_silent": Obstacle("second_nat", "hgw", INNER, asked=True, by_stun=True),
    "two_exits": Obstacle("two_exits", "net", PUBLIC),
    "cgnat_silent": Obstacle("line_cgnat", "isp", CGN_WAN),
    "squatted": Obstacle("line_cgnat", "isp", SQUATTED_WAN),
}

# --- Of two ways out, the one that this machine does not take ------------------------------------

NAME = "pppoe"
"""What the own prober is told to dial there."""
RESOLVER = Bind(
    namespace="net", label="other-exit", addresses=("127.0.0.1",), records=(f"{NAME} A {PUBLIC}",)
)
"""Whom it asks where that leads."""


async def by_name(scene: Scene) -> None:
    """Find a port reachable that only somebody sees who dials the other way out."""
    lab, ports = scene.lab, scene.ports
    free = [Cell("free", each, 4, FREE, 18_101, on=True, **OPEN) for each in ("TCP", "UDP")]
    up = [Cell("up", each, 4, UP, 18_102, on=True) for each in ("TCP", "UDP")]
    closed_there = [
        Cell("up, closed", each, 4, UP, 18_103, reachability="timed_out", blocked_by="no_mapping")
        for each in ("TCP", "UDP")
    ]
    async with mirror(lab["lan"], UP):
        await ports.homeport.state("line_mode", scene.running.line.mode, within=30)
        await ports.ask(**scene.prober.options_at(NET), own_prober_name=NAME)
        await ports.add(*free, *up, *closed_there)
        # Our own listener proves that the router's address is this home's.
        await ports.check(OWN, free)
        await ports.check(OWN, up + closed_there)
    paths = [each["path"] for each in await asked_outside(lab)]
    assert not [each for each in paths if "/port/" in each], paths


type Play = Callable[[Scene], Awaitable[None]]

SCENES: dict[str, tuple[str, dict[str, str], Play]] = {
    "temporary address": ("map_e_v6plus", {"prober_url": ECHO6[0]}, temporary_address),
    "map_e_v6plus": ("map_e_v6plus", {}, partial(shared_address, by_stun=False)),
    "private_wan": ("private_wan", {}, OBSTACLES["private_wan"].play),
    "own NAT": ("public", {"prober_url": ""}, own_nat),
    "map_e_v6plus_unlimited": (
        "map_e_v6plus_unlimited",
        {},
        partial(shared_address, by_stun=True),
    ),
    "two_exits, by name": ("two_exits", {}, by_name),
    **{name: (name, {}, each.play) for name, each in OBSTACLES.items()},
}
"""By title: a line, what is asked there, and what happens; what takes longest begins first."""
