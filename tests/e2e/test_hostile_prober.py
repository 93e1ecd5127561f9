"""Whatever probers say, and whoever stands in their way: nothing is green that does not work."""

import asyncio
from dataclasses import dataclass, field
from itertools import batched, count
from pathlib import Path
from secrets import token_urlsafe
import socket
import ssl

from tests.fakes.probers.liar import Kind, Liar, Lie, accepted, refused
from tests.fakes.probers.lies import LIES, SLOW, WAYS
from tests.lab import Authority, Bind
from tests.lab.build import build
from tests.lab.fixtures import require
from tests.lab.home import MINIUPNPD, NET, ROUTER, SRV, WAN, home as home_topology
from tests.lab.peers import STUN, outside
from tests.lab.traffic import MIRROR_PORT, mirror

from .api import FlowKind, Json
from .homeport import OUTSIDE, Homeport
from .lab_control import reached
from .server import HomeAssistantServer

LIAR = "11.22.33.3"
NAME = "liar.dyn.example"
HOSTED = {"check-host.net": "", "globalping.io": "api", "portchecker.io": ""}
"""The zones of the hosted probers, and the name of each in its zone."""
FREE = 19_999
"""A port of Home Assistant's own machine at which nobody listens."""
AT_ONCE = 10
"""How many ports are asked about at once."""
PICKED = {
    Kind.ECHOIP: (
        *("portal", "gzip bomb", "another port", "another address"),
        *("reachable as a text", "reachable as 1", "reachable in a list"),
    ),
    Kind.GLOBALPING: ("portal", "another port", "another address was dialled", "true replies"),
    Kind.CHECK_HOST: ("portal", "another address", "one of three"),
    Kind.PORTCHECKER: ("portal", "another address", "another port", "status as 1"),
}
"""Of those that may be asked a few times only."""
HANGS: dict[Kind, dict[str, Lie]] = {
    Kind.ECHOIP: SLOW,
    Kind.PORTCHECKER: {"hangs": SLOW["hangs"]},
}
SHUT = """
table inet shut {
  chain forward {
    type filter hook forward priority filter - 10; policy accept;
    iifname "wan0" ct state new drop
  }
}
"""
"""The router forwards nothing, although its table of mappings reads back well."""


