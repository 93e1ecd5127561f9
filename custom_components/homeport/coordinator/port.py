"""A port: keeping it as it is wanted, and what the gateway and the outside show of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address
import logging
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..allowed_ports import families_of
from ..const import (
    CONF_BY_HAND,
    CONF_CLOSE_AFTER,
    CONF_EXTERNAL_PORT,
    CONF_INTERNAL_PORT,
    CONF_PROTOCOL,
    Family,
)
from ..gateway import Gateway, GatewayError, GatewayUnreachable, Opening, PortMapping, Transport
from ..outside import Family as IpVersion
from ..ports import Keeper, MappingState, Reachability
from ..store import HomeportStore
from .automatic import AutomaticPort
from .base import HomeportCoordinator
from .check import Check
from .check_queue import CheckQueue
from .exposure import Exposure
from .line import LineCoordinator
from .pinhole import PinholeReport, Pinholes, PortPinhole
from .port_checks import PortChecks
from .port_report import PortReport
from .probers import Probers
from .refusal import is_for_others
from .target import Target
from .timer import CloseTimer

_LOGGER = logging.getLogger(__name__)

_SHORT_LEASE = 5400
"""Seconds. A gateway that tells of changes is read every 1800."""
_SHORTEST_WAIT = 5.0
"""Seconds between two readings of a lease, however short that is."""
_IP_VERSIONS: Final[dict[Family, IpVersion]] = {Family.IPV4: 4, Family.IPV6: 6}


class PortCoordinator(HomeportCoordinator[PortReport]):
    """Reads and changes one port's mapping after each reading of the gateway, and on demand."""

    subentry: ConfigSubentry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        subentry: ConfigSubentry,
        *,
        line: LineCoordinator,
        keeper: Keeper,
        pinholes: Pinholes,
        store: HomeportStore,
        tag: str,
        probers: Probers,
        exposure: Exposure,
        queue: CheckQueue,
        reachable: Callable[[Target, IpVersion], bool],
    ) -> None:
        """Take what it shares with the other ports; `tag` describes our mappings on the gateway.

        `reachable` says whether another port of a target was seen reachable.
        """
        port = subentry.subentry_id
        if subentry.data.get(CONF_BY_HAND):
            store.wanted.discard(port)
            store.closes.pop(port, None)
        # One whose time is up is not wanted from here on, before anything can renew it.
        self._timer = CloseTimer(hass, store, port, self._time_is_up)
        super().__init__(hass, entry, subentry, PortReport(wanted=port in store.wanted))
        self.line = line
        self._keeper = keeper
        self._store = store
        self._tag = tag
        self.target = Target(
            hass, entry, subentry, line=line, store=store, on_change=self._target_moved
        )
        self.pinhole = PortPinhole(subentry, pinholes, self.target, store)
        self.automatic = AutomaticPort(hass, entry, subentry, line=line, keeper=keeper, store=store)
        self.checks = PortChecks(
            subentry,
            line=line,
            target=self.target,
            pinhole=self.pinhole,
            store=store,
            probers=probers,
            exposure=exposure,
            queue=queue,
            reachable=reachable,
        )
        self._keeping = asyncio.Lock()
        self._reads = 0
        self._renewal: float | None = None
        self._refused: GatewayError | None = None

    @property
    def protocol(self) -> Transport:
        """Return the protocol."""
        return Transport(self.subentry.data[CONF_PROTOCOL])

    @property
    def external_port(self) -> int:
        """Return the port on the internet side."""
        return int(self.subentry.data[CONF_EXTERNAL_PORT])

    @property
    def families(self) -> frozenset[Family]:
        """Return the families over which it is to be reached."""
        return families_of(self.subentry.data)

    @property
    def by_hand(self) -> bool:
        """Say whether the user makes the rule on the router: then it is only looked at."""
        return bool(self.subentry.data.get(CONF_BY_HAND))

    @property
    def controlled(self) -> bool:
        """Say whether it is for Homeport to open and close it."""
        return self.line.peer is not None and not self.by_hand

    @property
    def close_after(self) -> timedelta | None:
        """Return how long it stays open once it is opened; None for as long as it is wanted."""
        minutes = self.subentry.data.get(CONF_CLOSE_AFTER)
        return timedelta(minutes=minutes) if minutes else None

    @property
    def closes_at(self) -> datetime | None:
        """Return when it is closed by itself, in UTC; None where no timer runs."""
        return self._timer.ends

    @property
    def opening(self) -> Opening | None:
        """Return the mapping it stands for; None where that is not known, or none is wanted."""
        address = self.target.ipv4
        if address is None or Family.IPV4 not in self.families:
            return None
        return Opening(
            protocol=self.protocol,
            external_port=self.external_port,
            internal_client=address,
            internal_port=int(self.subentry.data[CONF_INTERNAL_PORT]),
            description=self._tag,
        )

    @property
    def is_open(self) -> bool | None:
        """Say whether it is open over every family that is asked for, or over none at all."""
        return self.data.is_open(ipv4=Family.IPV4 in self.families, ipv6=self.pinhole.asked)

    @property
    def port_allowed(self) -> bool | None:
        """Say whether the external port is one of the line's; None where that is not limited.

        Also where it is not sure enough that it is.
        """
        line = self.line.data
        if line.port_set is None or not line.confidence.is_sure:
            return None
        if Family.IPV4 not in self.families:
            return None
        return self.external_port in line.port_set

    def is_own_only(self, err: GatewayError) -> bool:
        """Say whether the gateway refuses since the port is another device's than its own."""
        leads_elsewhere = self.target.ipv4 not in {None, self.line.own_address}
        return leads_elsewhere and err is not self.pinhole.error and is_for_others(err)

    @callback
    def start(self) -> Callable[[], None]:
        """Follow the line; return what ends that."""
        self._timer.arm()
        self._line_updated()
        ends = self.line.async_add_listener(self._line_updated), self.target.start()

        def stop() -> None:
            for end in ends:
                end()

        return stop

    @callback
    def subentry_changed(self) -> None:
        """Replace the mapping by what the subentry says now."""
        self.target.subentry_changed()
        self.async_set_updated_data(self.data.unseen())
        self.config_entry.async_create_background_task(
            self.hass, self._look_and_read(), "homeport port"
        )

    @callback
    def forget_wish(self) -> None:
        """Let it not be wanted any more, nor a timer run; whoever calls saves the store."""
        self._store.wanted.discard(self.subentry.subentry_id)
        self._timer.set(None)

    async def async_want(self, *, wanted: bool, duration: timedelta | None = None) -> None:
        """Remember the wish, for as long as `duration` or without end, and carry it out.

        Raises GatewayError; the wish stays, and is tried again with each reading of the gateway.
        """
        self.forget_wish()
        if wanted:
            self._store.wanted.add(self.subentry.subentry_id)
            self._timer.set(dt_util.utcnow() + duration if duration else None)
        else:
            # What is to be open is saved with the opening itself, and once more below.
            await self._store.save()
        self.data = self.data.unseen()
        try:
            if self.line.gateway is None and self.line.evidence.silent_gateway is None:
                # It is being connected to anew, as when it has just announced itself.
                await self.line.async_refresh()
            if self.line.gateway is None:
                raise GatewayUnreachable
            with self.line.own_change():
                self.async_set_updated_data(await self._keep())
        except GatewayError as err:
            report = self.data.with_mapping(None)
            self.async_set_updated_data(
                replace(report, wanted=wanted, own_only=self.is_own_only(err))
            )
            raise
        finally:
            await self._store.save()
        if self.pinhole.error:
            raise self.pinhole.error

    async def async_check(self, *versions: IpVersion) -> Mapping[IpVersion, Check]:
        """Look at it from outside, and return what that has come to over each family.

        Only over these IP versions, where any are named. What has to wait for a prober is looked at
        when its turn comes; what was seen before stays until then.
        """
        await self.target.async_look()
        await self.async_refresh()
        found = await self.checks.look(
            versions or [_IP_VERSIONS[family] for family in sorted(self.families)],
            lambda: self.data,
            self.opening,
            # One that is silent refuses nothing.
            None if isinstance(self._refused, GatewayUnreachable) else self._refused,
        )
        waiting = self.checks.let_wait(found, self.async_check)
        known = {version: self.data.checks.get(version, found[version]) for version in waiting}
        self.async_set_updated_data(
            replace(self.data, checks={**self.data.checks, **found, **known})
        )
        self._prove(found)
        return found

    @callback
    def baseline_changed(self) -> None:
        """See what follows from what is met at ports that nothing is opened for."""
        checks = {
            version: self.checks.with_baseline(each) for version, each in self.data.checks.items()
        }
        if checks != self.data.checks:
            self.async_set_updated_data(replace(self.data, checks=checks))
            self._prove(checks)

    @callback
    def _prove(self, found: Mapping[IpVersion, Check]) -> None:
        """Tell the line of an address at which this home was seen to be reached."""
        for each in found.values():
            reached = each.diagnosis.reachability is Reachability.REACHABLE
            if reached and isinstance(each.probed, IPv4Address):
                self.line.prove(each.probed, self.external_port)

    @override
    async def async_shutdown(self) -> None:
        """Wait no more for the end of the timer, which stays in the store."""
        self._timer.disarm()
        await super().async_shutdown()

    @override
    async def _async_update_data(self) -> PortReport:
        try:
            report = await self._keep()
        except GatewayError as err:
            # Said once, not with every reading.
            refusal = err.translation_key
            if self._refused is None or self._refused.translation_key != refusal:
                reason = str(err) or refusal
                _LOGGER.warning("Port %s cannot be kept as wanted: %s", self.name, reason)
            self._refused = err
            return replace(self.data.with_mapping(None), own_only=self.is_own_only(err))
        self._refused = None
        return report

    @callback
    def _line_updated(self) -> None:
        """Read the table after each reading of the gateway; forget what another address showed."""
        if any(self.checks.is_of_the_past(each) for each in self.data.checks.values()):
            self.async_set_updated_data(self.data.unseen())
        move = self.automatic.misplaced and self.automatic.movable
        if self._reads != self.line.reads or move or self.pinhole.is_elsewhere(self.data.pinhole):
            self._reads = self.line.reads
            self._read_soon()

    @callback
    def _time_is_up(self) -> None:
        """Close it; while the gateway does not, that is tried again with each reading."""
        self.async_set_updated_data(replace(self.data.unseen(), wanted=False))
        self.config_entry.async_create_background_task(
            self.hass, self._store.save(), "homeport timer"
        )
        self.config_entry.async_create_background_task(
            self.hass, self._close_in_time(), "homeport port"
        )

    @callback
    def _target_moved(self) -> None:
        """Lead to where the device is now."""
        self.async_set_updated_data(self.data.unseen())
        self._read_soon()

    async def _close_in_time(self) -> None:
        with self.line.own_change():
            await self.async_refresh()

    async def _look_and_read(self) -> None:
        await self.target.async_look()
        await self.async_refresh()

    def _read_soon(self) -> None:
        self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), "homeport port"
        )

    async def _keep(self) -> PortReport:
        """Make the gateway show what is wanted and return what it shows. Raises GatewayError.

        One at a time: one that took longer would bring back what was before.
        """
        async with self._keeping:
            return await self._keep_both()

    async def _keep_both(self) -> PortReport:
        """Do so for both families. Raises GatewayError."""
        self._timer.settle()
        wanted = self.subentry.subentry_id in self._store.wanted
        gateway = self.line.gateway
        if gateway is None or self.by_hand:
            self.pinhole.forget()
            report = replace(self.data.with_mapping(None), pinhole=PinholeReport())
            return replace(report, wanted=wanted)
        report, refusal = self.data, None
        try:
            report = await self._keep_mapping(gateway, wanted=wanted)
        except GatewayError as err:
            refusal = err
        # One family does not wait for the other one's trouble to be over.
        pinhole = await self.pinhole.keep()
        again = [each for each in (self._renewal, self.pinhole.read_again) if each]
        self.update_interval = timedelta(seconds=min(again)) if again else None
        if refusal:
            self.data = replace(self.data, pinhole=pinhole)
            raise refusal
        return replace(report, pinhole=pinhole)

    async def _keep_mapping(self, gateway: Gateway, *, wanted: bool) -> PortReport:
        """Do so for IPv4. Raises GatewayError."""
        port, self._renewal = self.subentry.subentry_id, None
        kept = await self.automatic.keep(gateway, lambda: self.opening, wanted=wanted)
        if kept is None:
            if self.target.name or Family.IPV4 not in self.families:
                await self._keeper.close(gateway, port)
            state = None if wanted else MappingState.CLOSED
            return replace(self.data.with_mapping(state), wanted=wanted)
        holder = kept.mapping if kept.state is MappingState.FOREIGN else None
        self._renew_in_time(kept.mapping if kept.state is MappingState.OPEN else None)
        return replace(self.data.with_mapping(kept.state, holder), wanted=wanted)

    def _renew_in_time(self, mapping: PortMapping | None) -> None:
        """See to it that a lease which ends before the gateway is read twice more is renewed."""
        short = mapping is not None and 0 < mapping.lease < _SHORT_LEASE
        seconds = max(mapping.lease / 2, _SHORTEST_WAIT) if mapping and short else 0
        self._renewal = seconds if short else None
