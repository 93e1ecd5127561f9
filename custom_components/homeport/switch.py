"""The switch of a port."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HomeportConfigEntry, PortCoordinator
from .entity import HomeportEntity, forget_entity
from .port_control import close_port, open_port

PARALLEL_UPDATES = 1

# Never by accident: not for voice assistants, nor for whoever switches on a whole area.
OPEN = SwitchEntityDescription(
    key="open", translation_key="open", name=None, entity_category=EntityCategory.CONFIG
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HomeportConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a switch for each port that is for Homeport to open."""

    def add_port(port: PortCoordinator) -> None:
        if port.controlled:
            subentry_id = port.subentry.subentry_id
            async_add_entities([PortSwitch(port, OPEN)], config_subentry_id=subentry_id)
        else:
            forget_entity(port, Platform.SWITCH, OPEN)

    entry.runtime_data.async_on_subentry(PortCoordinator, add_port)


class PortSwitch(HomeportEntity[PortCoordinator], SwitchEntity):
    """On = read back from the router; off = not wanted and absent; else unknown."""

    @property
    @override
    def is_on(self) -> bool | None:
        return self.coordinator.is_open

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Open the port. Raises HomeAssistantError with what stops it."""
        await open_port(self.coordinator)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Close the port. Raises HomeAssistantError when the router does not."""
        await close_port(self.coordinator)
