"""Whether the internet was seen to answer, and whether anything can be opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import Exposure, HomeportConfigEntry, LineCoordinator
from .entity import HomeportEntity
from .line import LineReport, Openable
from .outside import Family

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class HomeportBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of the line; None stands for what is not known."""

    value: Callable[[LineReport], bool | None]
    attributes: Callable[[LineReport], Mapping[str, object] | None] = lambda _: None


EXPOSED = BinarySensorEntityDescription(
    key="exposed_host",
    translation_key="exposed_host",
    device_class=BinarySensorDeviceClass.SAFETY,
)


def _can_open(openable: Openable) -> bool | None:
    return None if openable is Openable.UNKNOWN else openable is not Openable.NONE


SENSORS = (
    HomeportBinarySensorDescription(
        key="internet",
        translation_key="internet",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        value=lambda line: line.internet,
    ),
    HomeportBinarySensorDescription(
        key="ipv4_openable",
        translation_key="ipv4_openable",
        value=lambda line: _can_open(line.ipv4_openable),
        attributes=lambda line: {"openable": line.ipv4_openable.value},
    ),
    HomeportBinarySensorDescription(
        key="ipv6_openable",
        translation_key="ipv6_openable",
        value=lambda line: _can_open(line.ipv6_openable),
        attributes=lambda line: {"openable": line.ipv6_openable.value},
    ),
    HomeportBinarySensorDescription(
        key="second_nat",
        translation_key="second_nat",
        device_class=BinarySensorDeviceClass.PROBLEM,
        value=lambda line: line.second_nat,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HomeportConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of the line."""
    line = entry.runtime_data.line
    async_add_entities(LineBinarySensor(line, description) for description in SENSORS)
    async_add_entities([ExposedHostSensor(line, EXPOSED, entry.runtime_data.exposure)])


class ExposedHostSensor(HomeportEntity[LineCoordinator], BinarySensorEntity):
    """On where a listener at a port that nothing is opened for was met from outside.

    Off says so of this machine alone: whether another one is exposed cannot be seen from here.
    """

    def __init__(
        self, line: LineCoordinator, description: BinarySensorEntityDescription, exposure: Exposure
    ) -> None:
        """Take who has looked at it."""
        super().__init__(line, description)
        self._exposure = exposure

    @property
    @override
    def is_on(self) -> bool | None:
        return self._exposure.exposed

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, object]:
        families: tuple[Family, ...] = (4, 6)
        seen = {family: self._exposure.seen(family) for family in families}
        return {f"ipv{family}": each and each.exposed for family, each in seen.items()}


class LineBinarySensor(HomeportEntity[LineCoordinator], BinarySensorEntity):
    """Unknown where nothing outside may be asked, or where the evidence disagrees."""

    entity_description: HomeportBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        return self.entity_description.value(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, object] | None:
        return self.entity_description.attributes(self.coordinator.data)
