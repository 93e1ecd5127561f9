"""Events of the gateway: no more than hints, upon which it is read."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from homeassistant.core import callback

from ..line import GatewayEvidence

_GAP = 0.25
"""Seconds between two readings of the gateway, however many events come."""
_SLOW_CHANGE = 10.0
"""Seconds that a router may take to carry out a change."""
_OWN_EVENT = 2.0
"""Seconds that the event about it may take to come."""


class Hints:
    """Has the gateway read: at once where an event brings news of the line, else a little later."""

    def __init__(
        self,
        read: Callable[[], Awaitable[None]],
        known: Callable[[], GatewayEvidence | None],
        run: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]],
    ) -> None:
        """Take what reads the gateway, what it said last, and what runs tasks in the background."""
        self._read = read
        self._known = known
        self._run = run
        self._now: asyncio.Task[None] | None = None
        self._later: asyncio.Task[None] | None = None
        self._pending = False
        self._heard = False
        self._own_change_until = 0.0
        self._expected = asyncio.Event()

    @contextmanager
    def own_change(self) -> Iterator[None]:
        """Take events about the gateway's table for the echo of our own change: no hurry.

        That is until the change is over and its event may have come.
        """
        self._expect(_SLOW_CHANGE)
        try:
            yield
        finally:
            self._expect(_OWN_EVENT)

    def _expect(self, seconds: float) -> None:
        self._own_change_until = asyncio.get_running_loop().time() + seconds
        self._expected.set()

    @callback
    def on_hint(self, said: Mapping[str, str]) -> None:
        """Take an event with the state variables that it tells."""
        first, self._heard = not self._heard, True
        if _is_news(self._known(), said):
            self._read_soon()
        # The first one says how things stand, which has just been read.
        elif not first and (self._later is None or self._later.done()):
            self._later = self._run(self._read_later(), "homeport table event")

    async def _read_later(self) -> None:
        """Read once for all events that come until then.

        The line as well: an event may have been made up just before the address changed.
        """
        time = asyncio.get_running_loop().time
        soon = time() + _GAP
        # The end of our own change is expected late, and comes much sooner with most routers.
        while (left := max(soon, self._own_change_until) - time()) > 0:
            self._expected.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._expected.wait()
        await self._read()

    @callback
    def _read_soon(self) -> None:
        """Read the gateway now; a hint that comes during a reading leads to one more."""
        self._pending = True
        if self._now is None or self._now.done():
            self._now = self._run(self._read_hinted(), "homeport event")

    async def _read_hinted(self) -> None:
        while self._pending:
            self._pending = False
            await self._read()
            await asyncio.sleep(_GAP)


def _is_news(gateway: GatewayEvidence | None, said: Mapping[str, str]) -> bool:
    """Say whether an event tells anything about the line that the last reading did not show."""
    if gateway is None:
        return True
    address = "" if gateway.address is None else str(gateway.address)
    told = said.get("ExternalIPAddress", address).replace("0.0.0.0", "")  # noqa: S104 - for none
    connected = said.get("ConnectionStatus", "Connected") == "Connected"
    return told != address or (gateway.connected is True) != connected
