"""Reading many mappings back: what Homeport does at each reading, and the whole table."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
import threading
from time import monotonic

import aiohttp

from custom_components.homeport.gateway import Igd, Link, Memory, Opening, Peer, Transport
from tests.lab import Host, Miniupnpd
from tests.lab.home import LAN, ROUTER, SRV
from tests.lab.peers import SIMULATED_GATEWAY_LOCATION, simulated_gateway

from .home import Home
from .measure import Benchmark, Series

_REAL = (1, 10, 100)
_SIMULATED = (1, 10, 100, 1000)
_LEASE = 3600


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
