"""The line: reading the gateway, surveying the rest, and what follows from all of it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from ipaddress import IPv4Address
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..const import CONF_LOCATION
from ..gateway import Gateway, GatewayError, GatewayInfo, Link, Peer, WanStatus
from ..host import HostState, Watch, read_state, source_address
from ..line import (
    Evidence,
    GatewayEvidence,
    LineMode,
    LineReport,
    MtuEvidence,
    Proof,
    classify,
    load_rules,
)
from ..options import LineOptions, without_probers
from ..peer import peer_of
from ..store import HomeportStore
from .announced import SsdpAnnouncements
from .base import HomeportCoordinator, Sessions
from .events import AddressEvent, changes
from .hints import Hints
from .lookout import Lookout
from .merge import gateway_evidence, held, host_moved, unseen
from .multicast import Multicast
from .schedule import Look, next_look
from .second_router import follow_second_router, second_router
from .survey import Around, Pieces, survey

_LOGGER = logging.getLogger(__name__)

_POLL_WITH_EVENTS = timedelta(minutes=30)
_POLL_WITHOUT_EVENTS = timedelta(minutes=1)
_POLL_SILENT_GATEWAY = timedelta(seconds=4)
_POLL_LOST_GATEWAY = timedelta(seconds=30)
_LOST = 600.0
"""Seconds of silence after which a gateway is waited for without hurry."""
_FIRST_READING = 2.0
"""Seconds that the first survey waits for the gateway."""

# Where IPv4 does not come through IPv6, so that a new IPv6 prefix says nothing about it.
_APART = frozenset({LineMode.PPPOE, LineMode.PUBLIC, LineMode.CGNAT})


class LineCoordinator(HomeportCoordinator[LineReport]):
    """Follows the gateway and this machine, surveys the outside, and says what follows."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        sessions: Sessions,
        store: HomeportStore,
    ) -> None:
        """Prepare; nothing is asked before `start`."""
        super().__init__(hass, entry, None, LineReport())
        self._sessions = sessions
        self._store = store
        self.peer = peer_of(entry.data)
        self._run = partial(entry.async_create_background_task, hass)
        self._address_listeners: list[Callable[[AddressEvent], None]] = []
        self._hints = Hints(self.async_refresh, lambda: self.evidence.gateway, self._run)
        self.link = self._new_link()
        self._returning: asyncio.Task[None] | None = None
        self._announcements = (
            SsdpAnnouncements(
                hass,
                lambda: entry.unique_id,
                lambda: not self.gateway_answers,
                self._on_return,
            )
            if self.link
            else None
        )
        self._multicast = Multicast(self._on_return, self._hints.on_hint)
        self._watch = Watch(self._on_host_change)
        self._watched = False
        self.surveyed = False
        """Whether the line was looked at from all sides since the start."""
        self._echo_silent = False
        self._silent_since: float | None = None
        self._lookout = Lookout(
            sessions, self._survey, self._next_look, lambda: self.evidence, lambda: self.options
        )
        self.options = LineOptions.from_mapping(entry.options)
        self.evidence = self._with_options(Evidence(gateway_pending=self.link is not None))
        """What is known of the line, for others to read."""
        self.reads = 0
        """Readings of the gateway so far, failed ones included: ports are read after each."""

    @property
    def gateway(self) -> Gateway | None:
        """Return the gateway, if it answers."""
        return self.link.opener if self.link else None

    @property
    def gateway_info(self) -> GatewayInfo | None:
        """Return who the gateway is, if it answers."""
        return self.link.igd.info if self.link and self.link.igd else None

    @property
    def own_address(self) -> IPv4Address | None:
        """Return the address of this Home Assistant as the gateway sees it."""
        return self.link.own_address if self.link and self.link.gateway else None

    @property
    def gateway_answers(self) -> bool:
        """Say whether the last reading of the gateway succeeded."""
        return self.evidence.gateway is not None

    @property
    def path_mtu(self) -> MtuEvidence | None:
        """Return the path MTUs as they were measured last."""
        return self.evidence.mtu

    @callback
    def start(self) -> None:
        """Begin to watch the line, in the background."""
        reading = self._run(self.async_refresh(), "homeport first reading")
        self._run(self._begin(reading), "homeport line")

    @callback
    def options_changed(self) -> None:
        """Survey with the options as they are now; what others have said is void.

        Unless only those were changed who look at ports: they say nothing of the line.
        """
        before, self.options = self.options, LineOptions.from_mapping(self.config_entry.options)
        if without_probers(before) == without_probers(self.options):
            return
        self.evidence = self._with_options(unseen(self.evidence, ipv4=True, ipv6=True))
        self._echo_silent = False
        self._lookout.want(anew=True)
        self._conclude()

    async def async_detect(self) -> LineReport:
        """Look at the line from all sides now and return what follows."""
        await self.async_refresh()
        await self._lookout.look()
        return self.data

    @callback
    def async_add_address_listener(
        self, listener: Callable[[AddressEvent], None]
    ) -> Callable[[], None]:
        """Call a function for each change of an address; return what ends that."""
        self._address_listeners.append(listener)
        return partial(self._address_listeners.remove, listener)

    def own_change(self) -> AbstractContextManager[None]:
        """Return what is to be entered while we change the gateway's table; see Hints."""
        return self._hints.own_change()

    @callback
    def prove(self, address: IPv4Address, port: int) -> None:
        """Take note of a port that was seen working from outside."""
        self.evidence = replace(self.evidence, proof=Proof(address, port))
        self._conclude()

    @override
    async def async_shutdown(self) -> None:
        """End the subscription to the gateway's events, and stop listening to the kernel."""
        await super().async_shutdown()
        if self._announcements:
            self._announcements.stop()
        await self._watch.stop()
        await self._multicast.stop()
        if self.link:
            await self.link.close()

    @override
    async def _async_update_data(self) -> LineReport:
        await self._read_gateway()
        return self._report()

    def _new_link(self) -> Link | None:
        return (
            Link(
                self._sessions.any,
                self.peer,
                source_address,
                memory=self._store.gateway,
                save=self._store.save,
                known=self._store.openings.values,
                on_hint=self._hints.on_hint,
                on_move=self._on_move,
            )
            if self.peer
            else None
        )

    async def _begin(self, reading: asyncio.Task[None]) -> None:
        # A file is read: not in the event loop.
        await self.hass.async_add_executor_job(load_rules)
        self._watched = await self._watch.start()
        if self._announcements:
            await self._announcements.start()
        # What the gateway says tells where to look; one that is silent holds up nothing for long.
        await asyncio.wait([reading], timeout=_FIRST_READING)
        await self._lookout.run()

    # --- The gateway -----------------------------------------------------------------------------

    async def _read_gateway(self) -> None:
        if not self.link:
            return
        try:
            status = await self.link.read()
        except GatewayError as err:
            if self.link.gateway is None:  # else another reading was faster
                self._gateway_silent(err)
        else:
            self._gateway_said(status, self.link)
        self.reads += 1

    def _gateway_silent(self, err: GatewayError) -> None:
        if self.evidence.silent_gateway is None:
            _LOGGER.warning("The router does not answer: %s", err or type(err).__name__)
        before = self.evidence.gateway or self.evidence.silent_gateway
        self.evidence = replace(
            self.evidence,
            gateway_pending=False,
            gateway=None,
            silent_gateway=before or GatewayEvidence(None, None),
        )
        now = self.hass.loop.time()
        self._silent_since = self._silent_since or now
        lost = now - self._silent_since > _LOST
        self.update_interval = _POLL_LOST_GATEWAY if lost else _POLL_SILENT_GATEWAY

    def _gateway_said(self, status: WanStatus, link: Link) -> None:
        if self.evidence.silent_gateway:
            _LOGGER.info("The router answers again")
        self._silent_since = None
        before = self.evidence.gateway or self.evidence.silent_gateway
        ppp = bool(link.igd and link.igd.ppp)
        now = gateway_evidence(status, link.address, self.evidence.host, ppp=ppp)
        self.evidence = replace(
            self.evidence, gateway_pending=False, gateway=now, silent_gateway=None
        )
        self.update_interval = _POLL_WITH_EVENTS if link.pushes else _POLL_WITHOUT_EVENTS
        if before is None or before.address != now.address:
            if before is not None:
                self.evidence = unseen(self._with_options(self.evidence), ipv4=True)
            self._lookout.want(anew=before is not None)
        elif before.connected != now.connected:
            self._lookout.want()

    async def _follow_second_router(self) -> None:
        """Open on the second router as well, if that is wanted and it was found."""
        second = second_router(self.evidence)
        if self.link is None or (self.options.both_routers and second is None):
            return
        wanted = second if self.options.both_routers else None
        if await follow_second_router(self.link, wanted, self._store.save):
            await self.async_refresh()

    @callback
    def _on_move(self, info: GatewayInfo) -> None:
        """Keep where the gateway's description is by now, and its name if that is another one."""
        self.peer = replace(self.peer or Peer(), location=info.location)
        entries = self.hass.config_entries
        taken = entries.async_entry_for_domain_unique_id(self.config_entry.domain, info.udn)
        self.hass.config_entries.async_update_entry(
            self.config_entry,
            data={**self.config_entry.data, CONF_LOCATION: info.location},
            unique_id=self.config_entry.unique_id if taken else info.udn,
        )

    @callback
    def _on_return(self) -> None:
        """Connect to the gateway anew: it has forgotten our subscription, perhaps our mappings."""
        if self._returning is None or self._returning.done():
            self._returning = self._run(self._reconnect(), "homeport router returned")

    async def _reconnect(self) -> None:
        if self.link:
            await self.link.stop(lost=True)
            await self.async_refresh()

    # --- This machine ----------------------------------------------------------------------------

    @callback
    def _on_host_change(self) -> None:
        self._run(self._read_host(), "homeport addresses")

    async def _read_host(self) -> None:
        before = self.evidence.host
        self._host_is(await read_state(self._watch.name_servers))
        if before and self.evidence.host and host_moved(before, self.evidence.host):
            apart = self.data.mode in _APART
            self.evidence = unseen(self.evidence, ipv4=not apart, ipv6=True)
            self._lookout.want(anew=True)
            if self.link:
                self._run(self.async_refresh(), "homeport reading")
        self._conclude()
        await self._multicast.follow(self.evidence.gateway, self.evidence.host)

    def _host_is(self, state: HostState) -> None:
        gateway = self.evidence.gateway
        if gateway:
            status = WanStatus(gateway.connected, gateway.address)
            gateway = gateway_evidence(status, gateway.lan, state, ppp=gateway.ppp)
        self.evidence = replace(self.evidence, host=state, gateway=gateway)

    # --- The outside -----------------------------------------------------------------------------

    async def _survey(self) -> None:
        self._host_is(await read_state(self._watch.name_servers))
        around = Around(
            options=self.options,
            sessions=self._sessions,
            host=self.evidence.host or HostState(),
            gateway=self.evidence.gateway or self.evidence.silent_gateway,
        )
        await survey(around, self._found)
        self.surveyed = True
        self._conclude(surveyed=True)
        self._log_echo()
        await self._multicast.follow(self.evidence.gateway, self.evidence.host)
        await self._follow_second_router()

    @callback
    def _found(self, pieces: Pieces) -> None:
        self.evidence = replace(self.evidence, **pieces)
        if "echo4" in pieces:
            self.evidence = replace(self.evidence, echo_pending=False)
        self._conclude()

    def _log_echo(self) -> None:
        """Say once that the echoes are silent, and once that they answer again."""
        echoes = [each for each in (self.evidence.echo4, self.evidence.echo6) if each]
        silent = bool(echoes) and not any(each.answered for each in echoes)
        if silent and not self._echo_silent:
            _LOGGER.warning("No address echo answers")
        elif self._echo_silent and not silent:
            _LOGGER.info("The address echoes answer again")
        self._echo_silent = silent

    def _next_look(self) -> Look | None:
        pushes = self.link is not None and self.link.pushes
        return next_look(self.data, self.options, gateway_pushes=pushes, host_watched=self._watched)

    # --- What follows ----------------------------------------------------------------------------

    def _with_options(self, evidence: Evidence) -> Evidence:
        return replace(
            evidence,
            echo_pending=bool(self.options.echo_urls),
            own_rule=self.options.rule,
            override=self.options.line_mode,
            ipv6_override=self.options.ipv6_mode,
        )

    def _report(self) -> LineReport:
        """Return what follows; while a survey is under way, not what it may still overturn."""
        report = classify(self.evidence)
        seen = report.public_ipv4
        if self.evidence.echo4 and seen and report.wan_ipv4:
            self.evidence = replace(self.evidence, gateway_trusted=seen == report.wan_ipv4)
        if self.surveyed and not self._lookout.busy:
            return report
        return held(report, self.data if self.surveyed else None)

    @callback
    def _conclude(self, *, surveyed: bool = False) -> None:
        # async_set_updated_data would also put off the next reading of the gateway.
        self.data = classify(self.evidence) if surveyed else self._report()
        self.async_update_listeners()

    @override
    @callback
    def async_update_listeners(self) -> None:
        """Tell the entities, and those who wait for other addresses."""
        super().async_update_listeners()
        known = dict(self._store.seen)
        for event in changes(self._store.seen, self.data):
            for listener in tuple(self._address_listeners):
                listener(event)
        if known != self._store.seen:
            self._run(self._store.save(), "homeport addresses seen")
