"""Putting pieces of evidence together, and taking out what is of the past. Pure."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from ..gateway import WanStatus
from ..host import HostState, Route
from ..line import (
    AddressKind,
    Confidence,
    Evidence,
    GatewayEvidence,
    LineMode,
    LineReport,
    Openable,
    Stability,
    address_kind,
    stability,
)

_LINK = 64
"""Bits of the prefix of a link (RFC 4291 section 2.5.4)."""
_LASTING = frozenset({Stability.STABLE, Stability.TEMPORARY})
_LIMITED = frozenset({LineMode.MAP_E, LineMode.A_PLUS_P})


def gateway_evidence(
    status: WanStatus, lan: IPv4Address | None, host: HostState | None, *, ppp: bool
) -> GatewayEvidence:
    """Return what the gateway at `lan` said, and whether it is this machine's way out."""
    return GatewayEvidence(
        connected=status.connected,
        address=status.address,
        lan=lan,
        default_router=_is_way_out(lan, host),
        ppp=ppp,
    )


def _is_way_out(lan: IPv4Address | None, host: HostState | None) -> bool | None:
    """Say whether this machine reaches the internet through the router at `lan`."""
    route = host.ipv4_route if host else None
    if lan is None or host is None or route is None or route.gateway is None:
        return None
    if route.gateway == lan:
        return True
    # One router may have several addresses.
    macs = {each.mac for each in host.neighbours if each.ip == lan}
    same = any(each.mac in macs for each in host.neighbours if each.ip == route.gateway)
    # What is not on the same link is behind the way out, perhaps that of a container.
    return True if same else (False if macs else None)


def unseen(evidence: Evidence, *, ipv4: bool = False, ipv6: bool = False) -> Evidence:
    """Return the evidence without what the outside said of addresses that are of the past."""
    if ipv4:
        evidence = replace(
            evidence, echo4=None, stun4=None, reverse_name=None, second_hop=None, proof=None
        )
    return replace(evidence, echo6=None, stun6=None) if ipv6 else evidence


def host_moved(before: HostState, after: HostState) -> bool:
    """Say whether this machine has other IPv6 prefixes, or another way out."""
    return _place(before) != _place(after)


def _place(host: HostState) -> tuple[object, ...]:
    links = {
        IPv6Network((address.ip, _LINK), strict=False)
        for address in host.addresses
        if isinstance(address.ip, IPv6Address)
        and address_kind(address.ip) in {AddressKind.GLOBAL, AddressKind.NGN_ONLY}
        and stability(address.flags) in _LASTING
    }
    return links, _way(host.ipv4_route), _way(host.ipv6_route)


def _way(route: Route | None) -> tuple[object, ...]:
    return (route.gateway, route.interface, route.tunnel) if route else ()


def held(report: LineReport, before: LineReport | None) -> LineReport:
    """Return a report of the middle of a survey without conclusions that may not last.

    Addresses are shown at once. A mode that is sure, too; else what was known `before` stays, if
    nothing speaks against it. Before the first survey is over there is nothing to stay.
    """
    if report.confidence.is_sure and before is not None:
        return report
    if before is None:
        return replace(
            report,
            mode=None,
            confidence=Confidence.UNKNOWN,
            ipv6_mode=None,
            ipv6_confidence=Confidence.UNKNOWN,
            ipv4_openable=Openable.UNKNOWN,
            ipv6_openable=Openable.UNKNOWN,
            port_set=None,
            reasons=(),
            remedies=(),
        )
    if before.mode in _LIMITED:
        # Which ports are this home's is open until the survey is over. That some are another's must
        # not be forgotten over a guess.
        return replace(
            report, mode=before.mode, confidence=Confidence.POSSIBLE, reasons=(), remedies=()
        )
    if report.mode not in {None, before.mode}:
        return report
    return replace(
        report,
        mode=before.mode,
        confidence=before.confidence,
        ipv4_openable=before.ipv4_openable,
        reasons=before.reasons,
        remedies=before.remedies,
    )
