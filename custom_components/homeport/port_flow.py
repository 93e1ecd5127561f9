"""Adding and changing a port."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import BooleanSelector
import voluptuous as vol

from .allowed_ports import (
    families_of,
    free_port,
    in_words,
    is_taken_over_ipv6,
    nearest_free,
    own_port_set,
    taken_ports,
    unique_id,
)
from .const import (
    CONF_AUTOMATIC_PORT,
    CONF_BY_HAND,
    CONF_CLOSE_AFTER,
    CONF_EXTERNAL_PORT,
    CONF_INTERNAL_CLIENT,
    CONF_INTERNAL_PORT,
    CONF_PROTOCOL,
    CONF_TRY_ANYWAY,
    Family,
)
from .coordinator import foreign_ports
from .lan_target import TargetKind, parse_target
from .line import PortSet
from .peer import peer_of
from .port_form import CONF_DEVICE, GATEWAY_SCHEMA, SCHEMA, client_in_words, device_of, parse

CONF_UNDERSTOOD = "understood"
_FIRST_ORDINARY_PORT = 1024  # below are the system ports (RFC 6335 section 6)

_OF_GATEWAY = CONF_CLOSE_AFTER, CONF_BY_HAND
_CONFIRM_SCHEMA = vol.Schema({})
_DANGER_SCHEMA = vol.Schema({vol.Required(CONF_UNDERSTOOD, default=False): BooleanSelector()})


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
        if known.pop(CONF_AUTOMATIC_PORT, False):
            del known[CONF_EXTERNAL_PORT]
        if device := device_of(self.hass, known.get(CONF_INTERNAL_CLIENT, "")):
            del known[CONF_INTERNAL_CLIENT]
            known[CONF_DEVICE] = device.id
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
            data = parse(self.hass, user_input, errors)
            if not self._gateway and self.source == SOURCE_RECONFIGURE:
                # Not asked for here, and not to be lost either.
                before = self._get_reconfigure_subentry().data
                data |= {key: before[key] for key in _OF_GATEWAY if key in before}
            if not errors:
                self._choose_port(data, errors)
            if not errors:
                errors |= self._conflicts(data)
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
                GATEWAY_SCHEMA if self._gateway else SCHEMA, user_input or known
            ),
            description_placeholders=placeholders,
            errors=errors,
        )

    async def _confirm(
        self, step_id: str, schema: vol.Schema, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        if user_input is not None:
            if self._conflicts(self._data):  # with a flow that was faster
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
                "ports": ports_in_words(self._data),
                "internal_port": str(self._data[CONF_INTERNAL_PORT]),
                "client": client_in_words(self.hass, self._data.get(CONF_INTERNAL_CLIENT)),
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
        return peer_of(self._get_entry().data) is not None

    @property
    def _changed(self) -> str | None:
        """Return the id of the port that is changed; None for a new one."""
        return self._reconfigure_subentry_id if self.source == SOURCE_RECONFIGURE else None

    @property
    def _port_set(self) -> PortSet | None:
        """Return the ports of this home, where others are surely another home's."""
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return None
        return own_port_set(entry.runtime_data.line.data)

    def _conflicts(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Say where another port of this line is in the way."""
        entry, errors = self._get_entry(), dict[str, str]()
        if Family.IPV4 in families_of(data) and data[CONF_EXTERNAL_PORT] in self._taken(data):
            errors[CONF_EXTERNAL_PORT] = "port_taken"
        if is_taken_over_ipv6(entry, data, but=self._changed):
            errors[CONF_INTERNAL_PORT] = "taken_over_ipv6"
        return errors

    def _taken(self, data: Mapping[str, Any]) -> frozenset[int]:
        return taken_ports(self._get_entry(), data[CONF_PROTOCOL], but=self._changed)

    def _choose_port(self, data: dict[str, Any], errors: dict[str, str]) -> None:
        """Choose the external port, if that is left open; keep the one that was chosen before."""
        if CONF_EXTERNAL_PORT in data:
            return
        entry, near = self._get_entry(), data[CONF_INTERNAL_PORT]
        before = self._get_reconfigure_subentry().data if self._changed else {}
        if before.get(CONF_AUTOMATIC_PORT) and before[CONF_PROTOCOL] == data[CONF_PROTOCOL]:
            near = before[CONF_EXTERNAL_PORT]
        taken = self._taken(data)
        if entry.state is ConfigEntryState.LOADED:
            taken |= foreign_ports(entry.runtime_data.table, data[CONF_PROTOCOL])
        chosen = free_port(self._port_set, near, taken)
        if chosen is None:
            errors[CONF_EXTERNAL_PORT] = "all_taken"
            return
        data[CONF_EXTERNAL_PORT] = chosen
        # A rule that the user makes is not moved behind their back.
        if self._gateway and not data.get(CONF_BY_HAND):
            data[CONF_AUTOMATIC_PORT] = True

    def _outside_the_set(self, data: Mapping[str, Any]) -> Mapping[str, str]:
        """Say which ports there are where the external port is surely another home's."""
        port_set, wanted = self._port_set, data[CONF_EXTERNAL_PORT]
        if Family.IPV4 not in families_of(data) or port_set is None or wanted in port_set:
            return {}
        nearest = nearest_free(port_set, wanted, self._taken(data))
        return {"nearest": str(nearest or "-"), "ranges": in_words(port_set)}

    def _is_dangerous(self) -> bool:
        """Say whether this is a system port, or Home Assistant itself."""
        if any(port < _FIRST_ORDINARY_PORT for _, port in _ports(self._data)):
            return True
        client, own = self._data.get(CONF_INTERNAL_CLIENT), self.hass.config.api
        if own is None or self._data[CONF_INTERNAL_PORT] != own.port:
            return False
        # A name or a MAC address may be this machine's.
        return client in {None, own.local_ip} or parse_target(client)[0] is not TargetKind.ADDRESS


def ports_in_words(data: Mapping[str, Any]) -> str:
    """Return what can be connected to from the internet, in all languages alike."""
    names = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}
    return ", ".join(
        f"{data[CONF_PROTOCOL]} {port} ({names[family]})" for family, port in _ports(data)
    )


def _ports(data: Mapping[str, Any]) -> list[tuple[Family, int]]:
    """Return the families of a port and what others connect to over each."""
    keys = {Family.IPV4: CONF_EXTERNAL_PORT, Family.IPV6: CONF_INTERNAL_PORT}
    return [(family, data[keys[family]]) for family in Family if family in families_of(data)]
