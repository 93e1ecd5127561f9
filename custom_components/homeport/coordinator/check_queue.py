"""Checks that wait for a prober: made one after the other, as soon as it may be asked again."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.core import callback

from ..outside import Family

_PAUSE: Final = 1.0
"""Seconds before the next try, where somebody else has taken the turn."""

type Start = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
type _Key = tuple[str, Family]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A check of one port over one family.

    - `seconds`: returns how long a prober has to be waited for
    - `check`: makes it. It drops itself from the queue, unless it has to wait once more
    """

    seconds: Callable[[], float]
    check: Callable[[], Awaitable[object]]


class CheckQueue:
    """First come, first served; one that waits already keeps its place."""

    def __init__(self, start: Start) -> None:
        """Take what starts a task that ends with the config entry."""
        self._start = start
        self._waiting: dict[_Key, Waiting] = {}
        self._task: asyncio.Task[None] | None = None

    def __contains__(self, key: _Key) -> bool:
        """Say whether a port, by its subentry's id, waits over a family."""
        return key in self._waiting

    @callback
    def add(self, port: str, family: Family, waiting: Waiting) -> None:
        """Let a check wait."""
        self._waiting.setdefault((port, family), waiting)
        if self._task is None or self._task.done():
            self._task = self._start(self._work())

    @callback
    def drop(self, port: str, *families: Family) -> None:
        """Let a port's checks wait no more."""
        for family in families:
            self._waiting.pop((port, family), None)

    async def _work(self) -> None:
        while first := next(iter(self._waiting), None):
            waiting = self._waiting[first]
            await asyncio.sleep(waiting.seconds())
            if self._waiting.get(first) is waiting:
                await waiting.check()
                if self._waiting.get(first) is waiting:
                    await asyncio.sleep(_PAUSE)
