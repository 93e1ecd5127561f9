"""What repair issues can do: move a port that has become another home's, use a second router."""

from typing import TYPE_CHECKING, Any

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import voluptuous as vol

from .allowed_ports import in_words, nearest_free, own_port_set, taken_ports, unique_id
from .const import CONF_EXTERNAL_PORT
from .coordinator import HomeportConfigEntry, PortCoordinator
from .line import PortSet
from .second_router_offer import OFFER, SecondRouterFlow

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowResult


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow for an issue that can be fixed here."""
    found = data or {}
    if issue_id.startswith(OFFER):
        return SecondRouterFlow(str(found.get("entry_id")))
    return MovePortFlow(str(found.get("entry_id")), str(found.get("subentry_id")))


class MovePortFlow(RepairsFlow):
    """Propose the nearest port that can be had, and take it."""

    def __init__(self, entry_id: str, subentry_id: str) -> None:
        """Take whose port it is."""
        self._entry_id = entry_id
        self._subentry_id = subentry_id
        self._proposed: int | None = None

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Say what would be changed, and change it when that is confirmed."""
        entry: HomeportConfigEntry | None = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="line_not_known")
        port = entry.runtime_data.ports.get(self._subentry_id)
        if port is None or port.port_allowed:
            return self.async_abort(reason="settled")
        port_set = own_port_set(entry.runtime_data.line.data)
        if port_set is None:
            return self.async_abort(reason="line_not_known")
        nearest = _nearest(entry, port, port_set)
        if nearest is None:
            return self.async_abort(reason="all_taken")
        # The line may have changed since the form was shown: then it is shown anew.
        if user_input is not None and nearest == self._proposed:
            data = {**port.subentry.data, CONF_EXTERNAL_PORT: nearest}
            self.hass.config_entries.async_update_subentry(
                entry, port.subentry, data=data, unique_id=unique_id(data)
            )
            return self.async_create_entry(data={})
        self._proposed = nearest
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders={
                "name": port.subentry.title,
                "port": str(port.external_port),
                "nearest": str(nearest),
                "ranges": in_words(port_set),
            },
        )


def _nearest(entry: HomeportConfigEntry, port: PortCoordinator, port_set: PortSet) -> int | None:
    taken = taken_ports(entry, port.protocol, but=port.subentry.subentry_id)
    return nearest_free(port_set, port.external_port, taken)
