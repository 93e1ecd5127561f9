"""What the router is asked while nothing happens, beside Home Assistant's own integration."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
import re
from tempfile import TemporaryDirectory
from time import monotonic

from tests.e2e.api import FlowKind
from tests.e2e.server import HomeAssistantServer
from tests.lab import Miniupnpd
from tests.lab.home import LAN, SRV

from .home import Home
from .measure import Benchmark, Series

_PORTS = 3
_FIRST_PORT = 18021
_REQUEST = re.compile(r"HTTP REQUEST from \[?(?:::ffff:)?([\d.]+)\]?:\d+ : (\w+) (\S+)")
_LOOK = 0.2
"""Seconds between two looks at the router's log, and so how finely the moments are known."""
_STARTED = 60.0
"""Seconds after which an integration that was just set up does what it does from then on."""


async def run(home: Home, rounds: int) -> list[Series]:
    """Count for `rounds` minutes."""
    ports = [await _open_port(home, _FIRST_PORT + number) for number in range(_PORTS)]
    async with _upnp_integration(home):
        await asyncio.sleep(_STARTED)
        moments = await _requests(home, rounds * 60)
    for port in ports:
        await home.homeport.remove(port)
    names = {LAN: f"Homeport, {_PORTS} ports", SRV: "Home Assistant's upnp"}
    return [
        Series(
            f"{names[client]}: {len(times) - 1} in {rounds} min, "
            f"{(len(times) - 1) * 60 / rounds:.0f} an hour",
            [after - before for before, after in pairwise(times)],
        )
        for client, times in moments.items()
    ]


async def _open_port(home: Home, port: int) -> str:
    subentry = await home.homeport.add_port(
        f"Port {port}", internal_client=SRV, internal_port="8080", external_port=str(port)
    )
    await home.homeport.state("open", "off", subentry)
    await home.homeport.switch(subentry, on=True)
    return subentry


@asynccontextmanager
async def _upnp_integration(home: Home) -> AsyncIterator[None]:
    """Run another Home Assistant on the other machine, with the `upnp` that it brings along."""
    with TemporaryDirectory(prefix="upnp-") as folder:
        async with HomeAssistantServer(Path(folder), inside=home.lab["srv"]) as server:
            flow = await server.wait_discovered("upnp", within=60)
            step = await server.answer_flow(FlowKind.CONFIG, flow["flow_id"], {})
            if step["type"] != "create_entry":
                raise RuntimeError(f"upnp: {step}")
            yield


async def _requests(home: Home, seconds: float) -> dict[str, list[float]]:
    """Return by client when it asked the router; the first moment is the begin."""
    log = home.lab.folder / f"{home.lab.daemon(Miniupnpd).name}.log"
    begin = monotonic()
    moments = {LAN: [begin], SRV: [begin]}
    with log.open(errors="replace") as said:
        said.seek(0, 2)
        while (now := monotonic()) < begin + seconds:
            for client, _, _ in _REQUEST.findall(said.read()):
                moments[client].append(now)
            await asyncio.sleep(_LOOK)
    return moments


BENCHMARK = Benchmark(
    name="steady",
    title="Requests to the router while nothing happens",
    method=f"""\
The HTTP requests that miniupnpd takes note of, by client, while {_PORTS} ports are open and nothing
happens. Homeport runs in one Home Assistant, and the `upnp` integration in another one on another
machine, with its settings as they come: both at the same time, from a minute after their start.
The lines are the times between two requests, {_LOOK * 1000:.0f} ms finely; their names say how many
there were in one row of minutes, and what that would make in an hour. Homeport asks for the address
every 10 minutes, reads everything every 30 and the whole table every 150; it renews its
subscription every 22 minutes and the leases every 60, so an hour holds a little of everything.""",
    rounds=60,
    run=run,
)
