"""Homeport: what can reach this home from the internet, and what stops it."""

import asyncio
from collections.abc import Coroutine, Sized
import logging

from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .coordinator import HomeportConfigEntry, HomeportData, close_all_pinholes
from .entity import line_device, subentry_device
from .gateway import GatewayError, Link
from .host import source_address
from .issues import async_forget_removed, async_watch_ports
from .peer import peer_of
from .ports import Keeper, PinholeKeeper
from .second_router_offer import async_forget_offer, async_watch_second_router
from .services import async_setup_services
from .store import HomeportStore

_LOGGER = logging.getLogger(__name__)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.SENSOR,
    Platform.SWITCH,
]
_CLOSE_TIMEOUT = 10
"""Seconds that closing everything may take."""


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: HomeportConfigEntry) -> bool:
    """Set up a line. Nothing is waited for: a gateway that is down delays only its own entities."""
    data = entry.runtime_data = await HomeportData.load(hass, entry)
    devices = dr.async_get(hass)
    devices.async_get_or_create(config_entry_id=entry.entry_id, **line_device(entry, None))
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    entry.async_on_unload(entry.add_update_listener(_async_entry_changed))
    entry.async_on_unload(data.line.async_add_listener(lambda: _name_gateway(hass, entry)))
    async_watch_ports(hass, entry)
    async_watch_second_router(hass, entry)
    async_forget_removed(hass)

    async def stop(_: Event) -> None:
        await data.async_stop()

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, stop))
    data.start()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: HomeportConfigEntry) -> bool:
    """Unload a line. What is open stays open, unless the entry was disabled."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    data = entry.runtime_data
    if entry.disabled_by:
        await _close_all(hass, entry, data.keeper, data.pinholes.keeper, data.store)
    await data.async_stop()
    return True


async def async_remove_entry(hass: HomeAssistant, entry: HomeportConfigEntry) -> None:
    """Close everything that was opened, then forget it."""
    store = await HomeportStore.load(hass, entry.entry_id)
    keeper, pinholes = Keeper(store.openings, store.save), PinholeKeeper(store.pinholes, store.save)
    await _close_all(hass, entry, keeper, pinholes, store)
    await store.remove()
    async_forget_offer(hass, entry.entry_id)
    async_forget_removed(hass)


async def _close_all(
    hass: HomeAssistant,
    entry: HomeportConfigEntry,
    keeper: Keeper,
    pinholes: PinholeKeeper,
    store: HomeportStore,
) -> None:
    """Close every port in limited time; say so where some stay open."""
    if (peer := peer_of(entry.data)) is None:
        return
    session = async_get_clientsession(hass)
    link = Link(
        session,
        peer,
        source_address,
        memory=store.gateway,
        save=store.save,
        known=lambda: tuple(store.openings.values()),
    )

    try:
        await asyncio.gather(
            _in_time(keeper.close_all(link.connect_opener), keeper.remembered),
            _in_time(close_all_pinholes(pinholes, peer, store.gateway), pinholes.remembered),
        )
    finally:
        await link.close()


async def _in_time(closing: Coroutine[None, None, None], remembered: Sized) -> None:
    """Wait for ports to be closed, for so long; say so where some stay open."""
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await closing
    except (GatewayError, TimeoutError) as err:
        _LOGGER.warning(
            "The router could not be told to close %d port(s), which end with their lease: %s",
            len(remembered),
            err or type(err).__name__,
        )


async def _async_entry_changed(hass: HomeAssistant, entry: HomeportConfigEntry) -> None:
    """Follow the entry: with another gateway everything starts over, else nothing stops."""
    data = entry.runtime_data
    if data.line.peer != peer_of(entry.data):
        await hass.config_entries.async_reload(entry.entry_id)
        return
    await data.async_entry_changed()
    async_forget_removed(hass)
    devices = dr.async_get(hass)
    for coordinator in data.of_subentries:
        if coordinator.subentry.subentry_id not in entry.subentries:
            continue  # removed in the meantime, which is the next change
        devices.async_get_or_create(
            config_entry_id=entry.entry_id,
            config_subentry_id=coordinator.subentry.subentry_id,
            **subentry_device(hass, entry, coordinator.subentry),
        )


def _name_gateway(hass: HomeAssistant, entry: HomeportConfigEntry) -> None:
    """Add the gateway's make and model to the line's device when they become known."""
    if info := entry.runtime_data.line.gateway_info:
        dr.async_get(hass).async_get_or_create(
            config_entry_id=entry.entry_id, **line_device(entry, info)
        )
