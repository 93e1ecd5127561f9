"""Adding and changing a port."""

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .allowed_ports import in_words, nearest_free, own_port_set, taken_ports, unique_id
from .const import (
    CONF_BY_HAND,
    CONF_CLOSE_AFTER,
    CONF_EXTERNAL_PORT,
    CONF_INTERNAL_CLIENT,
    CONF_INTERNAL_PORT,
    CONF_LOCATION,
    CONF_PROTOCOL,
    CONF_TRY_ANYWAY,
    MOST_OPEN_MINUTES,
)
from .gateway import Transport
from .line import AddressKind, address_kind

CONF_UNDERSTOOD = "understood"
_LAST_PORT = 65535
_MOST_DIGITS = 5
_FIRST_ORDINARY_PORT = 1024  # below are the system ports (RFC 6335 section 6)
_MAX_NAME = 60

# A number selector would answer a bad port in English, and with a decimal point.
_NUMBER = TextSelector(TextSelectorConfig(type=TextSelectorType.NUMBER))
_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_PROTOCOL, default=Transport.TCP.value): SelectSelector(
            SelectSelectorConfig(options=[transport.value for transport in Transport])
        ),
        vol.Optional(CONF_INTERNAL_CLIENT): TextSelector(),
        vol.Required(CONF_INTERNAL_PORT): _NUMBER,
        vol.Required(CONF_EXTERNAL_PORT): _NUMBER,
        vol.Required(CONF_TRY_ANYWAY, default=False): BooleanSelector(),
    }
)
# Only where there is a router that could be told.
_GATEWAY_SCHEMA = _SCHEMA.extend(
    {
        vol.Optional(CONF_CLOSE_AFTER): _NUMBER,
        vol.Required(CONF_BY_HAND, default=False): BooleanSelector(),
    }
)
_OF_GATEWAY = CONF_CLOSE_AFTER, CONF_BY_HAND
_CONFIRM_SCHEMA = vol.Schema({})
_DANGER_SCHEMA = vol.Schema({vol.Required(CONF_UNDERSTOOD, default=False): BooleanSelector()})

_NO_DEVICE = frozenset(
    {AddressKind.SPECIAL, AddressKind.MULTICAST, AddressKind.DOCUMENTATION, AddressKind.NONE}
)


