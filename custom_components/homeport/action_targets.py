"""Whom an action is about: a line by its config entry, a port or a hostname by an entity."""

from typing import Final

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er, service

from .const import DOMAIN
from .coordinator import HomeportConfigEntry, HostnameCoordinator, PortCoordinator

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"


def line_of(call: ServiceCall) -> HomeportConfigEntry:
    """Return the line that a call names. Raises ServiceValidationError."""
    entry: HomeportConfigEntry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID]
    )
    return entry


def owner_of(hass: HomeAssistant, entity_id: str) -> PortCoordinator | HostnameCoordinator | None:
    """Return what an entity of ours belongs to; None for any other entity.

    Raises ServiceValidationError when its entry is not loaded.
    """
    registered = er.async_get(hass).async_get(entity_id)
    if not (registered and registered.platform == DOMAIN and registered.config_entry_id):
        return None
    entry: HomeportConfigEntry = service.async_get_config_entry(
        hass, DOMAIN, registered.config_entry_id
    )
    subentry_id, data = registered.config_subentry_id or "", entry.runtime_data
    return data.ports.get(subentry_id) or data.hostnames.get(subentry_id)
