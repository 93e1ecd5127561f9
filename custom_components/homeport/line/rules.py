"""The MAP-E rules of Japanese services, from this integration's data file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
import json
from pathlib import Path
from typing import Any

from .carriers import Carrier
from .prefixes import PrefixTable
from .rule import MapERule, RuleConfidence

_FILE = Path(__file__).parent / "data" / "mape_rules.json"


@dataclass(frozen=True, slots=True)
class RuleTable:
    """All known rules; `version` counts the changes of the data file, `date` is of the last one."""

    date: date
    version: int
    rules: tuple[MapERule, ...]
    by_ipv6: PrefixTable[IPv6Network, MapERule]
    by_ipv4: PrefixTable[IPv4Network, MapERule]


@cache
def load() -> RuleTable:
    """Return the table, which is read once.

    The first call reads a file: make it in an executor, before anything in the event loop looks for
    a rule.
    """
    data = json.loads(_FILE.read_text(encoding="utf-8"))
    rules = tuple(rule for service in data["services"] for rule in _rules(service))
    return RuleTable(
        date.fromisoformat(data["date"]),
        data["version"],
        rules,
        PrefixTable((rule.ipv6, rule) for rule in rules),
        PrefixTable((rule.ipv4, rule) for rule in rules),
    )


def find_rule(ipv6: IPv6Address) -> MapERule | None:
    """Return the rule with the longest prefix that holds an address.

    It need not be the address of the router: any one in the home's prefix gives the same rule.
    """
    return load().by_ipv6.find(ipv6)


def find_rule_by_ipv4(ipv4: IPv4Address) -> MapERule | None:
    """Return the rule that a public address is from. No two of the table overlap there."""
    return load().by_ipv4.find(ipv4)


def _rules(service: dict[str, Any]) -> Iterator[MapERule]:
    """Yield the rules of a service, which have all but the prefixes in common."""
    carrier = Carrier(service["carrier"])
    for name, rows in service["rules"].items():
        confidence = RuleConfidence(name)
        for ipv6, ipv4 in rows:
            network = IPv6Network(ipv6)
            ea_length = service["end_user_prefix"] - network.prefixlen
            yield MapERule(
                network, IPv4Network(ipv4), ea_length, service["offset"], carrier, confidence
            )
