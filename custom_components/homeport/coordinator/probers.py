"""Who is asked to look at a port from outside, in which order, and how often."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
import socket
import time
from typing import Final

from ..const import HostedProber
from ..line import LineMode, LineReport
from ..options import LineOptions
from ..outside import (
    CheckHostProber,
    EchoipProber,
    Family,
    GlobalpingProber,
    IPAddress,
    IsOutside,
    OpenSession,
    OutsideBusy,
    OutsideError,
    OwnProber,
    PortcheckerProber,
    Prober,
    ProbeTransport,
    StunProber,
    TokenBucket,
    parse_server,
)
from ..outside.family import SOCKET_FAMILY
from ..ports import NotProbed
from ..store import HomeportStore

_HOSTED: Final[dict[HostedProber, Callable[[OpenSession, LineOptions], Prober]]] = {
    HostedProber.CHECK_HOST: lambda session, _: CheckHostProber(session),
    HostedProber.GLOBALPING: lambda session, options: GlobalpingProber(
        session, token=options.globalping_token
    ),
    HostedProber.PORTCHECKER: lambda session, _: PortcheckerProber(session),
}

_LONGEST_HOLD: Final = 3600.0
"""Seconds for which a prober is believed that it wants to be asked no more."""
_DOUBLINGS: Final = 12


class ProberBusy(OutsideError):
    """All that can be asked have been asked too often."""

    translation_key = "prober_busy"


class ProberInside(OutsideError):
    """The prober is at home, or in the same closed network: what it sees proves nothing."""

    translation_key = "prober_inside"


class At(StrEnum):
    """Where the address under test is.

    - `us`: it is the one that the question comes from
    - `neighbour`: another machine's in this home, within the same /64
    - `other_exit`: that of the way out which this machine does not take
    """

    US = "us"
    NEIGHBOUR = "neighbour"
    OTHER_EXIT = "other_exit"


@dataclass(frozen=True, slots=True)
class Aim:
    """What is to be looked at.

    - `transport`, `family`: over what
    - `at`: where the address under test is
    - `source`: our own address to ask from; None where that is not known
    """

    transport: ProbeTransport
    family: Family
    at: At
    source: IPAddress | None = None


type Knock[ProberT, ResultT] = Callable[[ProberT], Awaitable[ResultT]]
"""Asks a prober whose turn has come: only then may a listener be opened, which is not for long."""
type _Limited = Prober | StunProber


@dataclass(slots=True)
class _Turns:
    """Those who wait for a prober, one behind the other.

    `refusals`: how often in a row it has wanted to be asked less often.
    """

    bucket: TokenBucket
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    refusals: int = 0


class Probers:
    """The probers that the options name; their limits are kept over a restart."""

    def __init__(
        self,
        store: HomeportStore,
        options: Callable[[], LineOptions],
        open_session: OpenSession,
        is_outside: Callable[[], IsOutside],
    ) -> None:
        """Take the memory, what may be asked, what opens a session from a local address.

        And what says, as things are now, whether an address is somebody's outside.
        """
        self._store = store
        self._options = options
        self._session = open_session
        self._is_outside = is_outside
        self._turns_of: dict[str, _Turns] = {}

    def able(self, aim: Aim) -> list[Prober]:
        """Return who can look at it, the best first."""
        able = [
            each
            for each in self._all()
            if each.abilities.cover(aim.transport, aim.family) and _dials(each, aim.at)
        ]
        return sorted(able, key=_worth)

    def wait(self, aim: Aim) -> float:
        """Return the seconds until one of those who can look at it may be asked."""
        able: list[_Limited] = [*self.able(aim)]
        if not able and aim.transport is ProbeTransport.UDP and (stun := self._stun()):
            able = [stun]
        return min(map(self._wait, able), default=0.0)

    async def ask[ResultT](
        self, aim: Aim, knock: Knock[Prober, ResultT], *, patience: float
    ) -> ResultT:
        """Ask one after the other until one answers; who has to be waited for comes last.

        Raises NotProbed where nobody may be asked who can, ProberBusy when none may be asked within
        `patience` seconds, else what the first one raised.
        """
        able = self.able(aim)
        if not able:
            raise self._nobody(aim)
        first: OutsideError | None = None
        for prober in sorted(able, key=lambda each: self._wait(each) > 0):
            try:
                await self._raise_inside(prober, aim)
                # Nothing comes in between: who is counted as waiting is waited for by the others.
                if self._wait(prober) > patience:
                    continue
                await self._take_turn(prober)
                result = await knock(prober)
            except OutsideBusy as err:
                await self._hold(prober, err.retry_after)
            except OutsideError as err:
                first = first or err
            else:
                self._turns(prober).refusals = 0
                return result
        raise first or ProberBusy

    async def prove_udp[ResultT](
        self, aim: Aim, knock: Knock[StunProber, ResultT], *, patience: float
    ) -> ResultT:
        """Have a STUN server knock at a port of this machine that is free.

        Raises NotProbed, ProberBusy, and what `knock` does.
        """
        prober = self._stun()
        if prober is None or aim.at is not At.US:
            raise self._nobody(aim)
        if self._wait(prober) > patience:
            raise ProberBusy
        await self._take_turn(prober)
        return await knock(prober)

    async def _take_turn(self, prober: _Limited) -> None:
        """Wait until a prober may be asked."""
        turns = self._turns(prober)
        turns.waiting += 1
        try:
            async with turns.turn:
                await asyncio.sleep(turns.bucket.wait(time.time()))
                turns.bucket.take(time.time())
        finally:
            turns.waiting -= 1
        await self._remember(prober)

    async def _hold(self, prober: Prober, seconds: int | None) -> None:
        """Ask a prober no more for as long as it has said, and longer each time."""
        turns = self._turns(prober)
        least = prober.limit.seconds * 2.0 ** min(turns.refusals, _DOUBLINGS)
        turns.refusals += 1
        turns.bucket.hold(time.time(), min(max(seconds or 0.0, least), _LONGEST_HOLD))
        await self._remember(prober)

    async def _remember(self, prober: _Limited) -> None:
        self._store.limits[prober.key] = self._turns(prober).bucket.to_dict()
        await self._store.save()

    async def _raise_inside(self, prober: Prober, aim: Aim) -> None:
        """Raise ProberInside unless a prober that knocks from where it is can be outside."""
        if not isinstance(prober, OwnProber | EchoipProber):
            return
        is_outside, source = self._is_outside(), aim.source
        for address in await _addresses(prober.host, aim.family):
            # Who is in the LAN sees our private address, and its answer is refused for that.
            at_home = address.version == 4 and not address.is_global
            told_apart = at_home and source is not None and not source.is_global
            if not is_outside(address) and not told_apart:
                raise ProberInside

    def _nobody(self, aim: Aim) -> NotProbed:
        """Return why nobody can be asked."""
        if not self._all():
            return NotProbed("no_prober")
        if aim.at is At.OTHER_EXIT:
            return NotProbed("line_two_exits")
        udp = aim.transport is ProbeTransport.UDP
        return NotProbed("prober_tcp_only" if udp else "prober_ipv4_only")

    def _stun(self) -> StunProber | None:
        server = self._options().udp_server
        return StunProber(parse_server(server), self._is_outside()) if server else None

    def _all(self) -> list[Prober]:
        options = self._options()
        probers = [_HOSTED[each](self._session, options) for each in options.hosted_probers]
        if own := options.own_prober:
            probers.append(OwnProber(self._session, own.url, own.token, own.name))
        if options.prober_url:
            probers.append(EchoipProber(self._session, options.prober_url))
        return probers

    def _wait(self, prober: _Limited) -> float:
        turns = self._turns(prober)
        return turns.bucket.wait(time.time(), turns.waiting)

    def _turns(self, prober: _Limited) -> _Turns:
        if prober.key not in self._turns_of:
            limit = prober.limit
            bucket = TokenBucket(limit.burst, limit.seconds)
            with suppress(KeyError, TypeError, ValueError):
                bucket = TokenBucket.from_dict(
                    self._store.limits[prober.key], limit.burst, limit.seconds
                )
            self._turns_of[prober.key] = _Turns(bucket)
        return self._turns_of[prober.key]


async def _addresses(host: str, family: Family) -> set[IPAddress]:
    """Return where a name leads over one family; nowhere where that is not known."""
    with suppress(OSError, UnicodeError, ValueError):
        found = await asyncio.get_running_loop().getaddrinfo(
            host, None, family=SOCKET_FAMILY[family], type=socket.SOCK_STREAM
        )
        return {ip_address(each[4][0]) for each in found}
    return set()


def seen_at(line: LineReport, family: Family, *, own_target: bool) -> At:
    """Return where a port of this home is, as somebody sees it whom this machine asks.

    Behind IPv4's NAT all machines have one address; over IPv6 each one has its own.
    """
    if family == 4:
        return At.OTHER_EXIT if line.mode is LineMode.TWO_EXITS else At.US
    return At.US if own_target else At.NEIGHBOUR


def _dials(prober: Prober, at: At) -> bool:
    """Say whether a prober dials what is there: no other home that has the caller's address."""
    match at:
        case At.NEIGHBOUR:
            return isinstance(prober, OwnProber)
        case At.OTHER_EXIT if isinstance(prober, OwnProber):
            return prober.dials_name
        case At.OTHER_EXIT:
            return not prober.abilities.own_address_only
    return True


def _worth(prober: Prober) -> tuple[bool, bool, bool]:
    """Return what orders probers: one's own first, then those that tell why, and show it nobody."""
    abilities = prober.abilities
    return not abilities.sees_nonce, not abilities.tells_why, abilities.public
