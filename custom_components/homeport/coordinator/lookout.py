"""Deciding when the line is looked at: when something tells of a change, and now and then."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network
import itertools
import random
from typing import Any, Literal

from ..line import EchoEvidence, Evidence, StunEvidence
from ..options import LineOptions
from ..outside import OutsideError, TokenBucket, binding, parse_server, public_address
from .base import Sessions
from .schedule import By, Look

_BURST, _REFILL = 10, 60.0
"""Surveys at once, and seconds until one more, however often the line changes."""
_JITTER = 0.1
"""Part of the time between two looks, so that not all homes ask in the same second."""

_LINK = 64
"""Bits of the prefix of a link: temporary addresses in it change every day."""

type IPAddress = IPv4Address | IPv6Address
type Family = Literal[4, 6]


class Lookout:
    """Runs surveys, one at a time, and asks in between whether everything is as it was."""

    def __init__(
        self,
        sessions: Sessions,
        survey: Callable[[], Coroutine[Any, Any, None]],
        next_look: Callable[[], Look | None],
        evidence: Callable[[], Evidence],
        options: Callable[[], LineOptions],
    ) -> None:
        """Take what surveys, what says when to look again, and what is known at a moment."""
        self._sessions = sessions
        self._survey = survey
        self._next_look = next_look
        self._evidence = evidence
        self._options = options
        self._wanted = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._turn = itertools.count()

    @property
    def busy(self) -> bool:
        """Whether a survey is under way, or about to begin."""
        return self._wanted.is_set() or (self._running is not None and not self._running.done())

    def want(self, *, anew: bool = False) -> None:
        """Survey soon; `anew` gives up the one under way, whose findings are of the past."""
        self._wanted.set()
        if anew and self._running:
            self._running.cancel()

    async def look(self) -> None:
        """Survey, and return when that is done."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._wanted.set()
        await done

    async def run(self) -> None:
        """Look after the line until cancelled."""
        loop, bucket = asyncio.get_running_loop(), TokenBucket(_BURST, _REFILL)
        try:
            while True:
                self._wanted.clear()
                bucket.take(loop.time())
                await self._survey_once()
                while not await self._changed():
                    pass
                self._wanted.set()
                await asyncio.sleep(bucket.wait(loop.time()))
        finally:
            for done in self._waiting:
                done.cancel()

    async def _survey_once(self) -> None:
        asked, self._waiting = self._waiting, []
        self._running = asyncio.ensure_future(self._survey())
        try:
            await asyncio.wait([self._running])
        finally:
            self._running.cancel()
        if self._running.cancelled():
            self._waiting += asked
            return
        for done in asked:
            if not done.done():
                done.set_result(None)

    async def _changed(self) -> bool:
        """Wait until there is a reason to survey; False when a look finds nothing new."""
        look = self._next_look()
        seconds = None if look is None else look.seconds * (1 + _JITTER * random.random())  # noqa: S311
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
                return True
        return look is not None and not await self._as_known(look.by)

    async def _as_known(self, by: By) -> bool:
        """Say whether the outside still sees what it saw in the survey, or is as silent as then."""
        evidence = self._evidence()
        if by is By.STUN:
            # The kernel tells of IPv6; without a change of that one family is enough.
            return _same(evidence.stun4, await self._see(by, 4))
        ipv4 = _same(evidence.echo4, await self._see(by, 4))
        return ipv4 and _same(evidence.echo6, await self._see(by, 6))

    async def _see(self, by: By, family: Family) -> IPAddress | None:
        """Return what the first service that answers sees; another one begins each time."""
        options = self._options()
        names = options.stun_servers if by is By.STUN else options.echo_urls
        turn = next(self._turn) % len(names)
        session = self._sessions.ipv4 if family == 4 else self._sessions.ipv6
        for name in (*names[turn:], *names[:turn]):
            with suppress(OutsideError):
                if by is By.STUN:
                    return (await binding(parse_server(name), family)).address
                return (await public_address(session, (name,), family)).address
        return None


def _same(
    known: EchoEvidence[IPAddress] | StunEvidence[IPAddress] | None, seen: IPAddress | None
) -> bool:
    """Say whether an address is the known one; of IPv6 only the link is looked at."""
    if known is None:
        return True
    if seen is None or not known.answered:
        return seen is None and not known.answered
    if known.address is None or isinstance(seen, IPv4Address):
        return known.address in {None, seen}
    return seen in IPv6Network((known.address, _LINK), strict=False)
