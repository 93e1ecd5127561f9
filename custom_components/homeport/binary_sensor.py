"""Whether the internet was seen to answer."""

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HomeportConfigEntry, LineCoordinator
from .entity import HomeportEntity

PARALLEL_UPDATES = 0

INTERNET = BinarySensorEntityDescription(
    key="internet",
    translation_key="internet",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HomeportConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensor of the line."""
    async_add_entities([InternetSensor(entry.runtime_data.line, INTERNET)])


class InternetSensor(HomeportEntity[LineCoordinator], BinarySensorEntity):
    """Unknown where nothing outside may be asked, or where the evidence disagrees."""

    @property
    @override
    def is_on(self) -> bool | None:
        return self.coordinator.data.internet
