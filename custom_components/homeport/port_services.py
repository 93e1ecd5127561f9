"""The actions on ports: opening, closing and checking them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from .action_targets import owner_of
from .check_answer import shown_checks
from .const import DOMAIN, MOST_OPEN_MINUTES
from .coordinator import PinholeReport, PortCoordinator
from .port_control import close_port, look_at_port, open_port

ATTR_DURATION: Final = "duration"


def _duration(value: Any) -> timedelta:
    """Return a time period of more than nothing. Raises Invalid, also for what is no time."""
    try:
        period: timedelta = cv.positive_time_period(value)
    except (OverflowError, ValueError) as err:
        raise vol.Invalid("not a time period") from err
    if not timedelta(seconds=1) <= period <= timedelta(minutes=MOST_OPEN_MINUTES):
        raise vol.Invalid("a time period from a second to 30 days")
    return period


# One by one: a whole area is never opened by accident.
PORTS_SCHEMA = vol.Schema({vol.Required(ATTR_ENTITY_ID): cv.entity_ids})
OPEN_SCHEMA = PORTS_SCHEMA.extend({vol.Optional(ATTR_DURATION): _duration})


async def open_ports(call: ServiceCall) -> ServiceResponse:
    """Open ports; answer with what the router shows and when they are closed again."""
    duration = call.data.get(ATTR_DURATION)
    return await _each(call, lambda port: open_port(port, duration), _opened)


async def close_ports(call: ServiceCall) -> ServiceResponse:
    """Close ports; answer with what the router shows."""
    return await _each(call, close_port, _opened)


async def check_ports(call: ServiceCall) -> ServiceResponse:
    """Look at ports from outside; answer with the whole chain, and what stops them."""
    return await _each(call, look_at_port, shown_checks)


async def _each(
    call: ServiceCall,
    act: Callable[[PortCoordinator], Awaitable[None]],
    answer: Callable[[PortCoordinator], JsonObjectType],
) -> ServiceResponse:
    """Do something with each port that is named; answer by the ids of the entities.

    One that fails does not keep the others from it. Raises HomeAssistantError.
    """
    named = {entity: _port_of(call.hass, entity) for entity in call.data[ATTR_ENTITY_ID]}
    chosen = dict.fromkeys(named.values())
    results = await asyncio.gather(*(act(port) for port in chosen), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return {entity: answer(port) for entity, port in named.items()}


def _port_of(hass: HomeAssistant, entity_id: str) -> PortCoordinator:
    owner = owner_of(hass, entity_id)
    if isinstance(owner, PortCoordinator):
        return owner
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="not_a_port",
        translation_placeholders={"entity": entity_id},
    )


def _opened(port: PortCoordinator) -> JsonObjectType:
    return {
        "mapping": port.data.mapping and port.data.mapping.value,
        "protocol": port.protocol.value,
        "external_port": port.external_port,
        "pinhole": _pinhole(port.data.pinhole) if port.pinhole.asked else None,
        "closes_at": _text(port.closes_at),
    }


def _pinhole(report: PinholeReport) -> JsonObjectType:
    pinhole = report.pinhole
    return {
        "state": report.state and report.state.value,
        "reason": report.reason,
        "address": str(pinhole.client) if pinhole else None,
        "port": pinhole.port if pinhole else None,
    }


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
