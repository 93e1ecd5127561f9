"""Looking at a port from outside over each of its families: what is known, and who is asked."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
import logging
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import callback

from ..const import CONF_BY_HAND, CONF_EXTERNAL_PORT, CONF_INTERNAL_PORT, CONF_PROTOCOL
from ..gateway import Gateway, GatewayError, Opening, PortMapping, Transport
from ..outside import (
    Family,
    IPAddress,
    OtherAddress,
    OutsideError,
    ProbeTransport,
)
from ..ports import MappingState, PortFacts, Reachability, question_allowed
from ..store import HomeportStore
from .check import PATIENCE, Check, Subject, check, service_at_home
from .check_queue import CheckQueue, Waiting
from .exposure import Exposure
from .firewall_place import has_global_ipv6
from .line import LineCoordinator
from .own_url import own_url
from .pinhole import PortPinhole
from .place import is_outside, met_at, own_ipv4
from .port_report import PortReport
from .probers import Aim, ProberBusy, Probers, seen_at
from .target import Target

_LOGGER = logging.getLogger(__name__)


class PortChecks:
    """Looks at one port."""

    def __init__(
        self,
        subentry: ConfigSubentry,
        *,
        line: LineCoordinator,
        target: Target,
        pinhole: PortPinhole,
        store: HomeportStore,
        probers: Probers,
        exposure: Exposure,
        queue: CheckQueue,
        reachable: Callable[[Target, Family], bool],
    ) -> None:
        """Take the port, what is known of it, and who is asked.

        `reachable` says whether another port of the same target was seen reachable.
        """
        self._subentry = subentry
        self._line = line
        self._target = target
        self._pinhole = pinhole
        self._store = store
        self._probers = probers
        self._exposure = exposure
        self._queue = queue
        self._reachable = reachable
        self._failed = False

    async def look(
        self,
        families: Iterable[Family],
        report: Callable[[], PortReport],
        opening: Opening | None,
        refusal: GatewayError | None,
    ) -> dict[Family, Check]:
        """Look at it over each family. Raises nothing.

        `report` returns what is known of the port at the time.
        """
        facts = [await self._facts(each, report(), opening, refusal) for each in families]
        found = await asyncio.gather(*(check(self._subject(each), self._probers) for each in facts))
        self._log_problem(found)
        await self._look_around(found)
        return {each.facts.family: self.with_baseline(self._now(each, report())) for each in found}

    @callback
    def let_wait(
        self, found: Mapping[Family, Check], again: Callable[[Family], Awaitable[object]]
    ) -> list[Family]:
        """Queue what has to wait for a prober, to be looked at by `again`; return the families."""
        port = self._subentry.subentry_id
        waiting = [each for each in found if isinstance(found[each].problem, ProberBusy)]
        self._queue.drop(port, *(found.keys() - set(waiting)))
        for family in waiting:
            self._queue.add(
                port, family, Waiting(partial(self._seconds, family), partial(again, family))
            )
        return waiting

    def waits(self, family: Family) -> bool:
        """Say whether it is looked at over a family as soon as a prober may be asked again."""
        return (self._subentry.subentry_id, family) in self._queue

    def _seconds(self, family: Family) -> float:
        """Return how long it takes until somebody may be asked to look at it over a family."""
        return self._probers.wait(self._aim(family))

    def is_of_the_past(self, seen: Check) -> bool:
        """Say whether what was seen was seen at an address that is ours no more."""
        return seen.probed is not None and seen.probed != self._met_at(seen.probed.version)

    def _met_at(self, family: Family) -> IPAddress | None:
        """Return where the internet meets the port; None where that is not known."""
        return met_at(self._line.data) if family == 4 else self._pinhole.address

    def _aim(self, family: Family) -> Aim:
        """Return what has to be known to choose a prober."""
        own = self._target.name is None
        at = seen_at(self._line.data, family, own_target=own)
        source: IPAddress | None = own_ipv4(self._line)
        if family == 6:
            source = self._pinhole.address if own else self._target.own_ipv6
        return Aim(ProbeTransport(self._data[CONF_PROTOCOL]), family, at, source)

    def _raise_obstacle(self, facts: PortFacts, address: IPAddress | None, aim: Aim) -> None:
        """Raise what keeps a prober from being asked: the line may have changed meanwhile."""
        question_allowed(self._line.data, facts.family, facts.external_port)
        if (self._met_at(facts.family), self._aim(facts.family).at) != (address, aim.at):
            raise OtherAddress

    def _now(self, found: Check, report: PortReport) -> Check:
        """Return what follows from how things are after the prober has answered."""
        facts = replace(found.facts, line=self._line.data, wanted=report.wanted)
        if found.facts.family == 6:
            facts = replace(facts, pinhole=report.pinhole.state)
        elif not facts.by_hand:
            holder = report.holder.internal_client if report.holder else None
            facts = replace(facts, mapping=report.mapping, holder=holder)
        if not self.is_of_the_past(found):
            return found.again(facts)
        other = OtherAddress()
        facts = replace(facts, answer=None, probed=None, outside_failed=other.translation_key)
        return replace(found.again(facts), checked=None, problem=other)

    async def changed_at_home(self, seen: Check) -> bool:
        """Say whether the LAN shows something else of the service than it did."""
        return await service_at_home(self._subject(seen.facts)) is not seen.facts.service

    async def _look_around(self, found: Iterable[Check]) -> None:
        """Find out what is met at ports that nothing is opened for, where that is not known.

        It is waited for where a port may have accepted because all do: for a while, since the
        prober may have to be waited for; what is shown follows later then.
        """
        looks = [
            self._line.config_entry.async_create_background_task(
                self._line.hass, self._exposure.look(each.facts.family), "homeport exposed host"
            )
            for each in found
            if each.facts.answer
        ]
        if looks and any(each.diagnosis.reachability is Reachability.REACHABLE for each in found):
            await asyncio.wait(looks, timeout=PATIENCE)

    def with_baseline(self, known: Check) -> Check:
        """Return what follows with what is met at other ports."""
        family = known.facts.family
        seen, pending = self._exposure.seen(family), self._exposure.pending(family)
        baseline = seen.baseline if seen else known.facts.baseline
        return known.again(replace(known.facts, baseline=baseline, baseline_pending=pending))

    @property
    def _data(self) -> Mapping[str, Any]:
        return self._subentry.data

    def _subject(self, facts: PortFacts) -> Subject:
        family, at_home = facts.family, facts.target_address
        if family == 4 and facts.own_target:
            at_home = own_ipv4(self._line)
        address, aim = self._met_at(family), self._aim(family)
        return Subject(
            facts=facts,
            address=address,
            at_home=at_home,
            aim=aim,
            raise_obstacle=partial(self._raise_obstacle, facts, address, aim),
            is_outside=is_outside(self._line),
            url=own_url(self._line.hass, facts.internal_port) if facts.own_target else None,
        )

    def _log_problem(self, found: Iterable[Check]) -> None:
        """Say once that nobody outside gives a usable answer."""
        errors = (each.problem for each in found if isinstance(each.problem, OutsideError))
        failed = next((each for each in errors if not isinstance(each, ProberBusy)), None)
        if failed and not self._failed:
            reason = str(failed) or type(failed).__name__
            _LOGGER.warning("The prober gave no usable answer: %s", reason)
        self._failed = failed is not None

    async def _facts(
        self,
        family: Family,
        report: PortReport,
        opening: Opening | None,
        refusal: GatewayError | None,
    ) -> PortFacts:
        line, data = self._line, self._data
        by_hand = bool(data.get(CONF_BY_HAND))
        target = self._target.ipv4 if family == 4 else self._pinhole.address
        own = self._target.name is None
        remembered = self._store.openings.get(self._subentry.subentry_id)
        mapping, holder = await self._mapping(report, opening) if family == 4 else (None, None)
        refused = self._pinhole.error if family == 6 else refusal
        return PortFacts(
            family=family,
            transport=Transport(data[CONF_PROTOCOL]),
            external_port=data[CONF_EXTERNAL_PORT] if family == 4 else data[CONF_INTERNAL_PORT],
            internal_port=data[CONF_INTERNAL_PORT],
            line=line.data,
            wanted=report.wanted,
            by_hand=by_hand,
            has_gateway=line.peer is not None,
            gateway_answers=line.gateway_answers,
            upnp_off=line.evidence.silent_gateway is not None and bool(line.data.internet),
            refusal=refused.translation_key if refused else None,
            refusal_names=refused.placeholders if refused else {},
            mapping=mapping,
            holder=holder.internal_client if holder else None,
            pinhole=report.pinhole.state if family == 6 else None,
            second_told=line.link is not None and line.link.memory.second is not None,
            own_target=own,
            target_known=target is not None or (own and family == 4),
            target_address=target,
            target_moved=_has_moved(remembered, target),
            unstable_address=(
                family == 6 and own and target is None and has_global_ipv6(line.evidence.host)
            ),
            other_port_reachable=self._reachable(self._target, family) or None,
        )

    async def _mapping(
        self, report: PortReport, opening: Opening | None
    ) -> tuple[MappingState | None, PortMapping | None]:
        """Return what the gateway's table shows, and the mapping that leads elsewhere, if any."""
        if not self._data.get(CONF_BY_HAND):
            return report.mapping, report.holder
        gateway = self._line.gateway
        if gateway is None or opening is None:
            return None, None
        return await _by_hand(gateway, opening)


def _has_moved(remembered: Opening | None, target: IPAddress | None) -> bool | None:
    """Say whether what was opened leads to where the target no longer is."""
    if remembered is None or not isinstance(target, IPv4Address):
        return None
    return remembered.internal_client != target


async def _by_hand(
    gateway: Gateway, opening: Opening
) -> tuple[MappingState | None, PortMapping | None]:
    """Return whether the rule of another hand leads where it is meant to, and the one that not."""
    try:
        found = await gateway.mapping(opening.key)
    except GatewayError:
        return None, None
    if found is None:
        # Some routers keep the rules of their own pages out of this table.
        return None, None
    leads = found.internal_client, found.internal_port
    if leads == (str(opening.internal_client), opening.internal_port):
        return MappingState.OPEN if found.enabled else MappingState.MISSING, None
    return MappingState.FOREIGN, found
