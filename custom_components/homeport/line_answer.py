"""What the action that looks at the line answers with."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.json import JsonObjectType

from .allowed_ports import range_texts
from .const import DOMAIN
from .line import LineReport

_LINE_MODE = f"component.{DOMAIN}.entity.sensor.line_mode.state_attributes"


async def line_answer(hass: HomeAssistant, line: LineReport) -> JsonObjectType:
    """Return a report as data, with its reasons and remedies in the words of the user's language.

    Addresses and port ranges are texts; what is not known is None.
    """
    texts = await async_get_translations(hass, hass.config.language, "entity", [DOMAIN])

    def worded(attribute: str, keys: tuple[str, ...]) -> list[JsonObjectType]:
        at = f"{_LINE_MODE}.{attribute}.state"
        return [{"key": str(key), "text": texts.get(f"{at}.{key}", str(key))} for key in keys]

    return {
        "mode": _text(line.mode),
        "confidence": line.confidence.value,
        "ipv6_mode": _text(line.ipv6_mode),
        "ipv6_confidence": line.ipv6_confidence.value,
        "overridden": line.overridden,
        "carrier": _text(line.carrier),
        "carrier_confidence": line.carrier_confidence.value,
        "ipv4_openable": line.ipv4_openable.value,
        "ipv6_openable": line.ipv6_openable.value,
        "ports": [*range_texts(line.port_set)] if line.port_set else None,
        "second_nat": line.second_nat,
        "wan_ipv4": _text(line.wan_ipv4),
        "public_ipv4": _text(line.public_ipv4),
        "public_ipv6": _text(line.public_ipv6),
        "reasons": [*worded("reasons", line.reasons)],
        "remedies": [*worded("remedies", line.remedies)],
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
