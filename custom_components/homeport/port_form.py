"""The form of a port: its fields, and what they come to."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.selector import (
    BooleanSelector,
    DeviceSelector,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .const import (
    CONF_BY_HAND,
    CONF_CLOSE_AFTER,
    CONF_EXTERNAL_PORT,
    CONF_FAMILIES,
    CONF_INTERNAL_CLIENT,
    CONF_INTERNAL_PORT,
    CONF_PROTOCOL,
    CONF_TRY_ANYWAY,
    MOST_OPEN_MINUTES,
    Family,
)
from .gateway import Transport
from .lan_target import TargetKind, parse_target

CONF_DEVICE: Final = "device"
_LAST_PORT = 65535
_MOST_DIGITS = 5
_MAX_NAME = 60

# A number selector would answer a bad port in English, and with a decimal point.
_NUMBER = TextSelector(TextSelectorConfig(type=TextSelectorType.NUMBER))
SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_PROTOCOL, default=Transport.TCP.value): SelectSelector(
            SelectSelectorConfig(options=[transport.value for transport in Transport])
        ),
        vol.Required(CONF_FAMILIES, default=[Family.IPV4.value]): SelectSelector(
            SelectSelectorConfig(
                options=[family.value for family in Family],
                multiple=True,
                translation_key=CONF_FAMILIES,
            )
        ),
        vol.Optional(CONF_INTERNAL_CLIENT): TextSelector(),
        vol.Optional(CONF_DEVICE): DeviceSelector(),
        vol.Required(CONF_INTERNAL_PORT): _NUMBER,
        vol.Optional(CONF_EXTERNAL_PORT): _NUMBER,
        vol.Required(CONF_TRY_ANYWAY, default=False): BooleanSelector(),
    }
)
# Only where there is a router that could be told.
GATEWAY_SCHEMA: Final = SCHEMA.extend(
    {
        vol.Optional(CONF_CLOSE_AFTER): _NUMBER,
        vol.Required(CONF_BY_HAND, default=False): BooleanSelector(),
    }
)


def parse(
    hass: HomeAssistant, user_input: Mapping[str, Any], errors: dict[str, str]
) -> dict[str, Any]:
    """Return the subentry's data; say in `errors` what is wrong with it.

    Without an external port where that is to be chosen.
    """
    if not 0 < len(user_input[CONF_NAME].strip()) <= _MAX_NAME:
        errors[CONF_NAME] = "invalid_name"
    data: dict[str, Any] = {
        CONF_PROTOCOL: user_input[CONF_PROTOCOL],
        CONF_TRY_ANYWAY: user_input[CONF_TRY_ANYWAY],
    }
    families = [each.value for each in Family if each in user_input[CONF_FAMILIES]]
    if not families:
        errors[CONF_FAMILIES] = "no_family"
    elif families != [Family.IPV4]:
        data[CONF_FAMILIES] = families
    _parse_target(hass, user_input, data, errors)
    _parse_ports(user_input, data, errors)
    if minutes := user_input.get(CONF_CLOSE_AFTER, "").strip():
        if number := _number(minutes, MOST_OPEN_MINUTES):
            data[CONF_CLOSE_AFTER] = number
        else:
            errors[CONF_CLOSE_AFTER] = "invalid_minutes"
    if user_input.get(CONF_BY_HAND):
        data[CONF_BY_HAND] = True
    return data


def device_of(hass: HomeAssistant, client: str) -> dr.DeviceEntry | None:
    """Return a device that has a MAC address, if Home Assistant knows one."""
    connection = dr.CONNECTION_NETWORK_MAC, client
    found = dr.async_get(hass).async_get_devices(connections={connection})
    return next(iter(found), None)


def client_in_words(hass: HomeAssistant, client: str | None) -> str:
    """Return what a port leads to, to be read in a sentence."""
    if client is None:
        return "Home Assistant"
    device = device_of(hass, client)
    name = device and (device.name_by_user or device.name)
    return f"{name} ({client})" if name else client


def _parse_target(
    hass: HomeAssistant, user_input: Mapping[str, Any], data: dict[str, Any], errors: dict[str, str]
) -> None:
    text, device = user_input.get(CONF_INTERNAL_CLIENT, "").strip(), user_input.get(CONF_DEVICE)
    if text and device:
        errors[CONF_DEVICE] = "two_devices"
    elif text:
        try:
            _, data[CONF_INTERNAL_CLIENT] = parse_target(text)
        except ValueError:
            errors[CONF_INTERNAL_CLIENT] = "invalid_client"
    elif device:
        if mac := _mac_of(hass, device):
            data[CONF_INTERNAL_CLIENT] = mac
        else:
            errors[CONF_DEVICE] = "device_without_mac"


def _mac_of(hass: HomeAssistant, device_id: str) -> str | None:
    """Return the MAC address of a device; of several, always the same one."""
    device = dr.async_get(hass).async_get(device_id)
    if not isinstance(device, dr.DeviceEntry):  # none, or a part of another one
        return None
    for kind, value in sorted(device.connections):
        if kind == dr.CONNECTION_NETWORK_MAC:
            with suppress(ValueError):
                named, mac = parse_target(value)
                if named is TargetKind.MAC:
                    return mac
    return None


def _parse_ports(
    user_input: Mapping[str, Any], data: dict[str, Any], errors: dict[str, str]
) -> None:
    if number := _number(user_input[CONF_INTERNAL_PORT], _LAST_PORT):
        data[CONF_INTERNAL_PORT] = number
    else:
        errors[CONF_INTERNAL_PORT] = "invalid_port"
    external = user_input.get(CONF_EXTERNAL_PORT, "").strip()
    if external:
        if number := _number(external, _LAST_PORT):
            data[CONF_EXTERNAL_PORT] = number
        else:
            errors[CONF_EXTERNAL_PORT] = "invalid_port"
    if data.get(CONF_FAMILIES) == [Family.IPV6] and CONF_INTERNAL_PORT in data:
        # Nothing translates ports over IPv6.
        inside = data[CONF_INTERNAL_PORT]
        if data.setdefault(CONF_EXTERNAL_PORT, inside) != inside:
            errors[CONF_EXTERNAL_PORT] = "no_other_port"


def _number(text: str, most: int) -> int | None:
    """Return a whole number from 1 on; None for any other text."""
    text = text.strip()
    # int() would also take "1_000", "+80" and the digits of other scripts.
    digits = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if digits and 0 < int(text) <= most else None
