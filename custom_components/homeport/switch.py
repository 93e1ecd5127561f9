"""The switch of a port."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .allowed_ports import in_words, nearest_free, own_port_set, taken_ports
from .const import CONF_TRY_ANYWAY, DOMAIN
from .coordinator import HomeportConfigEntry, PortCoordinator
from .entity import HomeportEntity
from .errors import translated
from .gateway import GatewayError
from .line import Openable
from .ports import MappingState

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
    """Add a switch for each port, where there is a router to be told."""
    data = entry.runtime_data

    def add_port(port: PortCoordinator) -> None:
        async_add_entities([PortSwitch(port, OPEN)], config_subentry_id=port.subentry.subentry_id)

    if data.location:
        data.async_on_subentry(PortCoordinator, add_port)


class PortSwitch(HomeportEntity[PortCoordinator], SwitchEntity):
    """On = read back from the router; off = not wanted and absent; else unknown."""

    @property
    @override
    def is_on(self) -> bool | None:
        match self.coordinator.data.mapping:
            case MappingState.OPEN:
                return True
            case MappingState.CLOSED:
                return False
        return None

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Open the port. Raises HomeAssistantError with what stops it."""
        if not self.coordinator.subentry.data.get(CONF_TRY_ANYWAY):
            self._raise_obstacle()
        await self._want(wanted=True)
        if holder := self.coordinator.data.holder:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="foreign_mapping",
                translation_placeholders={
                    "port": str(self.coordinator.external_port),
                    "client": holder.internal_client,
                    "description": holder.description,
                },
            )

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Close the port. Raises HomeAssistantError when the router does not."""
        await self._want(wanted=False)

    def _raise_obstacle(self) -> None:
        """Raise ServiceValidationError where the line lets nothing in at this port."""
        line = self.coordinator.line.data
        if line.mode and line.ipv4_openable is Openable.NONE:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key=f"line_{line.mode}"
            )
        port_set = own_port_set(line)
        if port_set and self.coordinator.port_allowed is False:
            port = self.coordinator.external_port
            taken = taken_ports(self.coordinator.config_entry, self.coordinator.protocol)
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="port_not_in_set",
                translation_placeholders={
                    "port": str(port),
                    "nearest": str(nearest_free(port_set, port, taken) or "-"),
                    "ranges": in_words(port_set),
                },
            )

    async def _want(self, *, wanted: bool) -> None:
        try:
            await self.coordinator.async_want(wanted=wanted)
        except GatewayError as err:
            raise translated(err) from err
