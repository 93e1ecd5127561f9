"""Who runs the line's IPv4-over-IPv6 service, by all signs together. Pure: no I/O, no clock."""

from collections.abc import Iterable
from ipaddress import IPv6Address

from .carriers import (
    CARRIERS,
    Carrier,
    by_aftr_name,
    by_ipv6,
    by_provisioning,
    by_reverse_name,
)
from .evidence import NamesEvidence
from .facts import Facts
from .report import Confidence, LineMode

_SELL_FIXED = frozenset(
    facts.carrier for facts in CARRIERS if LineMode.IPIP_FIXED.value in facts.modes
)


def carrier(facts: Facts) -> tuple[Carrier | None, Confidence]:
    """Return the carrier and how sure it is; the strongest sign decides."""
    if facts.match and facts.match.carrier:
        return facts.match.carrier, Confidence.CERTAIN
    block = next((found for ip in facts.ipv6 if (found := by_ipv6(ip))), None)
    name = facts.evidence.reverse_name if facts.echo else None
    if name and (named := by_reverse_name(name)):
        same = named[0] is block
        return named[0], Confidence.CERTAIN if same else Confidence.LIKELY
    if found := _by_names(facts.evidence.names):
        return found, Confidence.CERTAIN if found is block else Confidence.LIKELY
    if block:
        return block, Confidence.LIKELY
    if facts.evidence.home_gateway and facts.evidence.home_gateway.on:
        # The page that was asked is the one of this service's software.
        return Carrier.V6PLUS, Confidence.LIKELY
    if found := _by_names(facts.evidence.system_names):
        return found, Confidence.POSSIBLE
    return None, Confidence.UNKNOWN


def fixed_address_sold(addresses: Iterable[IPv6Address]) -> bool:
    """Say whether the carrier of an IPv6 address also gives IPv4 addresses that are not shared."""
    return any(by_ipv6(ip) in _SELL_FIXED for ip in addresses)


def _by_names(names: NamesEvidence | None) -> Carrier | None:
    if names is None:
        return None
    for aftr in sorted(names.aftr):
        if found := by_aftr_name(aftr):
            return found
    return by_provisioning(names.provisioning) if names.provisioning else None
