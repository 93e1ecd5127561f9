"""Lines that let nothing through, or nothing over IPv4."""

from .address import AddressKind
from .facts import Facts
from .report import LineMode, Reason
from .verdict import Verdict, certain, likely, possible


def offline(facts: Facts) -> Verdict | None:
    """Judge a line on which nothing outside answers over IPv4."""
    host = facts.evidence.host
    if facts.ipv4_answers:
        return None
    looked = host is not None and host.complete
    no_ipv4_route = looked and host is not None and host.ipv4_route is None
    no_ipv6_route = looked and host is not None and host.ipv6_route is None
    if no_ipv4_route and no_ipv6_route:
        return certain(LineMode.OFFLINE, Reason.NO_ROUTE)
    if facts.ipv6_answers:
        if no_ipv4_route:
            return _ipv6_alone(facts, Reason.NO_ROUTE)
        # A single service that is silent says little against a gateway with a public address.
        enough = facts.asked_in_vain > 1 or facts.wan_kind is not AddressKind.GLOBAL
        asked = facts.asked_in_vain and enough
        return _ipv6_alone(facts, Reason.NOTHING_ANSWERS) if asked else None
    # IPv6 may still work where it was not asked.
    return _silent(facts, ipv6_too=facts.ipv6_answers is False or no_ipv6_route)


def _silent(facts: Facts, *, ipv6_too: bool) -> Verdict | None:
    gateway = facts.gateway
    if gateway is not None and gateway.connected is False:
        if facts.asked_in_vain:
            return likely(LineMode.OFFLINE, Reason.ROUTER_DISCONNECTED, Reason.NOTHING_ANSWERS)
        return possible(LineMode.OFFLINE, Reason.ROUTER_DISCONNECTED)
    if facts.asked_in_vain > 1 and ipv6_too:
        return likely(LineMode.OFFLINE, Reason.NOTHING_ANSWERS)
    # A single outside service that does not answer may be down itself.
    alone = gateway is None and not facts.evidence.gateway_pending
    if facts.asked_in_vain > 1 or (facts.asked_in_vain and alone):
        return possible(LineMode.OFFLINE, Reason.NOTHING_ANSWERS)
    return None


def _ipv6_alone(facts: Facts, reason: Reason) -> Verdict:
    names = facts.evidence.names
    if names and names.nat64:
        return likely(LineMode.NAT64, Reason.NAT64_PREFIX, reason)
    if names is None or facts.asked_in_vain == 1 or facts.wan_kind is AddressKind.GLOBAL:
        return possible(LineMode.NONE, reason)
    return likely(LineMode.NONE, reason)
