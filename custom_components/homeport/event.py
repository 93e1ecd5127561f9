"""The event of a change of address, or of the line itself."""

from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import AddressEvent, HomeportConfigEntry, LineCoordinator
from .entity import HomeportEntity

PARALLEL_UPDATES = 0

ADDRESS = EventEntityDescription(
    key="address",
    translation_key="address",
    event_types=["ipv4_changed", "ipv6_changed", "ipv6_prefix_changed", "line_changed"],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HomeportConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event of the line."""
    async_add_entities([AddressEventEntity(entry.runtime_data.line, ADDRESS)])


class AddressEventEntity(HomeportEntity[LineCoordinator], EventEntity):
    """Tells what was there before and what is there now; an address that is gone is None."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen from the moment when somebody can hear of it."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_add_address_listener(self._changed))

    @callback
    def _changed(self, event: AddressEvent) -> None:
        self._trigger_event(event.kind, {"old": event.old, "new": event.new})
        self.async_write_ha_state()
