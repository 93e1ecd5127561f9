"""From nothing to the first byte on the internet, and from there: cold and warm, side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from tests.lab import Miniupnpd
from tests.lab.home import LAN

from .caller import INTERVAL, first_byte
from .home import Home
from .measure import Benchmark, Series, run_program

_INTERNAL_PORT = "9000"
_CONTENT = b"hello from home\n"
_QUIET = 0.05
"""Seconds that a caller must have got nothing before the port is opened."""


async def _nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to open a port, and to close it again; `prepare` comes before the clock runs."""

    name: str
    port: int
    turn_on: Callable[[], Awaitable[object]]
    turn_off: Callable[[], Awaitable[object]]
    prepare: Callable[[], Awaitable[object]] = _nothing


async def run(home: Home, rounds: int) -> list[Series]:
    """Let the ways take turns; another one begins in each round."""
    port = await home.homeport.add_port(
        "Benchmark", internal_port=_INTERNAL_PORT, external_port="18011"
    )
    entity = await home.homeport.entity("open", port)
    await home.server.wait_state(entity, "off")
    ways = [_cold(home, port), _warm(home, entity), *_programs(home)]
    series = {way.name: Series(way.name) for way in ways}
    async with home.lab["lan"].serve(_CONTENT, int(_INTERNAL_PORT)):
        for way in ways:  # to warm up
            await _measure(home, way)
        for number in range(rounds):
            first = number % len(ways)
            for way in (*ways[first:], *ways[:first]):
                series[way.name].seconds.append(await _measure(home, way))
    await home.homeport.remove(port)
    return list(series.values())


def _cold(home: Home, port: str) -> Way:
    """Enable the entry with the port wanted: it knows the URL of the router, and nothing else."""
    server, entry = home.server, home.homeport.entry_id

    async def turn_off() -> None:
        await home.homeport.switch(port, on=False)

    async def turn_on() -> None:
        await server.enable_entry(entry)
        await server.wait_state(await home.homeport.entity("open", port), "on")

    async def prepare() -> None:
        await home.homeport.switch(port, on=True)
        await server.enable_entry(entry, enabled=False)

    return Way("cold: Homeport, entry enabled", 18011, turn_on, turn_off, prepare)


def _warm(home: Home, entity: str) -> Way:
    server, target = home.server, {"entity_id": entity}

    async def turn_on() -> None:
        await server.call_service("switch.turn_on", target=target)

    async def turn_off() -> None:
        await server.call_service("switch.turn_off", target=target)
        await server.wait_state(entity, "off")

    return Way("warm: Homeport, switch", 18011, turn_on, turn_off)


def _programs(home: Home) -> list[Way]:
    def way(name: str, port: int, on: Sequence[str], off: Sequence[str]) -> Way:
        lan = home.lab["lan"]
        return Way(name, port, lambda: run_program(lan, *on), lambda: run_program(lan, *off))

    told = ("upnpc", "-u", home.lab.daemon(Miniupnpd).location)
    add = ("-a", LAN, _INTERNAL_PORT)
    natpmpc = ("natpmpc", "-a", "18014", _INTERNAL_PORT, "tcp")
    return [
        way(
            "cold: upnpc -a, which searches",
            18013,
            ("upnpc", *add, "18013", "TCP", "3600"),
            (*told, "-d", "18013", "TCP"),
        ),
        way(
            "warm: upnpc -u URL -a",
            18012,
            (*told, *add, "18012", "TCP", "3600"),
            (*told, "-d", "18012", "TCP"),
        ),
        way("warm: natpmpc", 18014, (*natpmpc, "3600"), (*natpmpc, "0")),
    ]


async def _measure(home: Home, way: Way) -> float:
    """Open and close the port once; return the seconds until it was reached."""
    await way.prepare()
    await home.calm()
    with first_byte(home.lab["net"], home.lab.wan_address, way.port) as seen:
        await asyncio.sleep(_QUIET)
        if seen.done():
            raise RuntimeError(f"port {way.port} is open already")
        begin = monotonic()
        on = asyncio.create_task(_wait(way.turn_on()))
        took = await asyncio.wrap_future(seen) - begin
        await on
    await way.turn_off()
    return took


async def _wait(done: Awaitable[object]) -> None:
    await done


BENCHMARK = Benchmark(
    name="cold",
    title="Cold and warm: from the command to the first byte",
    method=f"""\
From the command until a TCP client in the internet namespace, which connects anew every
{INTERVAL * 1000:.0f} ms, has the first byte. "cold": nothing is known of the router but that it is
there, or at most its URL. For Homeport the config entry is enabled with the port wanted: it reads
the description, the state of the line and the table, then opens. `upnpc -a` searches by multicast
first, as it does without a URL. "warm": Homeport's command is `switch.turn_on` over an open
WebSocket; `upnpc -u` is told the URL, reads the description and asks for the state, and `natpmpc`
knows the router from its routing table. The programs are started for each command, and their start
counts. Same router, same target, in turns.""",
    rounds=20,
    run=run,
)