@dataclass(slots=True)
class Stage:
    """Home Assistant, the liar, and ports that lead to a service that is up."""

    homeport: Homeport
    liar: Liar
    token: str
    ports: list[int] = field(default_factory=list)
    entities: dict[int, str] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=lambda: count(1))
    forms: dict[str, dict[str, object]] = field(default_factory=dict)

    async def ask_only(self, kind: Kind) -> None:
        """Ask nobody but one prober, which has not been asked before where it has any URL."""
        url = f"https://{NAME}/{next(self.numbers)}"
        probers: dict[str, object] = {}
        match kind:
            case Kind.OWN:
                probers = {"own_prober_url": url, "own_prober_token": self.token}
            case Kind.CHECK_HOST | Kind.GLOBALPING | Kind.PORTCHECKER:
                probers = {"hosted_probers": [kind.value]}
        if kind is Kind.GLOBALPING:
            probers["globalping_token"] = self.token
        others = {**OUTSIDE, "prober_url": url if kind is Kind.ECHOIP else ""}
        forms: dict[str, dict[str, object]] = {"probers": probers, "outside": others}
        for step, form in forms.items():
            if self.forms.get(step) == form:
                continue
            self.forms[step] = form
            done = await self.homeport.server.run_flow(
                FlowKind.OPTIONS, self.homeport.entry_id, {"next_step_id": step}, form
            )
            assert done["type"] == "create_entry", done

    async def check(self, *ports: int) -> dict[int, Json]:
        """Check ports at once, and return what is said of each."""
        found: dict[int, Json] = {}
        async with asyncio.timeout(60):
            while asked := [port for port in ports if port not in found]:
                entities = [self.entities[port] for port in asked]
                said = await self.homeport.server.call_service(
                    "homeport.check_port", target={"entity_id": entities}, response=True
                )
                await asyncio.sleep(0.05)
                answers = {port: said[self.entities[port]]["ipv4"] for port in asked}
                # With other services to ask, the address has to be found out anew.
                found |= {
                    port: answer
                    for port, answer in answers.items()
                    if answer["problem"] != "no_public_address"
                }
        return {port: found[port] for port in ports}

    async def told(self, kind: Kind, lies: dict[str, Lie]) -> None:
        """Check as many ports as there are lies, each about one, and see that none is believed."""
        ports = dict(zip(self.ports[: len(lies)], lies, strict=True))
        self.liar.lies |= {port: lies[what] for port, what in ports.items()}
        said = await self.check(*ports)
        for port, what in ports.items():
            self.not_believed(kind, what, port, said[port])

    def not_believed(self, kind: Kind, what: str, port: int, said: Json) -> None:
        """Print what is said of a port, and see that it is not known."""
        show(kind, what, said)
        assert (kind, port) in self.liar.asked, (kind, what, said)
        assert said["reachability"] is None, (kind, what)
        assert said["problem"], (kind, what)
        assert said["blocked_by"] in {None, "prober_failed"}, (kind, what)
        assert said["checked"] is None, (kind, what)

    async def slow(self, kind: Kind, lies: dict[str, Lie]) -> asyncio.Task[None]:
        """Begin to have lies told that take as long as is waited for them, in ports of their own.

        Returns once all were asked for.
        """
        ports = [self.ports.pop() for _ in lies]
        what_of = dict(zip(ports, lies, strict=True))
        self.liar.lies |= {port: lies[what] for port, what in what_of.items()}

        async def tell() -> None:
            for said in await asyncio.gather(*map(self.check, ports)):
                [(port, answer)] = said.items()
                self.not_believed(kind, what_of[port], port, answer)

        task = asyncio.create_task(tell())
        async with asyncio.timeout(10):
            while {(kind, port) for port in ports} - set(self.liar.asked):
                assert not task.done(), task.result()
                await asyncio.sleep(0.02)
        return task

    async def ask_anew(self, kind: Kind) -> None:
        """Ask nobody but one prober, and forget what others have said."""
        await self.ask_only(kind)
        await self.homeport.server.reload_entry(self.homeport.entry_id)
        await self.homeport.state("public_ipv4", WAN)
        await self.homeport.state("line_mode", "public")
        self.liar.asked.clear()

    async def looked_around(self, kind: Kind) -> None:
        """Wait until it was asked about a port that nothing is opened for, and that has ended."""
        async with asyncio.timeout(10):
            while not {port for by, port in self.liar.asked if by is kind} - self.entities.keys():
                await asyncio.sleep(0.02)
        # Its own listener waits half a second for somebody to come.
        await asyncio.sleep(0.7)


async def test_hostile_probers(authority: Authority, tmp_path: Path) -> None:
    bind = Bind(
        namespace="net",
        addresses=(NET,),
        records=(f"liar A {LIAR}",),
        extra="\n".join(zone(tmp_path, *each) for each in HOSTED.items()),
    )
    daemons = (MINIUPNPD, outside(authority.issue(NET)), STUN, bind)
    require({name: of for daemon in daemons for name, of in daemon.needs.items()})
    folder = tmp_path / "lab"
    folder.mkdir()
    names = [f"{name}.{zone}".removeprefix(".") for zone, name in HOSTED.items()]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(NAME, *names))
    liar, token = Liar(WAN), token_urlsafe(32)
    with build(home_topology(*daemons, names=True), folder) as lab:
        lab["net"].run("ip", "address", "add", f"{LIAR}/24", "dev", "eth0")
        lab["rtr"].run("nft", "-f", "-", stdin=SHUT)
        with lab["net"].inside():
            listening = socket.create_server((LIAR, 443))
        async with (
            liar.serve(listening, context),
            mirror(lab["srv"]),
            HomeAssistantServer(
                tmp_path / "config",
                inside=lab["lan"],
                environment={"REQUESTS_CA_BUNDLE": str(authority.bundle)},
                configuration="logger:\n  logs:\n    custom_components.homeport: debug\n",
            ) as server,
        ):
            stage = Stage(
                await Homeport.set_up(server, ROUTER, {**OUTSIDE, "prober_url": ""}), liar, token
            )
            await stage.homeport.state("line_mode", "public")
            await add_ports(stage)
            assert await reached(lab, stage.ports[0]) is None
            memory = peak(server)
            await lie(stage)
            grown = peak(server) - memory
            print(f"\nHome Assistant's memory has grown by {grown} MiB")  # noqa: T201
            await tell_untruth(stage)
            log = server.log.read_text()
    assert liar.tokens == {token}
    assert "Traceback" not in log
    assert token not in log
    assert grown < 60


