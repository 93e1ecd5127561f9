"""Whether this machine is open to the whole internet, at ports that nothing is opened for."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
import random
from typing import Final

from homeassistant.core import callback

from ..line import LineReport
from ..outside import (
    CannotListen,
    Family,
    IPAddress,
    OtherAddress,
    Outcome,
    OutsideError,
    Prober,
    ProbeTransport,
    Question,
    listen,
)
from ..ports import NotProbed, question_allowed
from .place import Place
from .probers import Aim, Probers, seen_at

_PORTS: Final = range(20_000, 60_000)
"""Where a port is looked for that nobody uses."""
_TRIES: Final = 20
_PATIENCE: Final = 120.0
"""Seconds to wait for a prober; nobody waits for this."""


@dataclass(frozen=True, slots=True)
class Exposed:
    """What was seen over one family at the address `probed`.

    - `exposed`: whether a listener of ours, at a port that nothing is opened for, was met. If not,
      another machine of this home may be all the same
    - `baseline`: what the prober met there
    """

    exposed: bool
    baseline: Outcome
    probed: IPAddress


class Exposure:
    """Looks at it over each family, and keeps what it saw while the address is the same."""

    def __init__(
        self,
        probers: Probers,
        line: Callable[[], LineReport],
        place: Callable[[Family], Place | None],
        used: Callable[[], Collection[int]],
        on_change: Callable[[], None],
    ) -> None:
        """Take who is asked, what the line is, where we are, the ports in use, whom to tell."""
        self._probers = probers
        self._line = line
        self._place = place
        self._used = used
        self._on_change = on_change
        self._seen: dict[Family, Exposed] = {}
        self._looking: dict[Family, asyncio.Lock] = {4: asyncio.Lock(), 6: asyncio.Lock()}
        self._pending: set[Family] = set()

    def seen(self, family: Family) -> Exposed | None:
        """Return what was seen at the address that is ours now; None where nothing was."""
        seen, place = self._seen.get(family), self._place(family)
        return seen if seen and place and seen.probed == place.address else None

    def pending(self, family: Family) -> bool:
        """Say whether it is being looked at for the first time."""
        return family in self._pending

    @property
    def exposed(self) -> bool | None:
        """Say whether it is, over any family; None where it is not known."""
        seen = [each.exposed for family in _FAMILIES if (each := self.seen(family))]
        return any(seen) if seen else None

    @property
    def exposed_over(self) -> list[Family]:
        """Return the families over which it is."""
        return [each for each in _FAMILIES if (seen := self.seen(each)) and seen.exposed]

    async def look(self, family: Family) -> Exposed | None:
        """Look at it, if that is not known yet and may be asked. Raises nothing."""
        async with self._looking[family]:
            if (known := self.seen(family)) is not None:
                return known
            self._pending.add(family)
            try:
                found = await self._knock(family)
            except NotProbed, OutsideError:
                return None
            else:
                if found is not None:
                    self._seen[family] = found
                return found
            finally:
                self._pending.discard(family)
                self._on_change()

    async def look_at_all(self) -> None:
        """Look at it over both families."""
        await asyncio.gather(*(self.look(each) for each in _FAMILIES))

    @callback
    def forget(self) -> None:
        """Know nothing any more, so that it is looked at anew."""
        self._seen.clear()
        self._on_change()

    async def _knock(self, family: Family) -> Exposed | None:
        line, place, ports = self._line(), self._place(family), self._candidates(family)
        if place is None or not ports:
            return None
        question_allowed(line, family, ports[0])
        aim = Aim(ProbeTransport.TCP, family, seen_at(line, family, own_target=True), place.at_home)
        return await self._probers.ask(aim, partial(self._listen, aim), patience=_PATIENCE)

    async def _listen(self, aim: Aim, prober: Prober) -> Exposed | None:
        """Have a prober knock at a listener of ours, as the line is now that its turn has come."""
        line, place, family = self._line(), self._place(aim.family), aim.family
        if place is None:
            return None
        if seen_at(line, family, own_target=True) is not aim.at:
            raise OtherAddress
        for port in self._candidates(family):
            question_allowed(line, family, port)
            try:
                async with listen(
                    ProbeTransport.TCP, place.at_home, port, place.is_outside
                ) as listener:
                    question = Question(
                        ProbeTransport.TCP, place.address, port, place.at_home, listener.nonce
                    )
                    answer = await prober.check(question)
                    met = await listener.met_as(answer)
            except CannotListen:
                continue
            return Exposed(met, answer.outcome, place.address)
        return None

    def _candidates(self, family: Family) -> list[int]:
        """Return some ports that nothing is opened for: on a shared address only this home's."""
        port_set, used = self._line().port_set if family == 4 else None, self._used()
        if port_set is None:
            ports = random.sample(_PORTS, _TRIES)
        else:
            every = [each for first, last in port_set.ranges() for each in range(first, last + 1)]
            free = [each for each in every if each >= 1024]
            ports = random.sample(free, min(_TRIES, len(free)))
        return [each for each in ports if each not in used]


_FAMILIES: Final[tuple[Family, ...]] = (4, 6)
