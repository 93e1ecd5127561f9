"""Events: another address or line, and what others opened or closed on the router."""

from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import (
    AddressEvent,
    HomeportConfigEntry,
    LineCoordinator,
    TableCoordinator,
    TableEvent,
)
from .entity import HomeportEntity

PARALLEL_UPDATES = 0
_APART = 0.01
"""Seconds between two events."""

ADDRESS = EventEntityDescription(
    key="address",
    translation_key="address",
    event_types=["ipv4_changed", "ipv6_changed", "ipv6_prefix_changed", "line_changed"],
)
MAPPINGS = EventEntityDescription(
    key="mappings",
    translation_key="mappings",
    event_types=["mapping_added", "mapping_removed"],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HomeportConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of the line."""
    data = entry.runtime_data
    async_add_entities([AddressEventEntity(data.line, ADDRESS)])
    if data.table:
        async_add_entities([MappingsEventEntity(data.table, MAPPINGS)])


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


class MappingsEventEntity(HomeportEntity[TableCoordinator], EventEntity):
    """Tells of mappings that are not ours: some device at home opened a port by itself."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen from the moment when somebody can hear of it."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_add_event_listener(self._changed))

    @callback
    def _changed(self, event: TableEvent) -> None:
        mapping = event.mapping
        self._trigger_event(
            event.kind,
            {
                "protocol": mapping.protocol.value,
                "external_port": mapping.external_port,
                "internal_port": mapping.internal_port,
                "internal_client": mapping.internal_client,
                "description": mapping.description,
            },
        )
        self.async_write_ha_state()
