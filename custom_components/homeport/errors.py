"""From what the rooms raise to what a person reads."""

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN
from .ddns import DdnsError
from .gateway import GatewayError
from .outside import OutsideError
from .ports import NotProbed


def translated(
    err: GatewayError | OutsideError | NotProbed | DdnsError,
) -> HomeAssistantError:
    """Return the exception that says it in the user's language."""
    placeholders: dict[str, str] = {}
    if isinstance(err, GatewayError):
        placeholders = err.placeholders
    elif isinstance(err, DdnsError):
        placeholders = {"reply": err.reply}
    kind = ServiceValidationError if isinstance(err, NotProbed) else HomeAssistantError
    return kind(
        translation_domain=DOMAIN,
        translation_key=err.translation_key,
        translation_placeholders=placeholders,
    )
