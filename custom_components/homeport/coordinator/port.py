"""A port: keeping it as it is wanted, and what the gateway and the outside show of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import (
    CONF_BY_HAND,
    CONF_CLOSE_AFTER,
    CONF_EXTERNAL_PORT,
    CONF_INTERNAL_CLIENT,
    CONF_INTERNAL_PORT,
    CONF_LOCATION,
    CONF_PROTOCOL,
)
from ..gateway import GatewayError, GatewayUnreachable, Opening, PortMapping, Transport
from ..outside import OtherAddress, OutsideError
from ..ports import (
    Keeper,
    MappingState,
    NotProbed,
    Reachability,
    address_to_probe,
    reachability,
)
from ..store import HomeportStore
from .base import HomeportCoordinator
from .line import LineCoordinator
from .timer import CloseTimer

_LOGGER = logging.getLogger(__name__)

_SLOW_CHANGE = 10.0
"""Seconds that a router may take to carry out a change."""
_SHORT_LEASE = 900
"""Seconds. A gateway that tells of changes is read every 300."""
_SHORTEST_WAIT = 5.0
"""Seconds between two readings of a lease, however short that is."""
_OWN_EVENT = 2.0
"""Seconds that the event about it may take to come."""


@dataclass(frozen=True, slots=True)
class PortReport:
    """A port, as far as it is known.

    - `wanted`: whether its switch was turned on
    - `mapping`: what the gateway's table shows; None when that could not be read
    - `holder`: the foreign mapping that has the external port
    - `reachability`: what was seen from outside; None when not known (any more)
    - `probed`: the public address under which it was seen
    - `checked`: when it was seen
    """

    wanted: bool
    mapping: MappingState | None = None
    holder: PortMapping | None = None
    reachability: Reachability | None = None
    probed: IPv4Address | None = None
    checked: datetime | None = None

    def unseen(self) -> PortReport:
        """Return the report without what was seen from outside, which may be true no more."""
        return replace(self, reachability=None, probed=None, checked=None)

    def with_mapping(
        self, mapping: MappingState | None, holder: PortMapping | None = None
    ) -> PortReport:
        """Return the report with what the gateway's table shows now.

        What was seen from outside was seen through the mapping of that time.
        """
        report = self if mapping is self.mapping else self.unseen()
        return replace(report, mapping=mapping, holder=holder)


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
        store: HomeportStore,
        tag: str,
    ) -> None:
        """Take what it shares with the other ports; `tag` describes our mappings on the gateway."""
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
        self._keeping = asyncio.Lock()
        self._reads = 0
        self._refused = ""
        self._prober_failed = False

    @property
    def protocol(self) -> Transport:
        """Return the protocol."""
        return Transport(self.subentry.data[CONF_PROTOCOL])

    @property
    def external_port(self) -> int:
        """Return the port on the internet side."""
        return int(self.subentry.data[CONF_EXTERNAL_PORT])

    @property
    def by_hand(self) -> bool:
        """Say whether the user makes the rule on the router: then it is only looked at."""
        return bool(self.subentry.data.get(CONF_BY_HAND))

    @property
    def controlled(self) -> bool:
        """Say whether it is for Homeport to open and close it."""
        return CONF_LOCATION in self.config_entry.data and not self.by_hand

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
        """Return the mapping it stands for; None while our own address is not known."""
        client = self.subentry.data.get(CONF_INTERNAL_CLIENT)
        address = IPv4Address(client) if client else self.line.own_address
        if address is None:
            return None
        return Opening(
            protocol=self.protocol,
            external_port=self.external_port,
            internal_client=address,
            internal_port=int(self.subentry.data[CONF_INTERNAL_PORT]),
            description=self._tag,
        )

    @property
    def port_allowed(self) -> bool | None:
        """Say whether the external port is one of the line's; None where that is not limited.

        Also where it is not sure enough that it is.
        """
        line = self.line.data
        if line.port_set is None or not line.confidence.is_sure:
            return None
        return self.external_port in line.port_set

    @callback
    def start(self) -> Callable[[], None]:
        """Follow the line; return what ends that."""
        self._timer.arm()
        self._line_updated()
        return self.line.async_add_listener(self._line_updated)

    @callback
    def subentry_changed(self) -> None:
        """Replace the mapping by what the subentry says now."""
        self.async_set_updated_data(self.data.unseen())
        self._read_soon()

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
            if self.line.gateway is None:
                raise GatewayUnreachable
            self.line.expect_table_events(_SLOW_CHANGE)
            self.async_set_updated_data(await self._keep())
        except GatewayError:
            self.async_set_updated_data(replace(self.data, wanted=wanted, mapping=None))
            raise
        finally:
            await self._store.save()

    async def async_check(self) -> None:
        """Let the prober connect.

        Raises NotProbed when there is a reason not to ask, OutsideError when there is no answer to
        believe. Then nothing is known any more.
        """
        self.data = self.data.unseen()
        try:
            self.data = await self._probe()
        except OutsideError as err:
            if not self._prober_failed:
                _LOGGER.warning("The prober gave no usable answer: %s", err or type(err).__name__)
            self._prober_failed = True
            raise
        else:
            self._prober_failed = False
        finally:
            self.async_set_updated_data(self.data)

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
            if self._refused != (refusal := err.translation_key):
                _LOGGER.warning("Port %s cannot be kept as wanted: %s", self.name, err or refusal)
            self._refused = refusal
            return self.data.with_mapping(None)
        self._refused = ""
        return report

    @callback
    def _line_updated(self) -> None:
        """Read the table after each reading of the gateway; forget what another address showed."""
        if self.data.probed and self.data.probed != self.line.data.public_ipv4:
            self.async_set_updated_data(self.data.unseen())
        if self._reads != self.line.reads:
            self._reads = self.line.reads
            self._read_soon()

    @callback
    def _time_is_up(self) -> None:
        """Close it; while the gateway does not, that is tried again with each reading."""
        self.line.expect_table_events(_SLOW_CHANGE)
        self.async_set_updated_data(replace(self.data.unseen(), wanted=False))
        self.config_entry.async_create_background_task(
            self.hass, self._store.save(), "homeport timer"
        )
        self._read_soon()

    def _read_soon(self) -> None:
        self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), "homeport port"
        )

    async def _keep(self) -> PortReport:
        """Make the gateway show what is wanted and return what it shows. Raises GatewayError."""
        port = self.subentry.subentry_id
        # What is wanted is looked up inside: it may change while another reading is under way.
        async with self._keeping:
            self._timer.settle()
            wanted = port in self._store.wanted
        gateway, opening = self.line.gateway, self.opening
        if gateway is None or opening is None or self.by_hand:
            return replace(self.data.with_mapping(None), wanted=wanted)
        kept = await self._keeper.keep(gateway, port, opening, wanted=wanted)
        holder = kept.mapping if kept.state is MappingState.FOREIGN else None
        self._renew_in_time(kept.mapping if kept.state is MappingState.OPEN else None)
        return replace(self.data.with_mapping(kept.state, holder), wanted=wanted)

    def _renew_in_time(self, mapping: PortMapping | None) -> None:
        """See to it that a lease which ends before the gateway is read twice more is renewed."""
        short = mapping is not None and 0 < mapping.lease < _SHORT_LEASE
        seconds = max(mapping.lease / 2, _SHORTEST_WAIT) if mapping and short else 0
        self.update_interval = timedelta(seconds=seconds) if short else None

    async def _probe(self) -> PortReport:
        prober = self.line.prober
        if prober is None:
            raise NotProbed("no_prober")
        address = address_to_probe(self.line.data, self.protocol, self.external_port)
        accepted = await prober.accepts(self.external_port, address)
        line = self.line.data
        if line.public_ipv4 != address:  # it changed in the meantime
            raise OtherAddress
        seen = reachability(line, address, self.external_port, self.data.mapping, accepted=accepted)
        if seen is Reachability.REACHABLE:
            self.line.prove(address, self.external_port)
        return replace(self.data, reachability=seen, probed=address, checked=dt_util.utcnow())
