"""Reading many mappings back: what Homeport does at each reading, and the whole table."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address
from time import monotonic
from types import SimpleNamespace

import aiohttp

from custom_components.homeport.gateway import (
    Igd,
    Link,
    MappingKey,
    Memory,
    Opening,
    Peer,
    Transport,
)
from tests.lab import Host, Miniupnpd
from tests.lab.home import LAN, SRV
from tests.lab.peers import SIMULATED_GATEWAY_LOCATION, simulated_gateway

from .home import Home
from .measure import Benchmark, Series

_REAL = (1, 10, 100)
_SIMULATED = (1, 10, 100, 1000)
_LEASE = 3600
_FIRST_PORT = 20000


class Requests:
    """Counts the HTTP requests of a session."""

    def __init__(self) -> None:
        """Begin at none; `trace` goes into the session."""
        self.count = 0
        self.trace = aiohttp.TraceConfig()
        self.trace.on_request_start.append(self._started)

    async def _started(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        _request: aiohttp.TraceRequestStartParams,
    ) -> None:
        self.count += 1


async def run(home: Home, rounds: int) -> list[Series]:
    """Read from both routers with ever more mappings."""
    lan = home.lab["lan"]
    simulated = simulated_gateway(home.lab.wan_address)
    home.lab.start(simulated)
    try:
        return [
            *await _inside(
                lan, lambda: _read("miniupnpd", home.lab.daemon(Miniupnpd).location, _REAL, 3)
            ),
            *await _inside(
                lan, lambda: _read("simulated", SIMULATED_GATEWAY_LOCATION, _SIMULATED, rounds)
            ),
        ]
    finally:
        home.lab.stop(simulated)


async def _inside[ResultT](host: Host, story: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Do something in the host's network, in a thread with an event loop of its own."""

    def work() -> ResultT:
        with host.inside():
            return asyncio.run(_of(story()))

    return await asyncio.to_thread(work)


async def _of[ResultT](story: Awaitable[ResultT]) -> ResultT:
    return await story


async def _read(name: str, location: str, counts: Sequence[int], rounds: int) -> list[Series]:
    """Add mappings up to each count, and read them both ways."""
    series: list[Series] = []
    requests = Requests()
    async with aiohttp.ClientSession(trace_configs=[requests.trace]) as session:
        igd = await Igd.connect(session, location)
        link = Link(
            session,
            Peer(location),
            lambda _: IPv4Address(LAN),
            memory=Memory(),
            save=_saved,
        )
        added = 0
        try:
            for count in counts:
                while added < count:
                    await igd.open(_opening(added), _LEASE)
                    added += 1
                keys = [_opening(number).key for number in range(count)]
                # The first reading connects; from the second one on it is known how many they are.
                await _reading(link, keys)
                series += [
                    await _often(
                        f"{name}, {count}: a reading",
                        lambda keys=keys: _reading(link, keys),
                        requests,
                        rounds,
                    ),
                    await _often(f"{name}, {count}: the table", igd.mappings, requests, rounds),
                ]
        finally:
            await link.close()
            for number in range(added):
                await igd.close(_opening(number).key)
    return series


async def _reading(link: Link, keys: Sequence[MappingKey]) -> None:
    """Do what is done at each reading of the gateway: the line, then each port at the same time."""
    await link.read()
    gateway = await link.connect()
    found = await asyncio.gather(*(gateway.mapping(key) for key in keys))
    if None in found:
        raise RuntimeError("a mapping is gone")


async def _often(
    name: str, read: Callable[[], Awaitable[object]], requests: Requests, rounds: int
) -> Series:
    seconds = []
    for _ in range(rounds):
        requests.count = 0
        begin = monotonic()
        await read()
        seconds.append(monotonic() - begin)
    plural = "" if requests.count == 1 else "s"
    return Series(f"{name}, {requests.count} request{plural}", seconds)


def _opening(number: int) -> Opening:
    return Opening(Transport.TCP, _FIRST_PORT + number, IPv4Address(SRV), 8080, "Homeport bench")


async def _saved() -> None:
    """Save nothing: what is remembered ends with the benchmark."""


BENCHMARK = Benchmark(
    name="refresh",
    title="Reading 1 to 1,000 mappings back",
    method="""\
"A reading" is what Homeport does each time it reads the router: the state and the address of the
internet side, and each of its mappings, all at the same time; its connection is open, and it knows
how many mappings there were the time before. "The table" is one pass over all mappings, those of
others included. The requests are those of the last round. miniupnpd reads all its rules for each
request: up to 100 mappings, 3 rounds. The simulated router answers at once, in Python on the same
machine: up to 1,000.""",
    rounds=10,
    run=run,
)
