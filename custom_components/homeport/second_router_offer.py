"""Offering to open ports on a second router too; nothing is told it before the user says so."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.repairs import RepairsFlow
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
import voluptuous as vol

from .const import CONF_BOTH_ROUTERS, DOMAIN
from .coordinator import HomeportConfigEntry
from .line import Openable

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowResult

OFFER: Final = "second_router_"


@callback
def async_watch_second_router(hass: HomeAssistant, entry: HomeportConfigEntry) -> None:
    """Make the offer while there is a wanted port, and a second router that can be asked."""
    data = entry.runtime_data
    issue_id = f"{OFFER}{entry.entry_id}"

    @callback
    def look() -> None:
        line, hop = data.line.data, data.line.evidence.second_hop
        if data.line.options.both_routers or line.ipv4_openable in {Openable.ALL, Openable.NONE}:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
            return
        wanted = any(port.data.wanted and port.controlled for port in data.ports.values())
        if wanted and hop and hop.router and line.ipv4_openable is Openable.AFTER_SECOND_ROUTER:
            ir.async_create_issue(
                hass,
                DOMAIN,
                issue_id,
                data={"entry_id": entry.entry_id},
                is_fixable=True,
                severity=ir.IssueSeverity.WARNING,
                translation_key="second_router",
                translation_placeholders={"router": str(hop.router)},
            )

    entry.async_on_unload(data.line.async_add_listener(look))


@callback
def async_forget_offer(hass: HomeAssistant, entry_id: str) -> None:
    """Withdraw the offer of a line that is gone."""
    ir.async_delete_issue(hass, DOMAIN, f"{OFFER}{entry_id}")


class SecondRouterFlow(RepairsFlow):
    """Say what would be done on the second router, and do so from then on."""

    def __init__(self, entry_id: str) -> None:
        """Take whose line it is."""
        self._entry_id = entry_id

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask, and set the option."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None:
            return self.async_abort(reason="settled")
        if user_input is None:
            issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({}),
                description_placeholders=issue.translation_placeholders if issue else None,
            )
        options = {**entry.options, CONF_BOTH_ROUTERS: True}
        self.hass.config_entries.async_update_entry(entry, options=options)
        return self.async_create_entry(data={})
