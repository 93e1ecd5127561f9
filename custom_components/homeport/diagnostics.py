"""What may be shown to strangers who help: how things stand, not who or where."""

from typing import Any

from homeassistant.core import HomeAssistant

from .const import CONF_ECHO_URL, CONF_PROBER_URL, CONF_PROVIDER
from .coordinator import HomeportConfigEntry


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: HomeportConfigEntry
) -> dict[str, Any]:
    """Return only what is named here: whatever is added elsewhere stays out by itself."""
    data = entry.runtime_data
    line, gateway = data.line.data, data.line.gateway_info
    return {
        "gateway": gateway and {"manufacturer": gateway.manufacturer, "model": gateway.model},
        "gateway_answers": data.line.gateway_answers,
        "echo": CONF_ECHO_URL in entry.options,
        "prober": CONF_PROBER_URL in entry.options,
        "line": {
            "mode": line.mode,
            "confidence": line.confidence,
            "ipv4_openable": line.ipv4_openable,
            "internet": line.internet,
            "wan_kind": line.wan_kind,
            "wan_is_public": line.public_ipv4 is not None and line.public_ipv4 == line.wan_ipv4,
        },
        "ports": [
            {
                "protocol": port.protocol,
                "wanted": port.data.wanted,
                "mapping": port.data.mapping,
                "reachability": port.data.reachability,
            }
            for port in data.ports.values()
        ],
        "hostnames": [
            {
                "provider": hostname.subentry.data[CONF_PROVIDER],
                "status": hostname.data.status,
                "failures": hostname.data.failures,
            }
            for hostname in data.hostnames.values()
        ],
    }
