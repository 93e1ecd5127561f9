"""The actions: those on lines and hostnames, and the list of all."""

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
from homeassistant.helpers import config_validation as cv, service
from homeassistant.util.json import JsonObjectType, JsonValueType
import voluptuous as vol

from .action_targets import ATTR_CONFIG_ENTRY_ID, line_of, owner_of
from .const import DOMAIN
from .coordinator import HostnameCoordinator, TableRow
from .ddns import DdnsError
from .errors import translated
from .gateway import UNKNOWN_LEASE, GatewayError
from .line_answer import line_answer
from .port_control import close_all_ports, no_gateway
from .port_services import OPEN_SCHEMA, PORTS_SCHEMA, check_ports, close_ports, open_ports

SERVICE_CHECK_PORT: Final = "check_port"
SERVICE_CLOSE_ALL_PORTS: Final = "close_all_ports"
SERVICE_CLOSE_PORT: Final = "close_port"
SERVICE_DETECT_LINE: Final = "detect_line"
SERVICE_LIST_MAPPINGS: Final = "list_mappings"
SERVICE_OPEN_PORT: Final = "open_port"
SERVICE_UPDATE_DDNS: Final = "update_ddns"

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
        (SERVICE_CHECK_PORT, check_ports, PORTS_SCHEMA),
        (SERVICE_CLOSE_ALL_PORTS, _close_all_ports, _LINE_SCHEMA),
        (SERVICE_CLOSE_PORT, close_ports, PORTS_SCHEMA),
        (SERVICE_DETECT_LINE, _detect_line, _LINE_SCHEMA),
        (SERVICE_LIST_MAPPINGS, _list_mappings, _LINE_SCHEMA),
        (SERVICE_OPEN_PORT, open_ports, OPEN_SCHEMA),
        (SERVICE_UPDATE_DDNS, _update_ddns, _HOSTNAMES_SCHEMA),
    )
    for name, act, schema in actions:
        service.async_register_admin_service(
            hass, DOMAIN, name, act, schema=schema, supports_response=SupportsResponse.OPTIONAL
        )


async def _detect_line(call: ServiceCall) -> ServiceResponse:
    """Look at a line now; answer with what it is."""
    return await line_answer(call.hass, await line_of(call).runtime_data.async_detect())


async def _close_all_ports(call: ServiceCall) -> ServiceResponse:
    """Close every port of a line; answer with those closed, and why others are not."""
    closed, failed = await close_all_ports(line_of(call))
    return {"closed": [*closed], "failed": {**failed}}


async def _list_mappings(call: ServiceCall) -> ServiceResponse:
    """Read the router's whole table; answer with each mapping, and whose it is."""
    table = line_of(call).runtime_data.table
    if table is None:
        raise no_gateway()
    try:
        return {"mappings": [_row(row) for row in await table.async_read()]}
    except GatewayError as err:
        raise translated(err) from err


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
    if ATTR_CONFIG_ENTRY_ID in call.data:
        chosen = list(line_of(call).runtime_data.hostnames.values())
    else:
        chosen = [_by_entity(call.hass, entity) for entity in call.data[ATTR_ENTITY_ID]]
    if not chosen:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_hostname")
    return chosen


def _by_entity(hass: HomeAssistant, entity_id: str) -> HostnameCoordinator:
    owner = owner_of(hass, entity_id)
    if isinstance(owner, HostnameCoordinator):
        return owner
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="not_a_hostname",
        translation_placeholders={"entity": entity_id},
    )


def _row(row: TableRow) -> JsonObjectType:
    mapping = row.mapping
    return {
        "protocol": mapping.protocol.value,
        "external_port": mapping.external_port,
        "remote_host": mapping.remote_host or None,
        "internal_client": mapping.internal_client,
        "internal_port": mapping.internal_port,
        "description": mapping.description,
        "enabled": mapping.enabled,
        "lease": None if mapping.lease == UNKNOWN_LEASE else mapping.lease,
        "ours": row.ours,
        "name": row.port,
    }
