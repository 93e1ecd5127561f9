"""The repair issue of a port that is open to nobody any more, since it is another home's."""

from functools import partial
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .allowed_ports import in_words, own_port_set
from .const import DOMAIN
from .coordinator import HomeportConfigEntry, PortCoordinator
from .line import Openable

_PREFIX: Final = "port_not_in_set_"


@callback
def async_watch_ports(hass: HomeAssistant, entry: HomeportConfigEntry) -> None:
    """Raise the issues of an entry, and withdraw them, until it is unloaded."""
    data = entry.runtime_data

    def follow(port: PortCoordinator) -> None:
        entry.async_on_unload(port.async_add_listener(partial(_look, hass, entry, port)))

    @callback
    def look_at_all() -> None:
        for port in data.ports.values():
            _look(hass, entry, port)

    data.async_on_subentry(PortCoordinator, follow)
    entry.async_on_unload(data.line.async_add_listener(look_at_all))


@callback
def async_forget_removed(hass: HomeAssistant) -> None:
    """Withdraw the issues of ports that are gone."""
    ports = {
        subentry_id
        for entry in hass.config_entries.async_entries(DOMAIN)
        for subentry_id in entry.subentries
    }
    for domain, issue_id in list(ir.async_get(hass).issues):
        known = issue_id.removeprefix(_PREFIX) in ports
        if domain == DOMAIN and issue_id.startswith(_PREFIX) and not known:
            ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def _look(hass: HomeAssistant, entry: HomeportConfigEntry, port: PortCoordinator) -> None:
    """Raise the issue of a port, or withdraw it where it is cured.

    While the line is not known it stays as it is: to withdraw it would also forget that the user
    wants to hear no more of it.
    """
    subentry, line = port.subentry, port.line.data
    if subentry.subentry_id not in entry.subentries:
        return
    issue_id = f"{_PREFIX}{subentry.subentry_id}"
    if not port.data.wanted:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
    elif port.port_allowed is False and (port_set := own_port_set(line)):
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            data={"entry_id": entry.entry_id, "subentry_id": subentry.subentry_id},
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key="port_not_in_set",
            translation_placeholders={
                "name": subentry.title,
                "port": str(port.external_port),
                "ranges": in_words(port_set),
            },
        )
    elif port.port_allowed or line.ipv4_openable is not Openable.UNKNOWN:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
