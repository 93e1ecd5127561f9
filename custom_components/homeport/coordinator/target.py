"""Where a port leads: this Home Assistant, an address, or a device that is looked up."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from ipaddress import IPv4Address, IPv6Address
import logging
from typing import Any

from homeassistant.components.device_tracker import DOMAIN as DEVICE_TRACKER
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from ..allowed_ports import families_of
from ..const import CONF_INTERNAL_CLIENT, Family
from ..host import HostState, IPAddress, read_state
from ..lan_target import TargetKind, parse_target
from ..store import HomeportStore, SeenTarget
from .firewall_place import own_ipv6
from .lan_hosts import addresses_of_mac, addresses_of_name, have_found, is_about
from .line import LineCoordinator
from .target_choice import believable, choose_ipv4, choose_ipv6

_LOGGER = logging.getLogger(__name__)

_EVERY = timedelta(minutes=1)
_FOUND = 0.2
"""Seconds in which a machine of the same network answers the kernel that asks for it."""
_LIMIT = 8.0
"""Seconds that a look-up may take in all."""


class Target:
    """The device that a port leads to, with its addresses as far as they are known.

    One that is looked up keeps the addresses it had last while it cannot be found, also over a
    restart.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        subentry: ConfigSubentry,
        *,
        line: LineCoordinator,
        store: HomeportStore,
        on_change: Callable[[], None],
    ) -> None:
        """Take whose it is, and what to call when an address is another one."""
        self._hass = hass
        self._subentry = subentry
        self._line = line
        self._store = store
        self._on_change = on_change
        self._run = partial(entry.async_create_background_task, hass)
        self._looking = asyncio.Lock()
        self._since: dict[IPAddress, float] = {}
        self._since_of = ""
        self._said_unknown = False
        self._waiting = False
        self._ends: list[Callable[[], None]] = []

    @property
    def name(self) -> str | None:
        """Return how the user names it; None for this Home Assistant."""
        name: str | None = self._subentry.data.get(CONF_INTERNAL_CLIENT)
        return name

    @property
    def ipv4(self) -> IPv4Address | None:
        """Return its IPv4 address; None while that is not known."""
        if self.name is None:
            return self._line.own_address
        if _kind_of(self.name) is TargetKind.ADDRESS:
            return IPv4Address(self.name)
        return self._seen.ipv4

    @property
    def ipv6(self) -> IPv6Address | None:
        """Return its global IPv6 address, the one that lasts; None while that is not known."""
        return self.own_ipv6 if self.name is None else self._seen.ipv6

    @property
    def own_ipv6(self) -> IPv6Address | None:
        """Return the lasting address of this Home Assistant."""
        return own_ipv6(self._line.evidence.host, self._line.data.public_ipv6)

    @callback
    def start(self) -> Callable[[], None]:
        """Look it up now and then, and when a device tracker tells of it; return what ends that."""
        self._run(self.async_look(), "homeport target")
        self._listen()
        return self._end_all

    @callback
    def subentry_changed(self) -> None:
        """Listen to what tells of the device that it is now."""
        self._end_all()
        self._listen()

    async def async_look(self) -> None:
        """Look it up now, in limited time."""
        async with self._looking:
            self._waiting = False
            if (name := self.name) is None:
                return
            kind = _kind_of(name)
            if kind is TargetKind.ADDRESS and Family.IPV6 not in families_of(self._subentry.data):
                return
            try:
                async with asyncio.timeout(_LIMIT):
                    host = await _state_with(name if kind is TargetKind.ADDRESS else None)
                    found = await self._find(kind, name, host)
            except TimeoutError:
                return
            if self.name == name:  # it may have been changed in the meantime
                self._take(kind, name, host, found)

    @property
    def _seen(self) -> SeenTarget:
        """Return what was seen last under this name."""
        seen = self._store.targets.get(self._subentry.subentry_id)
        return seen if seen and seen.name == self.name else SeenTarget(self.name or "")

    @callback
    def _listen(self) -> None:
        if self.name is None:
            return
        self._ends.append(async_track_time_interval(self._hass, self._look_soon, _EVERY))
        if _kind_of(self.name) is TargetKind.MAC:
            listen = self._hass.bus.async_listen
            self._ends.append(
                listen(EVENT_STATE_CHANGED, self._look_soon, event_filter=self._is_news)
            )

    @callback
    def _end_all(self) -> None:
        while self._ends:
            self._ends.pop()()

    @callback
    def _look_soon(self, _: object) -> None:
        if self.name is not None and not self._waiting:
            self._waiting = True
            self._run(self.async_look(), "homeport target")

    @callback
    def _is_news(self, data: EventStateChangedData) -> bool:
        tracker = data["entity_id"].startswith(f"{DEVICE_TRACKER}.")
        return tracker and self.name is not None and is_about(data["new_state"], self.name)

    async def _find(self, kind: TargetKind, name: str, host: HostState) -> list[IPAddress]:
        """Return all addresses that it may have, those first that are worth the most."""
        match kind:
            case TargetKind.ADDRESS:
                return [IPv4Address(name)]
            case TargetKind.MAC:
                told = addresses_of_mac(self._hass, name)
                return told + [each.ip for each in host.neighbours if each.mac == name]
        return await addresses_of_name(self._hass, kind, name)

    def _take(
        self, kind: TargetKind, name: str, host: HostState, found: Iterable[IPAddress]
    ) -> None:
        """Choose among what was found, and tell if that is news."""
        before, believed = self._seen, [each for each in found if believable(each, host)]
        ipv4 = self._with_times(name, (each for each in believed if isinstance(each, IPv4Address)))
        chosen = choose_ipv4(ipv4, before.ipv4)
        at = IPv4Address(name) if kind is TargetKind.ADDRESS else chosen
        mac = name if kind is TargetKind.MAC else _mac_of(at, host)
        ipv6 = self._with_times(name, (each for each in believed if isinstance(each, IPv6Address)))
        if not ipv6 and mac:
            ipv6 = self._with_times(name, _global_addresses(mac, host))
        self._since_of = name
        self._since = dict[IPAddress, float]([*ipv4.items(), *ipv6.items()])
        last = before.ipv6 if before.ipv6 and believable(before.ipv6, host) else None
        now = SeenTarget(name, chosen, choose_ipv6(ipv6, last, mac))
        if kind is TargetKind.MAC and len(ipv4) > 1:
            # One of them is of the past: the kernel forgets it when nobody answers there.
            have_found(ipv4)
        self._log(now)
        if now != before:
            self._store.targets[self._subentry.subentry_id] = now
            self._run(self._store.save(), "homeport targets seen")
            self._on_change()

    def _with_times[AddressT: IPAddress](
        self, name: str, found: Iterable[AddressT]
    ) -> dict[AddressT, float]:
        """Return since when each of these has been found under the name."""
        known = self._since if self._since_of == name else {}
        now = self._hass.loop.time()
        return {each: known.get(each, now) for each in found}

    def _log(self, now: SeenTarget) -> None:
        unknown = now.ipv4 is None and now.ipv6 is None
        if unknown and not self._said_unknown:
            _LOGGER.warning("It is not known where the device of %s is", self._subentry.title)
        elif self._said_unknown and not unknown:
            _LOGGER.info("The device of %s has been found", self._subentry.title)
        self._said_unknown = unknown


async def _state_with(address: str | None) -> HostState:
    """Return this machine's state, in which the neighbour with an address is, if there is one."""
    host = await read_state()
    if address is None or _mac_of(IPv4Address(address), host):
        return host
    have_found([IPv4Address(address)])
    await asyncio.sleep(_FOUND)
    return await read_state()


def _mac_of(address: IPv4Address | None, host: HostState) -> str | None:
    return next((each.mac for each in host.neighbours if each.ip == address), None)


def _global_addresses(mac: str, host: HostState) -> list[IPv6Address]:
    there = [each.ip for each in host.neighbours if each.mac == mac]
    return [each for each in there if isinstance(each, IPv6Address) and believable(each, host)]


def _kind_of(name: str) -> TargetKind:
    try:
        IPv4Address(name)
    except ValueError:
        return parse_target(name)[0]
    return TargetKind.ADDRESS
