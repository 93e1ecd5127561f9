"""Setting up a line: its router, and which outside services may be asked."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
)
from homeassistant.const import CONF_HOST
from homeassistant.core import callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import TextSelector
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo
import voluptuous as vol
from yarl import URL

from .const import (
    CONF_GATEWAY,
    CONF_HOSTNAME,
    CONF_LOCATION,
    CONF_PROVIDER,
    DOMAIN,
    SUBENTRY_HOSTNAME,
    SUBENTRY_PORT,
)
from .ddns import PROVIDERS, State, Status
from .gateway import GatewayError, GatewayNotFound, Igd, parse_location
from .gateway_form import FoundGateway, find_gateway
from .hostname_flow import HostnameFlow, fields_schema
from .options_flow import HomeportOptionsFlow
from .outside_form import OUTSIDE_DEFAULTS, OUTSIDE_SCHEMA, read_outside
from .peer import peer_of
from .port_flow import PortFlow
from .store import HomeportStore

_GATEWAY_SCHEMA = vol.Schema({vol.Required(CONF_HOST): TextSelector()})


class HomeportConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up a line with its router, found or named, or without one."""

    def __init__(self) -> None:
        """Begin without a router."""
        self._gateway: FoundGateway | None = None
        self._subentry_id = ""

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> HomeportOptionsFlow:
        """Return the flow that changes the options."""
        return HomeportOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the flows that add ports and hostnames."""
        return {SUBENTRY_PORT: PortFlow, SUBENTRY_HOSTNAME: HostnameFlow}

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether there is a router that can be told to open ports."""
        return self.async_show_menu(step_id="user", menu_options=["gateway", "no_gateway"])

    async def async_step_gateway(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the router's address, or the URL of its description."""
        errors: dict[str, str] = {}
        if user_input is not None:
            gateway = await self._find(user_input[CONF_HOST], errors)
            if gateway:
                # The same router has most likely been discovered already, and waits for the user.
                await self.async_set_unique_id(gateway.unique_id, raise_on_progress=False)
                self._abort_if_unique_id_configured(updates=gateway.data, reload_on_update=False)
                self._gateway = gateway
                return await self.async_step_outside()
        return self.async_show_form(
            step_id="gateway",
            data_schema=self.add_suggested_values_to_schema(_GATEWAY_SCHEMA, user_input),
            errors=errors,
        )

    async def async_step_no_gateway(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on without a router; one such line is enough."""
        if any(peer_of(entry.data) is None for entry in self._async_current_entries()):
            return self.async_abort(reason="already_configured")
        return await self.async_step_outside()

    @override
    async def async_step_ssdp(self, discovery_info: SsdpServiceInfo) -> ConfigFlowResult:
        """Take up a router that has made itself known."""
        location = _ipv4_location(discovery_info)
        if location is None or not discovery_info.ssdp_udn:
            return self.async_abort(reason="gateway_not_found")
        entry = await self.async_set_unique_id(discovery_info.ssdp_udn)
        if entry and not await self._may_have_moved(entry, location):
            return self.async_abort(reason="already_configured")
        self._abort_if_unique_id_configured(
            updates={CONF_LOCATION: location}, reload_on_update=False
        )
        try:
            gateway = await Igd.connect(async_get_clientsession(self.hass), location)
        except GatewayError as err:
            return self.async_abort(reason=err.translation_key)
        if known := self._without_upnp(location):
            # It has learned UPnP since it was set up, or had been told not to speak it.
            return self.async_update_and_abort(
                known,
                unique_id=gateway.info.udn,
                data={CONF_LOCATION: location},
                reason="already_configured",
            )
        self._gateway = FoundGateway.with_upnp(gateway.info)
        self.context["title_placeholders"] = {"name": gateway.info.name}
        return await self.async_step_outside()

    async def async_step_outside(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say which outside services would be asked, before any is."""
        options, errors = read_outside(user_input or {})
        if user_input is not None and not errors:
            gateway = self._gateway
            return self.async_create_entry(
                title=gateway.name if gateway else "Homeport",
                data=gateway.data if gateway else {},
                options=options,
            )
        return self.async_show_form(
            step_id="outside",
            data_schema=self.add_suggested_values_to_schema(
                OUTSIDE_SCHEMA, OUTSIDE_DEFAULTS if user_input is None else user_input
            ),
            description_placeholders={"name": self._gateway.name if self._gateway else "-"},
            errors=errors,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take another router, or the same one at another address."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            gateway = await self._find(user_input[CONF_HOST], errors)
            if gateway:
                other = await self.async_set_unique_id(gateway.unique_id, raise_on_progress=False)
                if other and other.entry_id != entry.entry_id:
                    return self.async_abort(reason="already_configured")
                return self.async_update_and_abort(
                    entry, unique_id=gateway.unique_id, data=gateway.data
                )
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                _GATEWAY_SCHEMA, user_input or {CONF_HOST: _named(entry)}
            ),
            errors=errors,
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Ask for the credentials of a hostname that its provider refused."""
        self._subentry_id = entry_data["subentry_id"]
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take new credentials, one refused hostname after the other."""
        entry = self._get_reauth_entry()
        subentry = entry.subentries.get(self._subentry_id)
        if subentry is None:
            return self.async_abort(reason="hostname_removed")
        spec = PROVIDERS[subentry.data[CONF_PROVIDER]]
        errors: dict[str, str] = {}
        if user_input is not None:
            data = {**subentry.data, **user_input}
            errors = spec.validate(data[CONF_HOSTNAME], data)
            if not errors:
                self.hass.config_entries.async_update_subentry(entry, subentry, data=data)
                self._subentry_id = await self._next_refused(entry)
                if not self._subentry_id:
                    return self.async_update_and_abort(entry)
                return await self.async_step_reauth_confirm()
        known = {key: subentry.data.get(key) for key in subentry.data if key not in spec.secrets}
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=self.add_suggested_values_to_schema(
                fields_schema(spec.reauth_fields), known
            ),
            description_placeholders={
                "hostname": subentry.data[CONF_HOSTNAME],
                "provider": spec.name,
            },
            errors=errors,
        )

    async def _next_refused(self, entry: ConfigEntry) -> str:
        """Return the next hostname whose credentials were refused; "" when there is none."""
        store = await HomeportStore.load(self.hass, entry.entry_id)
        for subentry in entry.get_subentries_of_type(SUBENTRY_HOSTNAME):
            state = State.from_dict(store.hostnames.get(subentry.subentry_id, {}))
            refused = state.status is Status.WRONG_CREDENTIALS
            if refused and subentry.subentry_id != self._subentry_id:
                return subentry.subentry_id
        return ""

    async def _may_have_moved(self, entry: ConfigEntry, location: str) -> bool:
        """Say whether to believe an announcement that the router of an entry is now elsewhere.

        Anyone on the LAN can announce it (SSDP knows no proof), and would then tell us what our
        address is. Another host is believed only when the router is gone from where it was.
        """
        known = entry.data.get(CONF_LOCATION, "")
        if URL(known).host == URL(location).host:
            return True
        try:
            await Igd.connect(async_get_clientsession(self.hass), known)
        except GatewayError:
            return True
        return False

    def _without_upnp(self, location: str) -> ConfigEntry | None:
        """Return the entry of the router of that description if it was set up without UPnP."""
        host = URL(location).host
        entries = self._async_current_entries()
        return next((each for each in entries if each.data.get(CONF_GATEWAY) == host), None)

    async def _find(self, text: str, errors: dict[str, str]) -> FoundGateway | None:
        """Return the router at a host or URL; else say in `errors` why there is none."""
        try:
            return await find_gateway(self.hass, text)
        except GatewayError as err:
            errors[CONF_HOST] = err.translation_key
            return None


def _named(entry: ConfigEntry) -> str:
    """Return how the router of an entry was named by whoever set it up."""
    return str(entry.data.get(CONF_LOCATION) or entry.data.get(CONF_GATEWAY, ""))


def _ipv4_location(discovery_info: SsdpServiceInfo) -> str | None:
    """Return the first URL of a description that can be reached over IPv4."""
    locations = [discovery_info.ssdp_location or "", *sorted(discovery_info.ssdp_all_locations)]
    for text in locations:
        with suppress(GatewayNotFound):
            return str(parse_location(text))
    return None
