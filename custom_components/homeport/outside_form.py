"""The form of the outside services, which setting up and the options have in common."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .const import (
    CONF_ECHO_URLS,
    CONF_LOOK_BEHIND,
    CONF_LOOK_UP_NAMES,
    CONF_PROBER_URL,
    CONF_STUN_SERVERS,
    DEFAULT_ECHO_URLS,
    DEFAULT_PROBER_URL,
    DEFAULT_STUN_SERVERS,
)
from .options import MOST_SERVICES, is_service, is_stun_server

_URL = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
_URLS = TextSelector(TextSelectorConfig(type=TextSelectorType.URL, multiple=True))
_TEXTS = TextSelector(TextSelectorConfig(multiple=True))
_LISTS: Final = (CONF_ECHO_URLS, CONF_STUN_SERVERS)
_TICKS: Final = (CONF_LOOK_UP_NAMES, CONF_LOOK_BEHIND)
OUTSIDE_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_ECHO_URLS): _URLS,
        vol.Optional(CONF_STUN_SERVERS): _TEXTS,
        vol.Optional(CONF_PROBER_URL): _URL,
        vol.Optional(CONF_LOOK_UP_NAMES): BooleanSelector(),
        vol.Optional(CONF_LOOK_BEHIND): BooleanSelector(),
    }
)
OUTSIDE_DEFAULTS: Final = {
    CONF_ECHO_URLS: list(DEFAULT_ECHO_URLS),
    CONF_STUN_SERVERS: list(DEFAULT_STUN_SERVERS),
    CONF_PROBER_URL: DEFAULT_PROBER_URL,
    CONF_LOOK_UP_NAMES: True,
    CONF_LOOK_BEHIND: True,
}
"""What is proposed; nothing of it counts before it was confirmed."""


def read_outside(user_input: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the options that a form of the outside services stands for, and its errors by field.

    What is empty or not ticked is left out.
    """
    options: dict[str, Any] = {key: texts for key in _LISTS if (texts := _texts(user_input, key))}
    if prober := user_input.get(CONF_PROBER_URL, "").strip():
        options[CONF_PROBER_URL] = prober
    options |= {key: True for key in _TICKS if user_input.get(key)}
    return options, _wrong(options)


def _wrong(options: Mapping[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    if CONF_PROBER_URL in options and not is_service(options[CONF_PROBER_URL]):
        errors[CONF_PROBER_URL] = "invalid_url"
    if not all(map(is_service, options.get(CONF_ECHO_URLS, ()))):
        errors[CONF_ECHO_URLS] = "invalid_url"
    if not all(map(is_stun_server, options.get(CONF_STUN_SERVERS, ()))):
        errors[CONF_STUN_SERVERS] = "invalid_stun_server"
    for key in _LISTS:
        if len(options.get(key, ())) > MOST_SERVICES:
            errors[key] = "too_many"
    return errors


def _texts(user_input: Mapping[str, Any], key: str) -> list[str]:
    """Return the entries of a list once each, without the empty ones."""
    return list(dict.fromkeys(text.strip() for text in user_input.get(key, ()) if text.strip()))
