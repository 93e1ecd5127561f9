"""The form of the services that look at ports from outside."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .const import (
    CONF_GLOBALPING_TOKEN,
    CONF_HOSTED_PROBERS,
    CONF_OWN_PROBER_NAME,
    CONF_OWN_PROBER_TOKEN,
    CONF_OWN_PROBER_URL,
    CONF_UDP_SERVER,
    HostedProber,
)
from .options import is_stun_server, is_token
from .outside.own_prober import is_prober_url

_PASSWORD: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_URL: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
_SECRETS: Final = (CONF_OWN_PROBER_TOKEN, CONF_GLOBALPING_TOKEN)
_TEXTS: Final = (CONF_OWN_PROBER_URL, CONF_OWN_PROBER_NAME, CONF_UDP_SERVER)
PROBERS_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(CONF_OWN_PROBER_URL): _URL,
        vol.Optional(CONF_OWN_PROBER_TOKEN): _PASSWORD,
        vol.Optional(CONF_OWN_PROBER_NAME): TextSelector(),
        vol.Optional(CONF_UDP_SERVER): TextSelector(),
        vol.Optional(CONF_HOSTED_PROBERS): SelectSelector(
            SelectSelectorConfig(
                options=[prober.value for prober in HostedProber],
                multiple=True,
                translation_key=CONF_HOSTED_PROBERS,
            )
        ),
        vol.Optional(CONF_GLOBALPING_TOKEN): _PASSWORD,
    }
)


def shown_probers(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form begins with: everything but the secrets."""
    return {key: value for key, value in options.items() if key not in _SECRETS}


def read_probers(
    user_input: Mapping[str, Any], known: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the options that the form stands for, and its errors by field.

    A secret that is left empty stays what it was in the options `known`, for as long as it is for
    the same place.
    """
    texts = {key: str(user_input.get(key, "")).strip() for key in (*_TEXTS, *_SECRETS)}
    options: dict[str, Any] = {key: text for key, text in texts.items() if text}
    if hosted := [
        each.value for each in HostedProber if each in user_input.get(CONF_HOSTED_PROBERS, ())
    ]:
        options[CONF_HOSTED_PROBERS] = hosted
    url = options.get(CONF_OWN_PROBER_URL)
    same_place = url is not None and url == known.get(CONF_OWN_PROBER_URL)
    kept = {
        CONF_OWN_PROBER_TOKEN: same_place,
        CONF_GLOBALPING_TOKEN: HostedProber.GLOBALPING in hosted,
    }
    for key, keep in kept.items():
        if keep and key in known:
            options.setdefault(key, known[key])
    return options, _wrong(options)


def _wrong(options: Mapping[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    own = CONF_OWN_PROBER_URL in options
    if own and not is_prober_url(options[CONF_OWN_PROBER_URL]):
        errors[CONF_OWN_PROBER_URL] = "invalid_https_url"
    if own and CONF_OWN_PROBER_TOKEN not in options:
        errors[CONF_OWN_PROBER_TOKEN] = "token_missing"
    for key in CONF_OWN_PROBER_TOKEN, CONF_OWN_PROBER_NAME:
        if key in options and not own:
            errors[CONF_OWN_PROBER_URL] = "url_missing"
    for key in _SECRETS:
        if key in options and not is_token(options[key]):
            errors[key] = "invalid_token"
    if CONF_UDP_SERVER in options and not is_stun_server(options[CONF_UDP_SERVER]):
        errors[CONF_UDP_SERVER] = "invalid_stun_server"
    return errors
