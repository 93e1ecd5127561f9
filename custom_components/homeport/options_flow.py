"""Changing which outside services are asked, and saying what the line is."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .const import (
    CONF_BOTH_ROUTERS,
    CONF_IPV6_MODE,
    CONF_LINE_MODE,
    CONF_RULE_EA_LENGTH,
    CONF_RULE_IPV4,
    CONF_RULE_IPV6,
    CONF_RULE_PSID_OFFSET,
    CONF_STUN_MINUTES,
    DEFAULT_STUN_MINUTES,
)
from .line import Ipv6Mode, LineMode, MapERule
from .line.mape import InvalidRule
from .options import MOST_STUN_MINUTES
from .outside_form import OUTSIDE_SCHEMA, read_outside
from .probers_form import PROBERS_SCHEMA, read_probers, shown_probers

_AUTOMATIC: Final = "automatic"
_MOST_DIGITS = 3

# With a slider there is no number that would have to be refused.
_MINUTES = NumberSelector(
    NumberSelectorConfig(min=0, max=MOST_STUN_MINUTES, step=1, mode=NumberSelectorMode.SLIDER)
)
# A number selector would answer a bad number in English, and with a decimal point.
_NUMBER = TextSelector(TextSelectorConfig(type=TextSelectorType.NUMBER))
_OUTSIDE_SCHEMA = OUTSIDE_SCHEMA.extend(
    {vol.Required(CONF_STUN_MINUTES, default=DEFAULT_STUN_MINUTES): _MINUTES}
)
_LINE_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_LINE_MODE, default=_AUTOMATIC): SelectSelector(
            SelectSelectorConfig(
                options=[_AUTOMATIC, *LineMode],
                translation_key="line_mode",
                mode=SelectSelectorMode.DROPDOWN,
            )
        ),
        vol.Required(CONF_IPV6_MODE, default=_AUTOMATIC): SelectSelector(
            SelectSelectorConfig(
                options=[_AUTOMATIC, *Ipv6Mode],
                translation_key="ipv6_mode",
                mode=SelectSelectorMode.DROPDOWN,
            )
        ),
        vol.Optional(CONF_BOTH_ROUTERS): BooleanSelector(),
        vol.Optional(CONF_RULE_IPV6): TextSelector(),
        vol.Optional(CONF_RULE_IPV4): TextSelector(),
        vol.Optional(CONF_RULE_EA_LENGTH): _NUMBER,
        vol.Optional(CONF_RULE_PSID_OFFSET): _NUMBER,
    }
)
_RULE_NUMBERS: Final = {
    CONF_RULE_EA_LENGTH: "invalid_ea_length",
    CONF_RULE_PSID_OFFSET: "invalid_psid_offset",
}
_RULE: Final = (CONF_RULE_IPV6, CONF_RULE_IPV4, CONF_RULE_EA_LENGTH, CONF_RULE_PSID_OFFSET)
_FIELD_OF: Final = {
    "invalid_ipv6_prefix": CONF_RULE_IPV6,
    "invalid_ipv4_prefix": CONF_RULE_IPV4,
    "invalid_ea_length": CONF_RULE_EA_LENGTH,
    "invalid_psid_offset": CONF_RULE_PSID_OFFSET,
}


class HomeportOptionsFlow(OptionsFlow):
    """Change the options; each step keeps what the other one has set."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the subject be chosen."""
        return self.async_show_menu(step_id="init", menu_options=["outside", "probers", "line"])

    async def async_step_outside(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the services; an empty one is not asked."""
        options, errors = read_outside(user_input or {})
        if user_input is not None and not errors:
            options[CONF_STUN_MINUTES] = int(user_input[CONF_STUN_MINUTES])
            return self._save(_OUTSIDE_SCHEMA, options)
        return self.async_show_form(
            step_id="outside",
            data_schema=self.add_suggested_values_to_schema(
                _OUTSIDE_SCHEMA, self.config_entry.options if user_input is None else user_input
            ),
            errors=errors,
        )

    async def async_step_probers(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for those who look at ports from outside; none is asked that is not named."""
        known = self.config_entry.options
        options, errors = read_probers(user_input or {}, known)
        if user_input is not None and not errors:
            return self._save(PROBERS_SCHEMA, options)
        return self.async_show_form(
            step_id="probers",
            data_schema=self.add_suggested_values_to_schema(
                PROBERS_SCHEMA, shown_probers(known) if user_input is None else user_input
            ),
            errors=errors,
        )

    async def async_step_line(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what the user knows better."""
        options, errors = _read_line(user_input or {})
        if user_input is not None and not errors:
            return self._save(_LINE_SCHEMA, options)
        known = {
            key: value if isinstance(value, bool) else str(value)
            for key, value in self.config_entry.options.items()
        }
        return self.async_show_form(
            step_id="line",
            data_schema=self.add_suggested_values_to_schema(
                _LINE_SCHEMA, known if user_input is None else user_input
            ),
            errors=errors,
        )

    def _save(self, schema: vol.Schema, options: Mapping[str, Any]) -> ConfigFlowResult:
        """Replace the options that a form asks for."""
        known = self.config_entry.options
        kept = {key: known[key] for key in known if key not in schema.schema}
        return self.async_create_entry(data={**kept, **options})


def _read_line(user_input: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the options that the form of the line stands for, and its errors by field."""
    texts = {key: text for key, text in user_input.items() if isinstance(text, str)}
    given = {key: text.strip() for key, text in texts.items() if text.strip()}
    options: dict[str, Any] = {
        key: given[key]
        for key in (CONF_LINE_MODE, CONF_IPV6_MODE)
        if given.get(key, _AUTOMATIC) != _AUTOMATIC
    }
    if user_input.get(CONF_BOTH_ROUTERS):
        options[CONF_BOTH_ROUTERS] = True
    errors: dict[str, str] = {}
    rule: dict[str, Any] = {key: given[key] for key in _RULE if key in given}
    if not rule:
        return options, errors
    for key in _RULE:
        if key not in rule:
            errors[key] = "rule_incomplete"
    for key, wrong in _RULE_NUMBERS.items():
        text = rule.get(key, "0")
        # int() would also take "1_0", "+4" and the digits of other scripts.
        if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
            rule[key] = int(text)
        else:
            errors[key] = wrong
    if not errors:
        try:
            MapERule.parse(*(rule[key] for key in _RULE))
        except InvalidRule as err:
            errors[_FIELD_OF[err.translation_key]] = err.translation_key
    return options | rule, errors
