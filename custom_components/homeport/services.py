"""The actions: looking at the line, and sending hostnames' addresses."""

import asyncio
from typing import Final

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, entity_registry as er, service
from homeassistant.util.json import JsonValueType
import voluptuous as vol

from .const import DOMAIN
from .coordinator import HomeportConfigEntry, HostnameCoordinator
from .ddns import DdnsError
from .errors import translated
from .line_answer import line_answer

SERVICE_DETECT_LINE: Final = "detect_line"
SERVICE_UPDATE_DDNS: Final = "update_ddns"
ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"

_LINE_SCHEMA = vol.Schema({vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string})
_HOSTNAMES_SCHEMA = vol.Schema(
    vol.All(
        cv.has_at_least_one_key(ATTR_CONFIG_ENTRY_ID, ATTR_ENTITY_ID),
        {
            vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
            vol.Optional(ATTR_ENTITY_ID): cv.entity_ids,
        },
    )
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions, which are for administrators only."""
    actions = (
        (SERVICE_DETECT_LINE, _detect_line, _LINE_SCHEMA),
        (SERVICE_UPDATE_DDNS, _update_ddns, _HOSTNAMES_SCHEMA),
    )
    for name, act, schema in actions:
        service.async_register_admin_service(
            hass, DOMAIN, name, act, schema=schema, supports_response=SupportsResponse.OPTIONAL
        )


async def _detect_line(call: ServiceCall) -> ServiceResponse:
    """Look at a line now; answer with what it is."""
    entry: HomeportConfigEntry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID]
    )
    return await line_answer(call.hass, await entry.runtime_data.line.async_detect())


async def _update_ddns(call: ServiceCall) -> ServiceResponse:
    """Send the addresses of the chosen hostnames now; answer with what came of each."""
    chosen = _chosen(call)
    # One that fails does not keep the others from being sent.
    results = await asyncio.gather(
        *(hostname.async_force() for hostname in chosen), return_exceptions=True
    )
    answers: dict[str, JsonValueType] = {}
    for hostname, result in zip(chosen, results, strict=True):
        if isinstance(result, DdnsError):
            raise translated(result) from result
        if isinstance(result, BaseException):
            raise result
        answers[hostname.hostname] = {
            "status": result.status.value,
            "ipv4": None if result.sent.ipv4 is None else str(result.sent.ipv4),
            "ipv6": None if result.sent.ipv6 is None else str(result.sent.ipv6),
            "reply": result.reply,
        }
    return {"hostnames": answers}


def _chosen(call: ServiceCall) -> list[HostnameCoordinator]:
    """Return the hostnames of the entry, or those whose status sensors were named."""
    if (entry_id := call.data.get(ATTR_CONFIG_ENTRY_ID)) is not None:
        entry: HomeportConfigEntry = service.async_get_config_entry(call.hass, DOMAIN, entry_id)
        chosen = list(entry.runtime_data.hostnames.values())
    else:
        chosen = [_by_entity(call.hass, entity) for entity in call.data[ATTR_ENTITY_ID]]
    if not chosen:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_hostname")
    return chosen


def _by_entity(hass: HomeAssistant, entity_id: str) -> HostnameCoordinator:
    registered = er.async_get(hass).async_get(entity_id)
    if registered and registered.platform == DOMAIN and registered.config_entry_id:
        entry: HomeportConfigEntry = service.async_get_config_entry(
            hass, DOMAIN, registered.config_entry_id
        )
        if hostname := entry.runtime_data.hostnames.get(registered.config_subentry_id or ""):
            return hostname
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="not_a_hostname",
        translation_placeholders={"entity": entity_id},
    )
