"""What all entities have in common."""

from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import HomeportConfigEntry, HomeportCoordinator
from .gateway import GatewayInfo


def line_device(entry: HomeportConfigEntry, gateway: GatewayInfo | None) -> DeviceInfo:
    """Return the device of the internet line, which everything else hangs on."""
    device = DeviceInfo(
        identifiers={(DOMAIN, entry.entry_id)},
        translation_key="line",
        entry_type=dr.DeviceEntryType.SERVICE,
    )
    if gateway is None:
        return device
    return DeviceInfo(
        **device,
        manufacturer=gateway.manufacturer or None,
        model=gateway.model or None,
        configuration_url=gateway.presentation_url,
    )


def forget_entity(
    coordinator: HomeportCoordinator[Any], platform: str, description: EntityDescription
) -> None:
    """Remove an entity that there was once, and is not any more."""
    registry = er.async_get(coordinator.hass)
    unique_id = f"{coordinator.key}_{description.key}"
    if entity_id := registry.async_get_entity_id(platform, DOMAIN, unique_id):
        registry.async_remove(entity_id)


def subentry_device(
    hass: HomeAssistant, entry: HomeportConfigEntry, subentry: ConfigSubentry
) -> DeviceInfo:
    """Return the device of a port or a hostname."""
    return DeviceInfo(
        identifiers={(DOMAIN, f"{entry.entry_id}_{subentry.subentry_id}")},
        name=subentry.title,
        entry_type=dr.DeviceEntryType.SERVICE,
        via_device_id=dr.async_get_device_id_by_identifier(
            hass, (DOMAIN, entry.entry_id), config_entry_id=entry.entry_id
        ),
    )


class HomeportEntity[CoordinatorT: HomeportCoordinator[Any]](CoordinatorEntity[CoordinatorT]):
    """An entity of the line, or of a subentry."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: CoordinatorT, description: EntityDescription) -> None:
        """Take the coordinator, and what the entity is."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_unique_id = f"{coordinator.key}_{description.key}"
        entry, subentry = coordinator.config_entry, coordinator.subentry
        self._attr_device_info = (
            subentry_device(coordinator.hass, entry, subentry)
            if subentry
            else line_device(entry, entry.runtime_data.line.gateway_info)
        )