class PortFlow(ConfigSubentryFlow):
    """Ask what is to be opened, then say in plain words what that means."""

    def __init__(self) -> None:
        """Begin empty."""
        self._input: dict[str, Any] = {}
        self._title = ""
        self._data: dict[str, Any] = {}

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for a new port."""
        return await self._ask("user", user_input, {})

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for what is to change."""
        subentry = self._get_reconfigure_subentry()
        known = {CONF_NAME: subentry.title, **subentry.data}
        for key in CONF_INTERNAL_PORT, CONF_EXTERNAL_PORT, CONF_CLOSE_AFTER:
            if key in known:
                known[key] = str(known[key])
        return await self._ask("reconfigure", user_input, known)

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Say what the internet will be able to reach, and have it confirmed."""
        return await self._confirm("confirm", _CONFIRM_SCHEMA, user_input)

    async def async_step_danger(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Say the same of what attackers look for first, and have it confirmed expressly."""
        return await self._confirm("danger", _DANGER_SCHEMA, user_input)

    async def async_step_by_hand(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Say what the user has to do on the router, and that it is not done here."""
        return await self._confirm("by_hand", _CONFIRM_SCHEMA, user_input)

    async def _ask(
        self, step_id: str, user_input: dict[str, Any] | None, known: Mapping[str, Any]
    ) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        placeholders: Mapping[str, str] = {}
        if user_input is not None:
            data = _parse(user_input, errors)
            if not self._gateway and self.source == SOURCE_RECONFIGURE:
                # Not asked for here, and not to be lost either.
                before = self._get_reconfigure_subentry().data
                data |= {key: before[key] for key in _OF_GATEWAY if key in before}
            if not errors and self._is_taken(data):
                errors[CONF_EXTERNAL_PORT] = "port_taken"
            if not errors and not data[CONF_TRY_ANYWAY]:
                placeholders = self._outside_the_set(data)
                if placeholders:
                    errors[CONF_EXTERNAL_PORT] = "port_not_in_set"
            if not errors:
                self._input, self._data = user_input, data
                self._title = user_input[CONF_NAME].strip()
                if data.get(CONF_BY_HAND) or not self._gateway:
                    return await self.async_step_by_hand()
                if self._is_dangerous():
                    return await self.async_step_danger()
                return await self.async_step_confirm()
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                _GATEWAY_SCHEMA if self._gateway else _SCHEMA, user_input or known
            ),
            description_placeholders=placeholders,
            errors=errors,
        )

    async def _confirm(
        self, step_id: str, schema: vol.Schema, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        if user_input is not None:
            if self._is_taken(self._data):  # by a flow that was faster
                if self.source == SOURCE_RECONFIGURE:
                    return await self.async_step_reconfigure(self._input)
                return await self.async_step_user(self._input)
            if user_input.get(CONF_UNDERSTOOD, True):
                return self._finish()
            errors[CONF_UNDERSTOOD] = "not_understood"
        return self.async_show_form(
            step_id=step_id,
            data_schema=schema,
            description_placeholders={
                "protocol": self._data[CONF_PROTOCOL],
                "external_port": str(self._data[CONF_EXTERNAL_PORT]),
                "internal_port": str(self._data[CONF_INTERNAL_PORT]),
                "client": self._data.get(CONF_INTERNAL_CLIENT, "Home Assistant"),
            },
            errors=errors,
        )

    def _finish(self) -> SubentryFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(),
                self._get_reconfigure_subentry(),
                title=self._title,
                data=self._data,
                unique_id=unique_id(self._data),
            )
        return self.async_create_entry(
            title=self._title, data=self._data, unique_id=unique_id(self._data)
        )

    @property
    def _gateway(self) -> bool:
        """Say whether there is a router to be told."""
        return CONF_LOCATION in self._get_entry().data

    def _is_taken(self, data: Mapping[str, Any]) -> bool:
        """Say whether another port of this line has the external port."""
        return data[CONF_EXTERNAL_PORT] in self._taken(data)

    def _taken(self, data: Mapping[str, Any]) -> frozenset[int]:
        own = self._reconfigure_subentry_id if self.source == SOURCE_RECONFIGURE else None
        return taken_ports(self._get_entry(), data[CONF_PROTOCOL], but=own)

    def _outside_the_set(self, data: Mapping[str, Any]) -> Mapping[str, str]:
        """Say which ports there are where the external port is surely another home's."""
        entry, wanted = self._get_entry(), data[CONF_EXTERNAL_PORT]
        if entry.state is not ConfigEntryState.LOADED:
            return {}
        port_set = own_port_set(entry.runtime_data.line.data)
        if port_set is None or wanted in port_set:
            return {}
        nearest = nearest_free(port_set, wanted, self._taken(data))
        return {"nearest": str(nearest or "-"), "ranges": in_words(port_set)}

    def _is_dangerous(self) -> bool:
        """Say whether this is a system port, or Home Assistant itself."""
        if self._data[CONF_EXTERNAL_PORT] < _FIRST_ORDINARY_PORT:
            return True
        client, own = self._data.get(CONF_INTERNAL_CLIENT), self.hass.config.api
        here = client is None or (own is not None and client == own.local_ip)
        return here and own is not None and self._data[CONF_INTERNAL_PORT] == own.port


def _parse(user_input: Mapping[str, Any], errors: dict[str, str]) -> dict[str, Any]:
    """Return the subentry's data; say in `errors` what is wrong with it."""
    if not 0 < len(user_input[CONF_NAME].strip()) <= _MAX_NAME:
        errors[CONF_NAME] = "invalid_name"
    data: dict[str, Any] = {
        CONF_PROTOCOL: user_input[CONF_PROTOCOL],
        CONF_TRY_ANYWAY: user_input[CONF_TRY_ANYWAY],
    }
    if client := user_input.get(CONF_INTERNAL_CLIENT, "").strip():
        try:
            data[CONF_INTERNAL_CLIENT] = str(_lan_address(client))
        except ValueError:
            errors[CONF_INTERNAL_CLIENT] = "invalid_client"
    for key in CONF_INTERNAL_PORT, CONF_EXTERNAL_PORT:
        if number := _number(user_input[key], _LAST_PORT):
            data[key] = number
        else:
            errors[key] = "invalid_port"
    if minutes := user_input.get(CONF_CLOSE_AFTER, "").strip():
        if number := _number(minutes, MOST_OPEN_MINUTES):
            data[CONF_CLOSE_AFTER] = number
        else:
            errors[CONF_CLOSE_AFTER] = "invalid_minutes"
    if user_input.get(CONF_BY_HAND):
        data[CONF_BY_HAND] = True
    return data


def _number(text: str, most: int) -> int | None:
    """Return a whole number from 1 on; None for any other text."""
    text = text.strip()
    # int() would also take "1_000", "+80" and the digits of other scripts.
    digits = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if digits and 0 < int(text) <= most else None


def _lan_address(text: str) -> IPv4Address:
    """Return the address of a device at home. Raises ValueError for any other."""
    address = IPv4Address(text)
    if address_kind(address) in _NO_DEVICE:
        raise ValueError("not the address of a device")
    return address
