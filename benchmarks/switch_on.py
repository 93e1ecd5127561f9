"""From the command that opens a port to the first byte on the internet, beside other programs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from tests.lab import Miniupnpd
from tests.lab.home import LAN

from .caller import INTERVAL, first_byte
from .home import Home
from .measure import Benchmark, Series, moment, run_program

_INTERNAL_PORT = "9000"
_CONTENT = b"hello from home\n"
_QUIET = 0.05
"""Seconds that a caller must have got nothing before the port is opened."""

type Marks = dict[str, float]
"""Moments on the monotonic clock, by what happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One way to open a port; `every` round, or every so many rounds."""

    name: str
    port: int
    turn_on: Callable[[], Awaitable[Marks]]
    turn_off: Callable[[], Awaitable[None]]
    every: int = 1


async def run(home: Home, rounds: int) -> list[Series]:
    """Let the peers take turns; another one begins in each round."""
    subentry = await home.homeport.add_port(
        "Benchmark", internal_port=_INTERNAL_PORT, external_port="18001"
    )
    entity = await home.homeport.entity("open", subentry)
    await home.server.wait_state(entity, "off")
    peers = [_homeport(home, entity, 18001), *_programs(home)]
    async with home.lab["lan"].serve(_CONTENT, int(_INTERNAL_PORT)):
        # The first time is to warm up, and says what there is to measure.
        series = {
            peer.name: {what: Series(f"{peer.name}: {what}") for what in await _measure(home, peer)}
            for peer in peers
        }
        for number in range(rounds):
            first = number % len(peers)
            for peer in (*peers[first:], *peers[:first]):
                if number % peer.every == 0:
                    for what, took in (await _measure(home, peer)).items():
                        series[peer.name][what].seconds.append(took)
    await home.homeport.remove(subentry)
    return [each for of_peer in series.values() for each in of_peer.values()]


def _homeport(home: Home, entity: str, port: int) -> Peer:
    server, target = home.server, {"entity_id": entity}

    async def turn_on() -> Marks:
        done, shown = await asyncio.gather(
            moment(server.call_service("switch.turn_on", target=target)),
            moment(server.wait_state(entity, "on")),
        )
        return {"action done": done, "state on": shown}

    async def turn_off() -> None:
        await server.call_service("switch.turn_off", target=target)
        await server.wait_state(entity, "off")

    return Peer(name="Homeport", port=port, turn_on=turn_on, turn_off=turn_off)


def _programs(home: Home) -> list[Peer]:
    def peer(
        name: str, port: int, on: Sequence[str], off: Sequence[str], *, every: int = 1
    ) -> Peer:
        async def turn_on() -> Marks:
            return {"program done": await moment(run_program(home.lab["lan"], *on))}

        async def turn_off() -> None:
            await run_program(home.lab["lan"], *off)

        return Peer(name=name, port=port, turn_on=turn_on, turn_off=turn_off, every=every)

    told = ("upnpc", "-u", home.lab.daemon(Miniupnpd).location)
    add = ("-a", LAN, _INTERNAL_PORT)
    natpmpc = ("natpmpc", "-a", "18004", _INTERNAL_PORT, "tcp")
    return [
        peer(
            "upnpc -u",
            18002,
            on=(*told, *add, "18002", "TCP", "3600"),
            off=(*told, "-d", "18002", "TCP"),
        ),
        peer(
            "upnpc, searching",
            18003,
            on=("upnpc", *add, "18003", "TCP", "3600"),
            off=(*told, "-d", "18003", "TCP"),
            every=3,
        ),
        peer("natpmpc", 18004, on=(*natpmpc, "3600"), off=(*natpmpc, "0")),
    ]


async def _measure(home: Home, peer: Peer) -> Marks:
    """Open and close the port once; return the seconds that each thing took."""
    await home.calm()
    with first_byte(home.lab["net"], home.lab.wan_address, peer.port) as seen:
        await asyncio.sleep(_QUIET)
        if seen.done():
            raise RuntimeError(f"port {peer.port} is open already")
        begin = monotonic()
        marks = await peer.turn_on()
        marks = {"reachable": await asyncio.wrap_future(seen), **marks}
    await peer.turn_off()
    return {what: mark - begin for what, mark in marks.items()}


BENCHMARK = Benchmark(
    name="switch-on",
    title="Switch on to reachable from outside",
    method=f"""\
From the command until a TCP client in the internet namespace has the first byte of what the home
serves. The client connects anew every {INTERVAL * 1000:.0f} ms, in a thread of its own, and the
first connection that brings a byte counts: that is the resolution. Homeport's command is
`switch.turn_on` over an open WebSocket; the action is done, and the state on, when the router's
table has been read back. The programs are started for each command, and their start counts; what
they do after the port is open is in "program done". Same router, same target; the peers take turns,
and another one begins in each round. "searching" is `upnpc` without a URL, every third round.""",
    rounds=30,
    run=run,
)
