"""Who is asked to look at a port from outside, in which order, and how often."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
import time
from typing import Final

from ..const import HostedProber
from ..options import LineOptions
from ..outside import (
    Answer,
    CheckHostProber,
    EchoipProber,
    GlobalpingProber,
    IsOutside,
    OpenSession,
    OutsideError,
    OutsideUnreachable,
    OwnProber,
    PortcheckerProber,
    Prober,
    ProbeTransport,
    Question,
    StunProber,
    TokenBucket,
    parse_server,
)
from ..ports import NotProbed
from ..store import HomeportStore

_HOSTED: Final[dict[HostedProber, Callable[[OpenSession, LineOptions], Prober]]] = {
    HostedProber.CHECK_HOST: lambda session, _: CheckHostProber(session),
    HostedProber.GLOBALPING: lambda session, options: GlobalpingProber(
        session, token=options.globalping_token
    ),
    HostedProber.PORTCHECKER: lambda session, _: PortcheckerProber(session),
}


class ProberBusy(OutsideError):
    """All that can be asked have been asked too often; `seconds` until one may be again."""

    translation_key = "prober_busy"

    def __init__(self, seconds: float) -> None:
        """Keep how long it is to wait."""
        super().__init__("the prober is asked no more for now")
        self.seconds = seconds


type _Limited = Prober | StunProber


@dataclass(slots=True)
class _Line:
    """Those who wait for a prober, one behind the other."""

    bucket: TokenBucket
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Probers:
    """The probers that the options name; their limits are kept over a restart."""

    def __init__(
        self, store: HomeportStore, options: Callable[[], LineOptions], open_session: OpenSession
    ) -> None:
        """Take the memory, what may be asked, and what opens a session from a local address."""
        self._store = store
        self._options = options
        self._session = open_session
        self._lines: dict[str, _Line] = {}

    @property
    def by_name(self) -> bool:
        """Say whether the one that is asked first dials a name, and not whoever asks."""
        own = self._options().own_prober
        return own is not None and own.name is not None

    def able(self, question: Question, *, own: bool) -> list[Prober]:
        """Return who can answer a question, the best first.

        `own`: whether it is about the address that the question is asked from, or one behind which
        this machine is.
        """
        able = [each for each in self._all() if each.abilities.can(question)]
        if not own:
            # Only one of ours can be told of another machine in the same network.
            able = [each for each in able if isinstance(each, OwnProber)]
        return sorted(able, key=_worth)

    def wait(self, probers: Sequence[Prober]) -> float:
        """Return the seconds until one of these may be asked."""
        return min((self._wait(each) for each in probers), default=0.0)

    async def ask(self, question: Question, *, own: bool, patience: float) -> tuple[Answer, Prober]:
        """Ask one after the other until one answers; who has to be waited for comes last.

        Raises NotProbed where nobody may be asked who can, ProberBusy when none may be asked within
        `patience` seconds, else what the first one raised.
        """
        able = self.able(question, own=own)
        if not able:
            raise self._nobody(question)
        ready = [each for each in able if self._wait(each) <= patience]
        if not ready:
            raise ProberBusy(self.wait(able))
        first: OutsideError | None = None
        for prober in sorted(ready, key=lambda each: self._wait(each) > 0):
            await self._take_turn(prober)
            try:
                return await prober.check(question), prober
            except OutsideError as err:
                first = first or err
        raise first or OutsideUnreachable

    async def prove_udp(
        self, question: Question, internal_port: int, is_outside: IsOutside, *, patience: float
    ) -> Answer:
        """Have a STUN server knock at a port of this machine that is free.

        Raises NotProbed, ProberBusy, and what StunProber.prove does.
        """
        server = self._options().udp_server
        if server is None:
            raise self._nobody(question)
        prober = StunProber(parse_server(server), is_outside)
        if (wait := self._wait(prober)) > patience:
            raise ProberBusy(wait)
        await self._take_turn(prober)
        return await prober.prove(question, internal_port)

    async def _take_turn(self, prober: _Limited) -> None:
        """Wait until a prober may be asked."""
        line = self._line(prober)
        line.waiting += 1
        try:
            async with line.turn:
                await asyncio.sleep(line.bucket.wait(time.time()))
                line.bucket.take(time.time())
        finally:
            line.waiting -= 1
        self._store.limits[prober.key] = line.bucket.to_dict()
        await self._store.save()

    def _nobody(self, question: Question) -> NotProbed:
        """Return why nobody can be asked."""
        if self._all() and question.transport is ProbeTransport.UDP:
            return NotProbed("prober_tcp_only")
        if self._all() and question.address.version == 6:
            return NotProbed("prober_ipv4_only")
        return NotProbed("no_prober")

    def _all(self) -> list[Prober]:
        options = self._options()
        probers = [_HOSTED[each](self._session, options) for each in options.hosted_probers]
        if own := options.own_prober:
            probers.append(OwnProber(self._session, own.url, own.token, own.name))
        if options.prober_url:
            probers.append(EchoipProber(self._session, options.prober_url))
        return probers

    def _wait(self, prober: _Limited) -> float:
        line = self._line(prober)
        return line.bucket.wait(time.time()) + line.waiting * prober.limit.seconds

    def _line(self, prober: _Limited) -> _Line:
        if prober.key not in self._lines:
            limit = prober.limit
            bucket = TokenBucket(limit.burst, limit.seconds)
            with suppress(KeyError, TypeError, ValueError):
                bucket = TokenBucket.from_dict(
                    self._store.limits[prober.key], limit.burst, limit.seconds
                )
            self._lines[prober.key] = _Line(bucket)
        return self._lines[prober.key]


def _worth(prober: Prober) -> tuple[bool, bool, bool]:
    """Return what orders probers: one's own first, then those that tell why, and show it nobody."""
    abilities = prober.abilities
    return not abilities.sees_nonce, not abilities.tells_why, abilities.public
