"""Sensors: what the line is, what was seen of each port, how each hostname stands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import (
    HomeportConfigEntry,
    HomeportCoordinator,
    HostnameCoordinator,
    LineCoordinator,
    PortCoordinator,
)
from .ddns import Status
from .entity import HomeportEntity
from .line import AddressKind, LineMode
from .ports import Reachability

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class HomeportSensorDescription[CoordinatorT: HomeportCoordinator[Any]](SensorEntityDescription):
    """A sensor of a coordinator of one kind. `available` says when its source can be asked."""

    value: Callable[[CoordinatorT], str | datetime | None]
    available: Callable[[CoordinatorT], bool] = lambda _: True


LINE_SENSORS: tuple[HomeportSensorDescription[LineCoordinator], ...] = (
    HomeportSensorDescription(
        key="public_ipv4",
        translation_key="public_ipv4",
        value=lambda line: _text(line.data.public_ipv4),
    ),
    HomeportSensorDescription(
        key="line_mode",
        translation_key="line_mode",
        device_class=SensorDeviceClass.ENUM,
        options=[mode.value for mode in LineMode],
        value=lambda line: _text(line.data.mode),
    ),
    HomeportSensorDescription(
        key="wan_address",
        translation_key="wan_address",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda line: _text(line.data.wan_ipv4),
        available=lambda line: line.gateway_answers,
    ),
    HomeportSensorDescription(
        key="wan_address_kind",
        translation_key="wan_address_kind",
        device_class=SensorDeviceClass.ENUM,
        options=[kind.value for kind in AddressKind if kind.ipv4],
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda line: _text(line.data.wan_kind),
        available=lambda line: line.gateway_answers,
    ),
)
PORT_SENSORS: tuple[HomeportSensorDescription[PortCoordinator], ...] = (
    HomeportSensorDescription(
        key="reachability",
        translation_key="reachability",
        device_class=SensorDeviceClass.ENUM,
        options=[seen.value for seen in Reachability],
        value=lambda port: _text(port.data.reachability),
    ),
    HomeportSensorDescription(
        key="last_check",
        translation_key="last_check",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda port: port.data.checked,
    ),
)
HOSTNAME_SENSORS: tuple[HomeportSensorDescription[HostnameCoordinator], ...] = (
    HomeportSensorDescription(
        key="status",
        translation_key="ddns_status",
        device_class=SensorDeviceClass.ENUM,
        options=[status.value for status in Status],
        value=lambda hostname: hostname.data.status.value,
    ),
    HomeportSensorDescription(
        key="published_ipv4",
        translation_key="published_ipv4",
        value=lambda hostname: _text(hostname.data.sent.ipv4),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HomeportConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the line, and of the subentries as they come."""
    data = entry.runtime_data

    def add_port(port: PortCoordinator) -> None:
        async_add_entities(
            (HomeportSensor(port, description) for description in PORT_SENSORS),
            config_subentry_id=port.subentry.subentry_id,
        )

    def add_hostname(hostname: HostnameCoordinator) -> None:
        async_add_entities(
            (HomeportSensor(hostname, description) for description in HOSTNAME_SENSORS),
            config_subentry_id=hostname.subentry.subentry_id,
        )

    # The kind of the router's address is not known where there is no router to ask.
    async_add_entities(
        HomeportSensor(data.line, description)
        for description in LINE_SENSORS
        if data.location or not description.key.startswith("wan_")
    )
    data.async_on_subentry(PortCoordinator, add_port)
    data.async_on_subentry(HostnameCoordinator, add_hostname)


class HomeportSensor[CoordinatorT: HomeportCoordinator[Any]](
    HomeportEntity[CoordinatorT], SensorEntity
):
    """A sensor that shows what its description takes from the coordinator."""

    entity_description: HomeportSensorDescription[CoordinatorT]

    @property
    @override
    def available(self) -> bool:
        return super().available and self.entity_description.available(self.coordinator)

    @property
    @override
    def native_value(self) -> str | datetime | None:
        return self.entity_description.value(self.coordinator)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
