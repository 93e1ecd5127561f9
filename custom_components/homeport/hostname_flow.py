"""Adding and changing a hostname."""

from collections.abc import Iterable, Mapping
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .const import CONF_HOSTNAME, CONF_PROVIDER, DOMAIN, SUBENTRY_HOSTNAME
from .ddns import PROVIDERS, Field, ProviderSpec, normal_hostname


def fields_schema(fields: Iterable[Field], *, keep_secrets: bool = False) -> vol.Schema:
    """Return the form of a provider's fields; `keep_secrets`: an empty secret stays as it is."""
    return vol.Schema(
        {
            _marker(field, keep_secrets=keep_secrets): SelectSelector(
                SelectSelectorConfig(options=list(field.choices))
            )
            if field.choices
            else TextSelector(
                TextSelectorConfig(
                    type=TextSelectorType.PASSWORD if field.secret else TextSelectorType.TEXT
                )
            )
            for field in fields
        }
    )


def _marker(field: Field, *, keep_secrets: bool) -> vol.Marker:
    required = field.required and not (field.secret and keep_secrets)
    marker = vol.Required if required else vol.Optional
    # A default is only suggested, so that what was set before is not overwritten by it.
    return marker(field.key, description={"suggested_value": field.default})


class HostnameFlow(ConfigSubentryFlow):
    """Ask for the provider, then for the name and what the provider needs."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Let a provider be chosen."""
        return self.async_show_menu(step_id="user", menu_options=list(PROVIDERS))

    async def async_step_dyndns2(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what a dyndns2 service needs."""
        return self._ask("dyndns2", PROVIDERS["dyndns2"], user_input)

    async def async_step_rfc2136(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what a name server needs."""
        return self._ask("rfc2136", PROVIDERS["rfc2136"], user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask the same again, showing everything but the secrets."""
        provider: str = self._get_reconfigure_subentry().data[CONF_PROVIDER]
        return self._ask(provider, PROVIDERS[provider], user_input)

    def _ask(
        self, step_id: str, spec: ProviderSpec, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        changing = self.source == SOURCE_RECONFIGURE
        known = self._get_reconfigure_subentry().data if changing else {}
        errors: dict[str, str] = {}
        if user_input is not None:
            kept = {key: known[key] for key in spec.secrets if key in known}
            data = {**kept, **{key: text for key, text in user_input.items() if text}}
            errors = self._validate(spec, data)
            if not errors:
                return self._finish(spec, data)
        schema = vol.Schema({vol.Required(CONF_HOSTNAME): TextSelector()}).extend(
            fields_schema(spec.fields, keep_secrets=changing).schema
        )
        shown = {key: text for key, text in known.items() if key not in spec.secrets}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, user_input or shown),
            errors=errors,
        )

    def _validate(self, spec: ProviderSpec, data: dict[str, str]) -> dict[str, str]:
        """Return the errors by field; bring the name into its one form."""
        try:
            data[CONF_HOSTNAME] = normal_hostname(data.get(CONF_HOSTNAME, ""))
        except ValueError:
            return {CONF_HOSTNAME: "invalid_hostname"}
        if self._is_taken(data[CONF_HOSTNAME]):
            return {CONF_HOSTNAME: "hostname_taken"}
        return spec.validate(data[CONF_HOSTNAME], data)

    def _is_taken(self, hostname: str) -> bool:
        """Say whether any line has the name already: two would fight over it."""
        own = self._reconfigure_subentry_id if self.source == SOURCE_RECONFIGURE else None
        return any(
            other.data[CONF_HOSTNAME] == hostname
            for entry in self.hass.config_entries.async_entries(DOMAIN)
            for other in entry.get_subentries_of_type(SUBENTRY_HOSTNAME)
            if other.subentry_id != own
        )

    def _finish(self, spec: ProviderSpec, data: Mapping[str, str]) -> SubentryFlowResult:
        data = {CONF_PROVIDER: spec.id, **data}
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(),
                self._get_reconfigure_subentry(),
                title=data[CONF_HOSTNAME],
                data=data,
                unique_id=data[CONF_HOSTNAME],
            )
        return self.async_create_entry(
            title=data[CONF_HOSTNAME], data=data, unique_id=data[CONF_HOSTNAME]
        )
