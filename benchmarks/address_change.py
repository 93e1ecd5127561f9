"""From another WAN address to the record at the authoritative name server."""

import asyncio
from datetime import datetime
from pathlib import Path
from time import sleep, time

from tests.lab import Bind
from tests.lab.home import NET

from .home import Home
from .measure import Benchmark, Series

_NAME = "benchmark.dyn.example"
_ADDRESSES = [f"11.22.33.{last}" for last in range(51, 91)]
_BETWEEN = 0.0005
"""Seconds from an answer of the name server to the next question."""
_WITHIN = 15.0


async def run(home: Home, rounds: int) -> list[Series]:
    """Change the address again and again, and at last back to the first one."""
    before = home.lab.wan_address
    subentry = await home.homeport.add_hostname(
        "rfc2136",
        hostname=_NAME,
        server=NET,
        key_name="homeport",
        key_secret=home.lab.daemon(Bind).keys["homeport."],
        key_algorithm="hmac-sha256",
        ttl="60",
    )
    await asyncio.to_thread(_await_record, home, before)
    to_event, from_event, whole = (
        Series("change to the router's event"),
        Series("event to record"),
        Series("change to record"),
    )
    for number in range(rounds + 1):
        await home.calm()
        logged = home.server.log.stat().st_size
        address = _ADDRESSES[number % len(_ADDRESSES)]
        begin, answered = await asyncio.to_thread(_change, home, address)
        await home.calm()
        event = await asyncio.to_thread(_first_event, home.server.log, logged)
        if number:  # the first one was to warm up
            to_event.seconds.append(event - begin)
            from_event.seconds.append(answered - event)
            whole.seconds.append(answered - begin)
    await asyncio.to_thread(_change, home, before)
    await home.homeport.remove(subentry)
    return [to_event, from_event, whole]


def _change(home: Home, address: str) -> tuple[float, float]:
    """Change the address; return when that was begun and when the record had followed."""
    begin = time()
    home.lab.change_wan(address)
    return begin, _await_record(home, address)


def _await_record(home: Home, address: str) -> float:
    """Ask the name server itself until it answers with this address; return when it did."""
    bind = home.lab.daemon(Bind)
    deadline = time() + _WITHIN
    while bind.lookup(home.lab["net"], _NAME, "A") != {address}:
        if time() > deadline:
            raise TimeoutError(f"{_NAME} has not become {address}")
        sleep(_BETWEEN)
    return time()


def _first_event(log: Path, start: int) -> float:
    """Return when Home Assistant logged the first event of the router behind a place in its log."""
    with log.open("rb") as file:
        file.seek(start)
        for line in file.read().decode().splitlines():
            if "] Event: " in line and "ExternalIPAddress" in line:
                day, time_of_day, _ = line.split(" ", 2)
                return datetime.fromisoformat(f"{day} {time_of_day}").timestamp()
    raise LookupError("no event was logged")


BENCHMARK = Benchmark(
    name="address-change",
    title="WAN address change to DNS record",
    method="""\
From the start of the `ip` command that changes the router's WAN address (two lines, one process)
until BIND itself, asked about every millisecond, answers with the new A record. Homeport hears of
the change by miniupnpd's GENA event, asks the router for the address, and sends a dynamic update
(RFC 2136, TSIG). The event's time is that of Homeport's debug log, to the millisecond.""",
    rounds=30,
    run=run,
)
