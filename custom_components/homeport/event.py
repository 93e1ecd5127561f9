"""The event of a change of address, or of the line itself."""

from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import AddressEvent, HomeportConfigEntry, LineCoordinator
from .entity import HomeportEntity

PARALLEL_UPDATES = 0
_APART = 0.01
"""Seconds between two events."""

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
    """Tells what was there before and what is there now."""

    _next = 0.0

    @override
    async def async_added_to_hass(self) -> None:
        """Listen from the moment when somebody can hear of it."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_add_address_listener(self._changed))

    @callback
    def _changed(self, event: AddressEvent) -> None:
        """Tell it, a moment after the one before.

        The state is the time in milliseconds: of two events in one of them an automation that waits
        for another state would miss the second.
        """
        now = self.hass.loop.time()
        self._next = max(self._next + _APART, now)
        if self._next == now:
            self._tell(event)
        else:
            handle = self.hass.loop.call_at(self._next, self._tell, event)
            self.async_on_remove(handle.cancel)

    @callback
    def _tell(self, event: AddressEvent) -> None:
        self._trigger_event(event.kind, {"old": event.old, "new": event.new})
        self.async_write_ha_state()
