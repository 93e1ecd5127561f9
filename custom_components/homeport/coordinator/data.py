"""What belongs to a loaded config entry, and how it follows the entry's changes."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
import logging
import socket
from typing import Any

from aiohttp import ClientSession
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import instance_id
from homeassistant.helpers.aiohttp_client import SERVER_SOFTWARE, async_get_clientsession
from homeassistant.util.ssl import get_default_context

from ..allowed_ports import families_of
from ..const import CONF_BY_HAND, CONF_INTERNAL_PORT, SUBENTRY_HOSTNAME, SUBENTRY_PORT
from ..gateway import GatewayError, GatewayUnreachable, Opening
from ..line import LineReport
from ..outside import Family, IPAddress, OpenSession, bound_session
from ..ports import Keeper, Reachability
from ..store import HomeportStore
from .address_check import async_check_address
from .base import HomeportCoordinator, Sessions
from .check_queue import CheckQueue
from .cure import watch_cures
from .exposure import Exposure
from .hostname import HostnameCoordinator
from .line import LineCoordinator
from .pinhole import Pinholes
from .place import is_outside, own_place
from .port import PortCoordinator
from .probers import Probers
from .table import Owners, TableCoordinator
from .target import Target

_LOGGER = logging.getLogger(__name__)

type HomeportConfigEntry = ConfigEntry[HomeportData]
type _SubentryCoordinator = PortCoordinator | HostnameCoordinator


class HomeportData:
    """The coordinators of a config entry, by subentry id where they belong to one."""

    def __init__(
        self, hass: HomeAssistant, entry: HomeportConfigEntry, store: HomeportStore, tag: str
    ) -> None:
        """Make the coordinator of the line, and one for each subentry; nothing is asked yet."""
        self._hass = hass
        self._entry = entry
        self.store = store
        self._tag = tag
        self._sessions = Sessions(
            async_get_clientsession(hass),
            async_get_clientsession(hass, family=socket.AF_INET),
            async_get_clientsession(hass, family=socket.AF_INET6),
        )
        self._options = entry.options
        self._unfollow: dict[str, Callable[[], None]] = {}
        self._snapshots = _snapshots(entry)
        self._changing = asyncio.Lock()
        self._adders: list[Callable[[_SubentryCoordinator], None]] = []
        self.keeper = Keeper(store.openings, store.save)
        self.line = LineCoordinator(hass, entry, self._sessions, store)
        self.pinholes = Pinholes(self.line, store)
        self.probers = Probers(
            store, lambda: self.line.options, _session(hass), lambda: is_outside(self.line)
        )
        self._queue = CheckQueue(
            lambda work: entry.async_create_background_task(hass, work, "homeport queue of checks")
        )
        self.exposure = Exposure(
            self.probers,
            lambda: self.line.data,
            lambda family: own_place(self.line, family),
            self._used_ports,
            self._baseline_changed,
        )
        self.table = (
            TableCoordinator(hass, entry, self.line, self._owners) if self.line.peer else None
        )
        self.ports: dict[str, PortCoordinator] = {}
        self.hostnames: dict[str, HostnameCoordinator] = {}
        for subentry in entry.subentries.values():
            self._create(subentry)

    @classmethod
    async def load(cls, hass: HomeAssistant, entry: HomeportConfigEntry) -> HomeportData:
        """Read what was remembered and prepare everything."""
        store = await HomeportStore.load(hass, entry.entry_id)
        return cls(hass, entry, store, mapping_tag(await instance_id.async_get(hass)))

    @property
    def of_subentries(self) -> list[PortCoordinator | HostnameCoordinator]:
        """Return the coordinators of all ports and hostnames."""
        return [*self.ports.values(), *self.hostnames.values()]

    @callback
    def start(self) -> None:
        """Begin to work, in the background."""
        self._entry.async_on_unload(self.line.async_add_listener(self._close_orphans))
        if self.table:
            self._entry.async_on_unload(self.table.start())
            self._entry.async_on_unload(async_check_address(self._hass, self.line))
        self.line.start()
        self._entry.async_create_background_task(
            self._hass, watch_cures(lambda: list(self.ports.values())), "homeport cures"
        )
        for coordinator in self.of_subentries:
            self._follow(coordinator)

    @callback
    def async_on_subentry[CoordinatorT: _SubentryCoordinator](
        self, kind: type[CoordinatorT], add: Callable[[CoordinatorT], None]
    ) -> None:
        """Call `add` for the coordinator of each subentry of a kind, now and when one is added."""

        def add_if_of_kind(coordinator: _SubentryCoordinator) -> None:
            if isinstance(coordinator, kind):
                add(coordinator)

        self._adders.append(add_if_of_kind)
        for coordinator in self.of_subentries:
            add_if_of_kind(coordinator)

    async def async_entry_changed(self) -> None:
        """Apply what changed in the options and subentries, without a reload."""
        # One at a time: the next change may come while a port is being closed.
        async with self._changing:
            if self._options != self._entry.options:
                self._options = self._entry.options
                self.line.options_changed()
            subentries = self._entry.subentries
            before, after = self._snapshots, _snapshots(self._entry)
            self._snapshots = after
            for subentry_id in before.keys() - after.keys():
                await self._removed(subentry_id)
            for subentry_id in after.keys() - before.keys():
                self._added(subentries[subentry_id])
            for subentry_id in after.keys() & before.keys():
                if after[subentry_id] != before[subentry_id]:
                    await self._changed(subentry_id, before[subentry_id][0])

    async def async_detect(self) -> LineReport:
        """Look at the line from all sides, and at whether this machine is exposed."""
        self.exposure.forget()
        report = await self.line.async_detect()
        self._entry.async_create_background_task(
            self._hass, self.exposure.look_at_all(), "homeport exposed host"
        )
        return report

    async def async_close_all(self) -> dict[PortCoordinator, GatewayError | None]:
        """Close every port that is for us to close; return what kept each from it, or None.

        None of them is wanted any more, whatever comes in between.
        """
        ports = [port for port in self.ports.values() if port.controlled]
        for port in ports:
            port.forget_wish()
        await self.store.save()
        return {port: await self._close_port(port) for port in ports}

    async def async_stop(self) -> None:
        """End everything that is under way."""
        coordinators: list[HomeportCoordinator[Any]] = [*self.of_subentries, self.line]
        if self.table:
            coordinators.append(self.table)
        for unfollow in self._unfollow.values():
            unfollow()
        self._unfollow.clear()
        await asyncio.gather(*(coordinator.async_shutdown() for coordinator in coordinators))
        await self.pinholes.stop()

    @callback
    def _create(self, subentry: ConfigSubentry) -> _SubentryCoordinator:
        coordinator: _SubentryCoordinator
        if subentry.subentry_type == SUBENTRY_PORT:
            coordinator = self.ports[subentry.subentry_id] = PortCoordinator(
                self._hass,
                self._entry,
                subentry,
                line=self.line,
                keeper=self.keeper,
                pinholes=self.pinholes,
                store=self.store,
                tag=self._tag,
                probers=self.probers,
                exposure=self.exposure,
                queue=self._queue,
                reachable=self._is_reachable,
            )
        else:
            coordinator = self.hostnames[subentry.subentry_id] = HostnameCoordinator(
                self._hass,
                self._entry,
                subentry,
                line=self.line,
                sessions=self._sessions,
                store=self.store,
            )
        return coordinator

    def _is_reachable(self, target: Target, family: Family) -> bool:
        """Say whether another port of the same target was seen reachable."""
        return any(
            port.data.reachability(family) is Reachability.REACHABLE
            for port in self.ports.values()
            if port.target is not target and port.target.name == target.name
        )

    def _used_ports(self) -> set[int]:
        """Return the ports that something is, or is to be, opened for."""
        rows = self.table.data if self.table and self.table.data else ()
        used = {row.mapping.external_port for row in rows}
        for port in self.ports.values():
            used |= {port.external_port, port.subentry.data[CONF_INTERNAL_PORT]}
        return used

    @callback
    def _baseline_changed(self) -> None:
        for port in self.ports.values():
            port.baseline_changed()
        self.line.async_update_listeners()

    @callback
    def _follow(self, coordinator: _SubentryCoordinator) -> None:
        self._unfollow[coordinator.subentry.subentry_id] = coordinator.start()

    @callback
    def _added(self, subentry: ConfigSubentry) -> None:
        coordinator = self._create(subentry)
        for add in self._adders:
            add(coordinator)
        self._follow(coordinator)

    async def _changed(self, subentry_id: str, before: Mapping[str, Any]) -> None:
        if port := self.ports.get(subentry_id):
            others = families_of(before) != port.families
            if others or port.by_hand != bool(before.get(CONF_BY_HAND)):
                # It has other entities from now on.
                self._hass.config_entries.async_schedule_reload(self._entry.entry_id)
            else:
                port.subentry_changed()
        else:
            await self.hostnames[subentry_id].async_subentry_changed()

    async def _removed(self, subentry_id: str) -> None:
        """Forget a subentry, and close its port."""
        self._unfollow.pop(subentry_id)()
        self._queue.drop(subentry_id, 4, 6)
        coordinator: _SubentryCoordinator | None = self.ports.pop(subentry_id, None)
        coordinator = coordinator or self.hostnames.pop(subentry_id)
        await coordinator.async_shutdown()
        self.store.wanted.discard(subentry_id)
        self.store.closes.pop(subentry_id, None)
        self.store.targets.pop(subentry_id, None)
        self.store.hostnames.pop(subentry_id, None)
        await self.store.save()
        self._close_orphans()

    def _owners(self) -> Owners:
        """Return the openings that are ours: those that were asked for, and those to be."""
        owners: dict[Opening, str | None] = {
            opening: port.name if (port := self.ports.get(port_id)) else None
            for port_id, opening in self.keeper.remembered.items()
        }
        for port in self.ports.values():
            if opening := port.opening:
                owners[opening] = port.name
        return owners

    @callback
    def _close_orphans(self) -> None:
        """Close what was opened for ports that are gone, as soon as the gateway can be asked.

        Gone are also those that the user opens by hand from now on.
        """
        kept = {
            subentry_id
            for subentry_id, subentry in self._entry.subentries.items()
            if not subentry.data.get(CONF_BY_HAND)
        }
        remembered = self.keeper.remembered.keys() | self.pinholes.keeper.remembered.keys()
        orphans = remembered - kept
        if orphans and self.line.gateway:
            self._entry.async_create_background_task(
                self._hass, self._close(orphans), "homeport removed ports"
            )

    async def _close_port(self, port: PortCoordinator) -> GatewayError | None:
        try:
            await port.async_want(wanted=False)
        except GatewayUnreachable as err:
            # If it answers to nothing, the other ports need not wait for that one by one.
            await self.line.async_refresh()
            return err
        except GatewayError as err:
            return err
        return None

    async def _close(self, port_ids: set[str]) -> None:
        for port_id in port_ids:
            if gateway := self.line.gateway:
                try:
                    await self.pinholes.keep(port_id, lambda: None)
                    await self.keeper.close(gateway, port_id)
                except GatewayError as err:
                    _LOGGER.warning("A removed port is still open on the router: %s", err)


def _session(hass: HomeAssistant) -> OpenSession:
    """Return what opens a session from one of this machine's addresses."""

    def opened(
        family: Family, source: IPAddress | None
    ) -> AbstractAsyncContextManager[ClientSession]:
        return bound_session(family, source, ssl=get_default_context(), user_agent=SERVER_SOFTWARE)

    return opened


def mapping_tag(instance: str) -> str:
    """Return the description of our mappings, by which we know them again."""
    return f"Homeport {instance[:8]}"


def _snapshots(entry: ConfigEntry[Any]) -> dict[str, tuple[Mapping[str, Any], str]]:
    """Return what can change about each subentry; the subentry itself is changed in place."""
    return {
        subentry_id: (subentry.data, subentry.title)
        for subentry_id, subentry in entry.subentries.items()
        if subentry.subentry_type in {SUBENTRY_PORT, SUBENTRY_HOSTNAME}
    }