async def lie(stage: Stage) -> None:
    """Have every prober lie in every way that its limit allows."""
    slow: list[asyncio.Task[None]] = []
    # Those that are given up last come first; what takes even longer is tested with less patience.
    for kind in (Kind.ECHOIP, Kind.PORTCHECKER, Kind.CHECK_HOST, Kind.GLOBALPING, Kind.OWN):
        await stage.ask_only(kind)
        slow.append(await stage.slow(kind, HANGS.get(kind, {})))
        lies = WAYS | LIES[kind]
        picked = PICKED.get(kind, lies)
        for some in batched(picked, AT_ONCE, strict=False):
            await stage.told(kind, {what: lies[what] for what in some})
    await asyncio.gather(*slow)


async def tell_untruth(stage: Stage) -> None:
    """See what comes of an answer in which nothing is wrong but that it is not true."""
    liar, port = stage.liar, stage.ports[0]
    for kind in (Kind.OWN, Kind.ECHOIP):
        # Of these ports alone: the opening reads back to the target, at this home's own address.
        liar.lies, liar.otherwise = {each: lambda good: good for each in (port, FREE)}, refused
        await stage.ask_anew(kind)
        for _ in range(2):
            [said] = (await stage.check(port)).values()
            show(kind, "accepted, of one port", said)
            assert (said["reachability"], said["blocked_by"]) == ("reachable", "nothing"), said
            await stage.looked_around(kind)
        # A listener of ours that stood in for the service would have been met.
        [said] = (await stage.check(FREE)).values()
        show(kind, "accepted, of a free port", said)
        assert said["reachability"] == "possible"
        assert said["blocked_by"] != "nothing"
        if kind is Kind.ECHOIP:
            continue
        # Of every port: also of one that nothing is opened for, so that it says nothing.
        liar.lies, liar.otherwise = {}, accepted
        await stage.ask_anew(kind)
        await stage.check(port)
        await stage.looked_around(kind)
        await stage.homeport.server.wait_state(stage.entities[port], "possible")
        [said] = (await stage.check(port)).values()
        show(kind, "accepted, of every port", said)
        assert said["reachability"] == "possible"
        assert said["blocked_by"] != "nothing"
    # Who was told the nonce can say that it came back, and nobody was here to be told it.
    liar.lies, liar.otherwise = {}, with_nonce
    await stage.ask_anew(Kind.OWN)
    [said] = (await stage.check(FREE)).values()
    show(Kind.OWN, "a nonce, of a free port", said)
    assert said["reachability"] is None
    assert said["problem"] == "outside_invalid"
    await stage.homeport.press("detect_line", "")
    await stage.looked_around(Kind.OWN)
    exposed = await stage.homeport.entity("exposed_host")
    assert stage.homeport.server.states[exposed]["state"] != "on"


def with_nonce(kind: Kind, address: str, port: int) -> Json:
    """Say that the nonce came back."""
    said: Json = accepted(kind, address, port)
    return said | {"nonce": True}


async def add_ports(stage: Stage) -> None:
    """Add ports that lead to the service, and one at which nobody listens, and open them."""
    slow = sum(map(len, HANGS.values()))
    stage.ports = [18_000 + number for number in range(AT_ONCE + slow)]
    for number in (*stage.ports, FREE):
        to = {} if number == FREE else {"internal_client": SRV}
        port = await stage.homeport.add_port(
            f"Port {number}",
            internal_port=str(number if number == FREE else MIRROR_PORT),
            external_port=str(number),
            **to,
        )
        await stage.homeport.switch(port, on=True)
        stage.entities[number] = await stage.homeport.entity("reachability", port)


def zone(folder: Path, name: str, host: str) -> str:
    """Return what makes the name server responsible for a zone in which one name is the liar's."""
    file = folder / f"{name}.zone"
    file.write_text(
        f"$TTL 60\n@ SOA ns admin 1 3600 600 86400 60\n@ NS ns\nns A {NET}\n"
        f"{host or '@'} A {LIAR}\n"
    )
    return f'zone "{name}." {{ type primary; file "{file}"; }};'


def peak(server: HomeAssistantServer) -> int:
    """Return the most memory that Home Assistant has had so far, in MiB."""
    assert server._process
    status = Path(f"/proc/{server._process.pid}/status").read_text()
    [line] = (each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def show(kind: Kind, what: str, said: Json) -> None:
    """Print a line of the table."""
    print(  # noqa: T201
        f"\n{kind:12} {what:30} {said['reachability']}, {said['problem']}, {said['blocked_by']}",
        end="",
    )
