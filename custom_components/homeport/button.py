"""Buttons: look at the line or at a port, close all ports, send a hostname's address again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import (
    HomeportConfigEntry,
    HomeportCoordinator,
    HostnameCoordinator,
    LineCoordinator,
    PortCoordinator,
)
from .ddns import DdnsError
from .entity import HomeportEntity
from .errors import translated
from .port_control import check_port, press_close_all

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class HomeportButtonDescription[CoordinatorT: HomeportCoordinator[Any]](ButtonEntityDescription):
    """A button of a coordinator of one kind."""

    press: Callable[[CoordinatorT], Awaitable[object]]


DETECT = HomeportButtonDescription[LineCoordinator](
    key="detect_line",
    translation_key="detect_line",
    press=lambda line: line.config_entry.runtime_data.async_detect(),
)
CLOSE_ALL = HomeportButtonDescription[LineCoordinator](
    key="close_all_ports",
    translation_key="close_all_ports",
    press=lambda line: press_close_all(line.config_entry),
)
CHECK = HomeportButtonDescription[PortCoordinator](
    key="check", translation_key="check", press=check_port
)
UPDATE = HomeportButtonDescription[HostnameCoordinator](
    key="update", translation_key="update", press=lambda hostname: hostname.async_force()
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HomeportConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of the line, and those of the subentries as they come."""

    def add_port(port: PortCoordinator) -> None:
        async_add_entities(
            [HomeportButton(port, CHECK)], config_subentry_id=port.subentry.subentry_id
        )

    def add_hostname(hostname: HostnameCoordinator) -> None:
        async_add_entities(
            [HomeportButton(hostname, UPDATE)], config_subentry_id=hostname.subentry.subentry_id
        )

    data = entry.runtime_data
    of_line = (DETECT, CLOSE_ALL) if data.line.peer else (DETECT,)
    async_add_entities(HomeportButton(data.line, description) for description in of_line)
    data.async_on_subentry(PortCoordinator, add_port)
    data.async_on_subentry(HostnameCoordinator, add_hostname)


class HomeportButton[CoordinatorT: HomeportCoordinator[Any]](
    HomeportEntity[CoordinatorT], ButtonEntity
):
    """A button that does what its description says."""

    entity_description: HomeportButtonDescription[CoordinatorT]

    @override
    async def async_press(self) -> None:
        """Do it. Raises HomeAssistantError with the reason why it failed."""
        try:
            await self.entity_description.press(self.coordinator)
        except DdnsError as err:
            raise translated(err) from err
