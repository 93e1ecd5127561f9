"""Sensors: what the line is, what was seen of each port, how each hostname stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory, Platform, UnitOfInformation
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .allowed_ports import range_texts
from .check_answer import shown_blocker
from .const import Family
from .coordinator import (
    HomeportConfigEntry,
    HomeportCoordinator,
    HostnameCoordinator,
    LineCoordinator,
    PortCoordinator,
    TableCoordinator,
)
from .ddns import Status
from .entity import HomeportEntity, forget_entity
from .line import AddressKind, Carrier, Ipv6Mode, LineMode, LineReport, Openable
from .ports import BlockedBy, Reachability

PARALLEL_UPDATES = 0

_ALL_PORTS = 65_535

type Value = str | int | datetime | None


@dataclass(frozen=True, kw_only=True)
class HomeportSensorDescription[CoordinatorT: HomeportCoordinator[Any]](SensorEntityDescription):
    """A sensor of a coordinator of one kind. `available` says when its source can be asked."""

    value: Callable[[CoordinatorT], Value]
    attributes: Callable[[CoordinatorT], Mapping[str, object] | None] = lambda _: None
    available: Callable[[CoordinatorT], bool] = lambda _: True


def _openable_ports(line: LineReport) -> int | None:
    """Return how many ports can be opened; None where that is not sure."""
    match line.ipv4_openable:
        case Openable.ALL:
            return _ALL_PORTS
        case Openable.NONE:
            return 0
        case Openable.PORT_SET | Openable.AFTER_SECOND_ROUTER:
            return len(line.port_set) if line.port_set else None
    return None


def _why(line: LineReport) -> Mapping[str, object]:
    return {
        "confidence": line.confidence.value,
        "overridden": line.overridden,
        "reasons": [reason.value for reason in line.reasons],
        "remedies": [remedy.value for remedy in line.remedies],
    }


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
        attributes=lambda line: _why(line.data),
    ),
    HomeportSensorDescription(
        key="public_ipv6",
        translation_key="public_ipv6",
        value=lambda line: _text(line.data.public_ipv6),
    ),
    HomeportSensorDescription(
        key="ipv6_mode",
        translation_key="ipv6_mode",
        device_class=SensorDeviceClass.ENUM,
        options=[mode.value for mode in Ipv6Mode],
        value=lambda line: _text(line.data.ipv6_mode),
        attributes=lambda line: {"confidence": line.data.ipv6_confidence.value},
    ),
    HomeportSensorDescription(
        key="carrier",
        translation_key="carrier",
        device_class=SensorDeviceClass.ENUM,
        options=[carrier.value for carrier in Carrier],
        value=lambda line: _text(line.data.carrier),
        attributes=lambda line: {"confidence": line.data.carrier_confidence.value},
    ),
    HomeportSensorDescription(
        key="openable_ports",
        translation_key="openable_ports",
        value=lambda line: _openable_ports(line.data),
        attributes=lambda line: (
            {"ranges": range_texts(line.data.port_set)} if line.data.port_set else None
        ),
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
    HomeportSensorDescription(
        key="path_mtu_ipv4",
        translation_key="path_mtu_ipv4",
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda line: line.path_mtu.ipv4 if line.path_mtu else None,
    ),
    HomeportSensorDescription(
        key="path_mtu_ipv6",
        translation_key="path_mtu_ipv6",
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda line: line.path_mtu.ipv6 if line.path_mtu else None,
    ),
)
MAPPINGS = HomeportSensorDescription[TableCoordinator](
    key="mapping_count",
    translation_key="mapping_count",
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
    value=lambda table: None if table.data is None else len(table.data),
    available=lambda table: table.data is not None,
)
FAMILY_SENSORS: dict[Family, tuple[HomeportSensorDescription[PortCoordinator], ...]] = {
    Family.IPV4: (
        HomeportSensorDescription(
            key="reachability",
            translation_key="reachability",
            device_class=SensorDeviceClass.ENUM,
            options=[seen.value for seen in Reachability],
            value=lambda port: _text(port.data.reachability(4)),
        ),
        HomeportSensorDescription(
            key="blocked_by",
            translation_key="blocked_by",
            device_class=SensorDeviceClass.ENUM,
            options=[blocker.value for blocker in BlockedBy],
            value=lambda port: _text(port.data.blocked_by(4)),
            attributes=lambda port: shown_blocker(port, 4),
        ),
    ),
    Family.IPV6: (
        HomeportSensorDescription(
            key="reachability_ipv6",
            translation_key="reachability_ipv6",
            device_class=SensorDeviceClass.ENUM,
            options=[seen.value for seen in Reachability],
            value=lambda port: _text(port.data.reachability(6)),
        ),
        HomeportSensorDescription(
            key="blocked_by_ipv6",
            translation_key="blocked_by_ipv6",
            device_class=SensorDeviceClass.ENUM,
            options=[blocker.value for blocker in BlockedBy],
            value=lambda port: _text(port.data.blocked_by(6)),
            attributes=lambda port: shown_blocker(port, 6),
        ),
    ),
}
PORT_SENSORS: tuple[HomeportSensorDescription[PortCoordinator], ...] = (
    HomeportSensorDescription(
        key="last_check",
        translation_key="last_check",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda port: port.data.checked,
    ),
)
CLOSES_AT = HomeportSensorDescription[PortCoordinator](
    key="closes_at",
    translation_key="closes_at",
    device_class=SensorDeviceClass.TIMESTAMP,
    value=lambda port: port.closes_at,
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
        if not port.controlled:
            forget_entity(port, Platform.SENSOR, CLOSES_AT)
        descriptions = [*PORT_SENSORS, CLOSES_AT] if port.controlled else [*PORT_SENSORS]
        for family, of_family in FAMILY_SENSORS.items():
            if family in port.families:
                descriptions.extend(of_family)
            else:
                for description in of_family:
                    forget_entity(port, Platform.SENSOR, description)
        async_add_entities(
            (HomeportSensor(port, description) for description in descriptions),
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
        if data.line.peer or not description.key.startswith("wan_")
    )
    if data.table:
        async_add_entities([HomeportSensor(data.table, MAPPINGS)])
    data.async_on_subentry(PortCoordinator, add_port)
    data.async_on_subentry(HostnameCoordinator, add_hostname)


class HomeportSensor[CoordinatorT: HomeportCoordinator[Any]](
    HomeportEntity[CoordinatorT], SensorEntity
):
    """A sensor that shows what its description takes from the coordinator."""

    entity_description: HomeportSensorDescription[CoordinatorT]
    # Long, and worth nothing once they are past.
    _unrecorded_attributes = frozenset({"reasons", "remedies", "ranges", "steps", "advice"})

    @property
    @override
    def available(self) -> bool:
        return super().available and self.entity_description.available(self.coordinator)

    @property
    @override
    def native_value(self) -> Value:
        return self.entity_description.value(self.coordinator)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, object] | None:
        return self.entity_description.attributes(self.coordinator)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
