"""Lines whose IPv4 ends in somebody else's NAT, and lines without a gateway to ask."""

from .address import AddressKind, address_kind
from .carriers import ReverseKind
from .facts import Facts
from .portset import Outcome
from .report import Confidence, LineMode, Openable, Reason, Remedy
from .verdict import Verdict, certain, likely, possible

_ASK = (Remedy.ASK_PROVIDER_ADDRESS, Remedy.TRY_FROM_OUTSIDE)
_LOOK_BEHIND = (Remedy.LOOK_AT_SECOND_ROUTER, Remedy.ASK_PROVIDER_ADDRESS)
_NO_GATEWAY = (Remedy.SWITCH_UPNP_ON,)


def no_own_ipv4(facts: Facts) -> Verdict | None:
    """Judge a WAN side without IPv4, or with the address of an IPv4-as-a-service client."""
    if facts.gateway is None:
        return None
    if facts.wan_kind is AddressKind.SERVICE_CONTINUITY:
        return _service_continuity(facts)
    return _empty(facts) if facts.wan_kind is AddressKind.NONE else None


def _service_continuity(facts: Facts) -> Verdict:
    """Tell a B4 of DS-Lite (RFC 6333) from a CLAT (RFC 6877): both have addresses of RFC 7335."""
    reason, names = Reason.WAN_SERVICE_CONTINUITY, facts.evidence.names
    if names and names.nat64:
        return likely(LineMode.NAT64, reason, Reason.NAT64_PREFIX)
    if facts.name_kind is ReverseKind.SHARED_POOL:
        return certain(LineMode.DS_LITE, reason, Reason.AFTR_REVERSE_NAME)
    if names and names.aftr:
        return certain(LineMode.DS_LITE, reason, Reason.AFTR_NAME_RESOLVES)
    if names:
        return likely(LineMode.DS_LITE, reason)
    # Which of the two it is may be open; that nothing can be opened is not.
    remedies = (Remedy.ALLOW_NAMES,)
    return Verdict(LineMode.DS_LITE, Confidence.POSSIBLE, Openable.NONE, (reason,), remedies)


def _empty(facts: Facts) -> Verdict | None:
    """Judge a gateway that names no address: many do so for every reserved one."""
    own = Reason.WAN_IS_OWN_LAN_ADDRESS
    reason = own if own in facts.notes else Reason.WAN_EMPTY
    names, second = facts.evidence.names, facts.evidence.second_hop
    if facts.name_kind is ReverseKind.SHARED_POOL:
        return likely(LineMode.DS_LITE, reason, Reason.AFTR_REVERSE_NAME)
    if names and names.nat64:
        return possible(LineMode.NAT64, reason, Reason.NAT64_PREFIX, remedies=_ASK)
    if second and second.router:
        reasons = reason, Reason.SECOND_ROUTER_ANSWERS
        return possible(LineMode.DOUBLE_NAT, *reasons, remedies=_LOOK_BEHIND)
    if passes_shared(facts):
        return possible(LineMode.CGNAT, reason, Reason.HOP_SHARED, remedies=_ASK)
    # DS-Lite needs IPv6.
    if facts.echo and facts.ipv6_answers:
        return possible(LineMode.DS_LITE, reason, remedies=_ASK)
    return None


def pool_name(facts: Facts) -> Verdict | None:
    """Judge a line that the outside sees at an address whose name is that of a DS-Lite pool."""
    if facts.name_kind is ReverseKind.SHARED_POOL and facts.wan_kind is AddressKind.PRIVATE:
        return likely(LineMode.DS_LITE, Reason.AFTR_REVERSE_NAME, Reason.WAN_PRIVATE)
    return None


def shared(facts: Facts) -> Verdict | None:
    """Judge a WAN address that providers use behind their NAT (RFC 6598)."""
    if facts.wan_kind is not AddressKind.SHARED:
        return None
    if seen_working(facts):
        return possible(LineMode.CGNAT, Reason.SEEN_WORKING, Reason.WAN_SHARED)
    if facts.echo:
        return certain(LineMode.CGNAT, Reason.WAN_SHARED, Reason.WAN_DIFFERS)
    return likely(LineMode.CGNAT, Reason.WAN_SHARED)


def behind_private(facts: Facts) -> Verdict | None:
    """Judge a line with another router before ours; what lies behind that is seldom sure.

    Never that nothing can be opened: providers map public addresses one to one.
    """
    if facts.wan_kind is not AddressKind.PRIVATE:
        return None
    second, working = facts.evidence.second_hop, seen_working(facts)
    if second is None or second.router is None:
        silent = (Reason.SECOND_ROUTER_SILENT,) if second else ()
        reasons = (*working, Reason.WAN_PRIVATE, *silent)
        return possible(LineMode.PRIVATE_WAN, *reasons, remedies=_LOOK_BEHIND)
    reasons = (*working, Reason.WAN_PRIVATE, Reason.SECOND_ROUTER_ANSWERS)
    if address_kind(second.address) is AddressKind.SHARED and not working:
        return likely(LineMode.CGNAT, *reasons, Reason.WAN_SHARED)
    if second.address is None or second.address != facts.echo:
        return possible(LineMode.DOUBLE_NAT, *reasons, remedies=_LOOK_BEHIND)
    after = Openable.AFTER_SECOND_ROUTER
    match facts.ports.outcome:
        case Outcome.ONE_SET:
            ports = facts.ports.port_set
            reasons = (*reasons, Reason.PORTS_IN_ONE_SET)
            return likely(LineMode.A_PLUS_P, *reasons, openable=after, port_set=ports)
        case Outcome.SPREAD:
            return likely(LineMode.DOUBLE_NAT, *reasons, Reason.PORTS_SPREAD, openable=after)
    reasons = (*reasons, Reason.PORTS_NOT_TESTED)
    return possible(LineMode.DOUBLE_NAT, *reasons, remedies=_LOOK_BEHIND)


def without_gateway(facts: Facts) -> Verdict | None:
    """Guess from what the outside and the line's name servers say."""
    evidence = facts.evidence
    if facts.gateway or evidence.gateway_pending:
        return None
    if facts.name_kind is ReverseKind.SHARED_POOL:
        return possible(LineMode.DS_LITE, Reason.AFTR_REVERSE_NAME, remedies=_NO_GATEWAY)
    if evidence.names and evidence.names.nat64 and facts.ipv6_answers:
        return possible(LineMode.NAT64, Reason.NAT64_PREFIX, remedies=_NO_GATEWAY)
    if facts.echo and facts.ports.outcome is Outcome.ONE_SET:
        return possible(LineMode.A_PLUS_P, Reason.PORTS_IN_ONE_SET, remedies=_NO_GATEWAY)
    if passes_shared(facts):
        return possible(LineMode.CGNAT, Reason.HOP_SHARED, remedies=_NO_GATEWAY)
    return None


def passes_shared(facts: Facts) -> bool:
    """Say whether a router soon after ours has an address for use behind a provider's NAT."""
    second = facts.evidence.second_hop
    return second is not None and any(
        address_kind(hop) is AddressKind.SHARED for hop in second.hops
    )


def seen_working(facts: Facts) -> tuple[Reason, ...]:
    """Say that a port works although the WAN address is not public."""
    proof = facts.evidence.proof
    return (Reason.SEEN_WORKING,) if proof and proof.address == facts.echo else ()
