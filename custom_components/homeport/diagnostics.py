"""What may be shown to strangers who help: how things stand, not who or where."""

from collections.abc import Iterable
from typing import Any

from homeassistant.core import HomeAssistant

from .const import CONF_PROVIDER
from .coordinator import HomeportConfigEntry, TableRow
from .evidence_shown import shown_evidence
from .line import LineReport, load_rules
from .line.mape import RuleTable
from .options import LineOptions


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: HomeportConfigEntry
) -> dict[str, Any]:
    """Return only what is named here: whatever is added elsewhere stays out by itself."""
    data = entry.runtime_data
    gateway = data.line.gateway_info
    rules = await hass.async_add_executor_job(load_rules)
    return {
        "gateway": gateway and {"manufacturer": gateway.manufacturer, "model": gateway.model},
        "gateway_answers": data.line.gateway_answers,
        "options": _options(data.line.options),
        "evidence": shown_evidence(data.line.evidence),
        "line": _line(data.line.data),
        "rules": _rules(rules),
        "table": data.table and _table(data.table.data),
        "ports": [
            {
                "protocol": port.protocol,
                "by_hand": port.by_hand,
                "wanted": port.data.wanted,
                "closes_by_timer": port.closes_at is not None,
                "allowed": port.port_allowed,
                "mapping": port.data.mapping,
                "families": sorted(port.families),
                "pinhole": port.data.pinhole.state if port.pinhole.asked else None,
                "pinhole_reason": port.data.pinhole.reason,
                "checks": [
                    {
                        "family": family,
                        "reachability": found.diagnosis.reachability,
                        "blocked_by": found.diagnosis.blocked_by,
                        "steps": {
                            each.step.value: each.state.value for each in found.diagnosis.steps
                        },
                    }
                    for family, found in port.data.checks.items()
                ],
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


def _options(options: LineOptions) -> dict[str, Any]:
    return {
        "echoes": len(options.echo_urls),
        "stun_servers": len(options.stun_servers),
        "stun_minutes": options.stun_minutes,
        "prober": options.prober_url is not None,
        "hosted_probers": list(options.hosted_probers),
        "own_prober": options.own_prober is not None,
        "udp_server": options.udp_server is not None,
        "look_up_names": options.look_up_names,
        "look_behind": options.look_behind,
        "both_routers": options.both_routers,
        "line_mode": options.line_mode,
        "ipv6_mode": options.ipv6_mode,
        "own_rule": options.rule is not None,
    }


def _line(line: LineReport) -> dict[str, Any]:
    return {
        "mode": line.mode,
        "confidence": line.confidence,
        "ipv6_mode": line.ipv6_mode,
        "ipv6_confidence": line.ipv6_confidence,
        "overridden": line.overridden,
        "ipv4_openable": line.ipv4_openable,
        "ipv6_openable": line.ipv6_openable,
        "port_set": line.port_set is not None,
        "carrier": line.carrier,
        "carrier_confidence": line.carrier_confidence,
        "internet": line.internet,
        "second_nat": line.second_nat,
        "wan_kind": line.wan_kind,
        "wan_is_public": line.public_ipv4 is not None and line.public_ipv4 == line.wan_ipv4,
        "reasons": list(line.reasons),
        "remedies": list(line.remedies),
    }


def _table(table: Iterable[TableRow] | None) -> dict[str, int] | None:
    if table is None:
        return None
    ours = [row.ours for row in table]
    return {"mappings": len(ours), "ours": sum(ours)}


def _rules(table: RuleTable) -> dict[str, Any]:
    return {"date": table.date.isoformat(), "version": table.version, "number": len(table.rules)}
