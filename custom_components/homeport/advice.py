"""What to do about a port that cannot be reached, in words."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations

from .allowed_ports import in_words, nearest_free, own_port_set, taken_ports
from .const import DOMAIN
from .coordinator import Check, PortCoordinator
from .port_form import client_in_words

_ISSUES: Final = f"component.{DOMAIN}.issues.blocked_"
_CANDIDATES: Final = (
    f"component.{DOMAIN}.entity.sensor.blocked_by.state_attributes.candidates.state."
)
_REASONS: Final = f"component.{DOMAIN}.exceptions."
_LONGEST_SHOWN: Final = 64
_PLAIN: Final = str.maketrans("[]<>`", "()()'")
"""For names that devices choose themselves (DHCP): an issue's text is Markdown, as with `shown`."""


@callback
def advice(hass: HomeAssistant, port: PortCoordinator, found: Check) -> str | None:
    """Return what to do, in Home Assistant's language; None where there is nothing to do."""
    step = found.diagnosis.next_step
    if step is None:
        return None
    text = _text(hass, "issues", f"{_ISSUES}{step.value}.description")
    return text.format_map(placeholders(hass, port, found))


@callback
def placeholders(hass: HomeAssistant, port: PortCoordinator, found: Check) -> dict[str, str]:
    """Return what the texts have to name."""
    facts, line = found.facts, port.line.data
    port_set = own_port_set(line)
    taken = taken_ports(port.config_entry, port.protocol)
    nearest = nearest_free(port_set, port.external_port, taken) if port_set else None
    words = {
        "name": port.subentry.title,
        "protocol": port.protocol.value,
        "port": str(port.external_port),
        "internal_port": str(facts.internal_port),
        "client": client_in_words(hass, port.target.name).translate(_PLAIN),
        "holder": shown(facts.holder or ""),
        "ranges": in_words(port_set) if port_set else "-",
        "nearest": str(nearest or "-"),
        "hostname": facts.own_url.host if facts.own_url else "-",
        "reason": _reason(hass, found),
    }
    candidates = (
        _text(hass, "entity", f"{_CANDIDATES}{each.value}") for each in found.diagnosis.candidates
    )
    return words | {"candidates": "; ".join(candidates)}


def shown(text: str) -> str:
    """Return what a router says so that it stays within the backticks of an issue's text.

    That is Markdown: a hostile device could put a link of its own there.
    """
    return " ".join(text.replace("`", "'").split())[:_LONGEST_SHOWN] or "-"


def _reason(hass: HomeAssistant, found: Check) -> str:
    """Return in words why the router refuses, or why nobody outside has answered."""
    facts = found.facts
    key = facts.refusal or facts.outside_failed
    text = _text(hass, "exceptions", f"{_REASONS}{key}.message") if key else ""
    return text.format_map(facts.refusal_names) if facts.refusal else text


def _text(hass: HomeAssistant, category: str, key: str) -> str:
    texts = async_get_cached_translations(hass, hass.config.language, category, DOMAIN)
    return texts.get(key, "")
