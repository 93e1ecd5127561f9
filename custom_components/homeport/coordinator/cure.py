"""Looking again at ports that somebody may be mending, so that what says so vanishes in time."""

import asyncio
from collections.abc import Callable, Iterable
import time
from typing import Final

from ..outside import Family
from ..ports import is_curable
from .port import PortCoordinator

AT_HOME: Final = 60.0
"""Seconds between two looks at the service from the LAN."""
CHANGED: Final = 600.0
"""Seconds between two looks from outside, where the LAN shows something else each time."""
OUTSIDE: Final = 6 * 3600.0
"""Seconds between two of them where it does not."""


async def watch_cures(ports: Callable[[], Iterable[PortCoordinator]]) -> None:
    """Do so for each port that is to be reached, until it is cancelled."""
    asked: dict[tuple[PortCoordinator, Family], float] = {}
    while True:
        await asyncio.sleep(AT_HOME)
        stopped = {
            (port, family): seen
            for port in ports()
            if port.data.wanted or port.by_hand
            for family, seen in port.data.checks.items()
            if is_curable(seen.diagnosis.next_step)
        }
        now = time.monotonic()
        # One that is stopped anew has just been looked at; its first change is not to be missed.
        asked = {each: asked.get(each, now - CHANGED) for each in stopped}
        for (port, family), seen in stopped.items():
            since = now - asked[port, family]
            changed = since >= CHANGED and await port.checks.changed_at_home(seen)
            if changed or since >= OUTSIDE + CHANGED:
                asked[port, family] = now
                await port.async_check(family)
