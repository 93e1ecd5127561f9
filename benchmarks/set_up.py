"""Setting the config entry up: with few and many ports, with a router and without its answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic, time

from tests.e2e.api import State
from tests.lab import Miniupnpd
from tests.lab.home import SRV

from .home import Home
from .measure import Benchmark, Series, moment, run_program

_PORTS = (1, 10, 50)
_FIRST_PORT = 20000
_NOTHING = frozenset({"unavailable", "unknown"})
_WITHIN = 30.0

_SILENCE = """
table inet silence {
  chain input {
    type filter hook input priority -10;
    tcp dport 5000 drop
  }
}
"""


async def run(home: Home, rounds: int) -> list[Series]:
    """Reload with ever more ports, all of them open."""
    line = {
        "public address": await home.homeport.entity("public_ipv4"),
        "line mode": await home.homeport.entity("line_mode"),
    }
    ports: dict[str, str] = {}
    """Entity ids of the switches by subentry id."""
    series: list[Series] = []
    for count in _PORTS:
        while len(ports) < count:
            subentry, switch = await _open_port(home, _FIRST_PORT + len(ports))
            ports[subentry] = switch
        name = f"{count} port{'s' if count > 1 else ''}"
        everything = {what: [entity] for what, entity in line.items()}
        everything["all switches"] = list(ports.values())
        series += await _reload_often(home, name, everything, rounds)
        series.append(await _read_table(home, f"{name}: upnpc -l", rounds))
        outside = {"public address": everything["public address"]}
        async with _stopped(home):
            series += await _reload_often(home, f"{name}, router off", outside, rounds)
        await _reload_often(home, name, everything, 0)
        async with _silent(home):
            fallen = f"{name}, router just fallen silent"
            series += await _reload_often(home, fallen, outside, 1, warm_up=0)
            series += await _reload_often(home, f"{name}, router silent", outside, rounds)
        await _reload_often(home, name, everything, 0)
    for subentry in ports:
        await home.homeport.remove(subentry)
    return series


async def _open_port(home: Home, external_port: int) -> tuple[str, str]:
    subentry = await home.homeport.add_port(
        f"Port {external_port}",
        internal_client=SRV,
        internal_port="8080",
        external_port=str(external_port),
    )
    switch = await home.homeport.entity("open", subentry)
    await home.server.wait_state(switch, "off")
    await home.server.call_service("switch.turn_on", target={"entity_id": switch})
    return subentry, switch


async def _reload_often(
    home: Home, name: str, known: Mapping[str, list[str]], rounds: int, *, warm_up: int = 1
) -> list[Series]:
    """Reload again and again, until the entities that belong to each name have a new value.

    The first time, which follows on another condition, is to warm up.
    """
    loaded = Series(f"{name}: loaded")
    series = {what: Series(f"{name}: {what}") for what in known}
    for number in range(warm_up + rounds):
        await home.calm()
        wall, begin = time(), monotonic()
        done, *moments = await asyncio.gather(
            moment(home.server.reload_entry(home.homeport.entry_id)),
            *(moment(_all_known(home, entities, wall)) for entities in known.values()),
        )
        if number >= warm_up:
            loaded.seconds.append(done - begin)
            for each, then in zip(series.values(), moments, strict=True):
                each.seconds.append(then - begin)
    return [loaded, *series.values()]


async def _read_table(home: Home, name: str, rounds: int) -> Series:
    """Let another client read the same mappings from the router, one by one as well."""
    series = Series(name)
    location = home.lab.daemon(Miniupnpd).location
    for _ in range(rounds):
        await home.calm()
        begin = monotonic()
        done = await moment(run_program(home.lab["lan"], "upnpc", "-u", location, "-l"))
        series.seconds.append(done - begin)
    return series


async def _all_known(home: Home, entities: list[str], since: float) -> None:
    """Wait until each entity has a value that it got after this time (Unix)."""

    def is_new(state: State) -> bool:
        changed = datetime.fromisoformat(state["last_changed"]).timestamp()
        return state["state"] not in _NOTHING and changed >= since

    waiting: list[Awaitable[State]] = [
        home.server.wait_state(entity, is_new, _WITHIN) for entity in entities
    ]
    await asyncio.gather(*waiting)


@asynccontextmanager
async def _stopped(home: Home) -> AsyncIterator[None]:
    """Stop miniupnpd: the router forwards, and refuses to be asked."""
    daemon = home.lab.daemon(Miniupnpd)
    home.lab.stop(daemon)
    yield
    home.lab.start(daemon)


@asynccontextmanager
async def _silent(home: Home) -> AsyncIterator[None]:
    """Let the router drop what it is asked, without a word."""
    router = home.lab["rtr"]
    router.run("nft", "-f", "-", stdin=_SILENCE)
    yield
    router.run("nft", "delete", "table", "inet", "silence")


BENCHMARK = Benchmark(
    name="set-up",
    title="Setting the entry up",
    method="""\
From the request that reloads the entry (REST) until its answer ("loaded"; unloading is part of it),
and until the states have come over an open WebSocket: the public address (from the address echo),
the line mode (from the router and the echo), the switches of all ports, which are all open and are
read back from the router one by one. "upnpc -l" is the router's own time for that: the same table,
read by another client. "router off": its daemon is stopped and connections are refused. "router
silent": what it is asked is dropped, so that every request runs into its time limit; "just fallen
silent" is the first reload of that kind, when there still is a subscription to end. Nothing that
does not depend on the router should take longer then.""",
    rounds=10,
    run=run,
)
