"""From evidence to the line. Pure: no I/O, no clock."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from ..host import AddressFlag
from .address import AddressKind, address_kind, is_squatted
from .carrier_signs import carrier
from .evidence import Evidence
from .facts import Facts, gather
from .ipv4_mode import decide
from .ipv6_mode import decide_ipv6
from .portset import PortSet
from .report import Confidence, LineMode, LineReport, Openable, Reason, Remedy
from .verdict import CLOSED, Verdict

_SUBNET = 64
"""Bits of the prefix of a link (RFC 4291 section 2.5.4)."""
_NO_ADDRESS = CLOSED | {LineMode.OFFLINE}
"""Where no address leads to this home and no other."""
_SHARED_KINDS = frozenset({AddressKind.SHARED, AddressKind.SERVICE_CONTINUITY})
_OPENABLE_BY_WORD = {
    LineMode.PPPOE: Openable.ALL,
    LineMode.PUBLIC: Openable.ALL,
    LineMode.IPIP_FIXED: Openable.ALL,
    LineMode.DOUBLE_NAT: Openable.AFTER_SECOND_ROUTER,
}
_REMEDY_OF = {
    Reason.VPN_ON_HOST: Remedy.TURN_VPN_OFF,
    Reason.CONTAINER_BRIDGE: Remedy.USE_HOST_NETWORK,
    Reason.GATEWAY_NOT_DEFAULT_ROUTER: Remedy.CHOOSE_DEFAULT_ROUTER,
    Reason.COMPUTED_DIFFERS: Remedy.ASK_PROVIDER_MAPE,
    Reason.PORTS_OUTSIDE_COMPUTED_SET: Remedy.ASK_PROVIDER_MAPE,
}


def classify(evidence: Evidence) -> LineReport:
    """Return what follows from the evidence; what does not follow stays unknown."""
    facts = gather(evidence)
    verdict = decide(facts) or Verdict(None, Confidence.UNKNOWN)
    ipv6_mode, ipv6_confidence, ipv6_openable, ipv6_reasons = decide_ipv6(facts)
    run_by, run_by_confidence = carrier(facts)
    public_ipv6 = _public_ipv6(facts)
    reasons = (*facts.notes, *verdict.reasons, *ipv6_reasons, *_missing(facts))
    report = LineReport(
        mode=verdict.mode,
        confidence=verdict.confidence,
        ipv6_mode=ipv6_mode,
        ipv6_confidence=ipv6_confidence,
        ipv4_openable=verdict.openable,
        ipv6_openable=ipv6_openable,
        port_set=verdict.port_set,
        carrier=run_by,
        carrier_confidence=run_by_confidence,
        internet=_internet(facts),
        second_nat=_second_nat(facts, verdict.mode),
        wan_ipv4=facts.wan,
        wan_kind=facts.wan_kind if facts.gateway else None,
        public_ipv4=facts.echo or facts.stun,
        public_ipv6=public_ipv6,
        ipv6_prefix=IPv6Network((public_ipv6, _SUBNET), strict=False) if public_ipv6 else None,
        reasons=tuple(dict.fromkeys(reasons)),
        remedies=_remedies(reasons, verdict),
    )
    report = _overridden(report, facts)
    return replace(report, confirmed_ipv4=_confirmed(report, facts))


def _overridden(report: LineReport, facts: Facts) -> LineReport:
    """Let the user's word stand in the place of what follows."""
    evidence = facts.evidence
    if evidence.ipv6_override:
        report = replace(
            report,
            overridden=True,
            ipv6_mode=evidence.ipv6_override,
            ipv6_confidence=Confidence.LIKELY,
            reasons=(Reason.OVERRIDDEN, *report.reasons),
        )
    mode = evidence.override
    if mode is None:
        return report
    port_set, openable = report.port_set, _OPENABLE_BY_WORD.get(mode, Openable.UNKNOWN)
    if mode in CLOSED:
        openable = Openable.NONE
    elif mode is LineMode.MAP_E and (port_set := port_set or _computed_set(facts)):
        openable = Openable.PORT_SET
    elif mode is report.mode:
        openable = report.ipv4_openable
    return replace(
        report,
        overridden=True,
        mode=mode,
        confidence=Confidence.LIKELY,
        ipv4_openable=openable,
        port_set=port_set if mode in {LineMode.MAP_E, LineMode.A_PLUS_P} else None,
        reasons=tuple(dict.fromkeys((Reason.OVERRIDDEN, *report.reasons))),
        remedies=(),
    )


def _computed_set(facts: Facts) -> PortSet | None:
    """Return the port set that MAP-E makes of the IPv6 addresses, if there is only one."""
    return facts.computed[0].port_set if len(facts.computed) == 1 else None


def _missing(facts: Facts) -> tuple[Reason, ...]:
    """Name the pieces of evidence whose absence leaves something open."""
    host, reasons = facts.evidence.host, list[Reason]()
    if facts.evidence.gateway is None and not facts.evidence.gateway_pending:
        reasons.append(Reason.NO_GATEWAY)
    if facts.bridge:
        reasons.append(Reason.CONTAINER_BRIDGE)
    if host and not host.complete:
        reasons.append(Reason.NO_NETLINK)
    names, system = facts.evidence.names, facts.evidence.system_names
    if system and system.nat64 and not (names and names.nat64):
        reasons.append(Reason.PUBLIC_NAT64_RESOLVER)
    return tuple(reasons)


def _remedies(reasons: tuple[Reason, ...], verdict: Verdict) -> tuple[Remedy, ...]:
    """Return what would settle the doubts; nothing where there is none."""
    found = [_REMEDY_OF[reason] for reason in reasons if reason in _REMEDY_OF]
    if not verdict.confidence.is_sure and Reason.NO_GATEWAY in reasons:
        found.append(Remedy.SWITCH_UPNP_ON)
    return tuple(dict.fromkeys((*found, *verdict.remedies)))


def _internet(facts: Facts) -> bool | None:
    if facts.ipv4_answers or facts.ipv6_answers:
        return True
    if Reason.NO_ROUTE in facts.notes:
        return False
    connected = facts.gateway.connected if facts.gateway else None
    if facts.asked_in_vain == 0:
        return False if connected is False else None
    # Where the gateway says connected and one service is silent, one of them is wrong.
    return None if connected and facts.asked_in_vain == 1 else False


def _second_nat(facts: Facts, mode: LineMode | None) -> bool | None:
    """Say whether packets to our gateway's address pass another NAT."""
    if facts.wan_kind in {AddressKind.PRIVATE, AddressKind.SHARED}:
        return True
    if facts.wan_kind is AddressKind.GLOBAL and facts.wan == facts.echo:
        return False
    return True if mode in {LineMode.DOUBLE_NAT, LineMode.PRIVATE_WAN, LineMode.CGNAT} else None


def _public_ipv6(facts: Facts) -> IPv6Address | None:
    """Return the lasting address in the link that the outside sees, else what it sees.

    None for a prefix that is being given up: there the kernel deprecates the lasting address first,
    and the temporary one (RFC 8981) that is left for a moment is nobody's to be told.
    """
    echo6, stun6 = facts.evidence.echo6, facts.evidence.stun6
    seen = (echo6 and echo6.address) or (stun6 and stun6.address) or None
    host = facts.evidence.host
    if seen is None or (host and host.ipv6_route and host.ipv6_route.tunnel):
        return None
    link = IPv6Network((seen, _SUBNET), strict=False)
    there = [each for each in host.addresses if each.ip in link] if host else []
    lasting = [each for each in there if AddressFlag.TEMPORARY not in each.flags]
    if lasting and all(AddressFlag.DEPRECATED in each.flags for each in lasting):
        return None
    return next((ip for ip in facts.ipv6 if ip in link), seen)


def _confirmed(report: LineReport, facts: Facts) -> IPv4Address | None:
    """Return the address that the router, or an answer over HTTPS, confirms to be this home's."""
    evidence, wan = facts.evidence, facts.wan
    silent = evidence.silent_gateway
    if evidence.gateway_pending or report.mode in _NO_ADDRESS:
        return None
    if silent and address_kind(silent.address) in _SHARED_KINDS:
        return None
    if report.mode is LineMode.TWO_EXITS:
        proof = evidence.proof
        ours = facts.wan_kind is AddressKind.GLOBAL and proof and proof.address == wan
        return wan if ours else None
    if wan and facts.wan_kind is AddressKind.GLOBAL:
        return wan if _is_trusted(facts, wan) else None
    echo4 = evidence.echo4
    public = facts.echo if echo4 and echo4.secure and echo4.agreed else None
    return public if address_kind(public) is AddressKind.GLOBAL else None


def _is_trusted(facts: Facts, wan: IPv4Address) -> bool:
    """Say whether a global WAN address is what leads to this home."""
    evidence = facts.evidence
    seen = facts.echo or facts.stun
    if seen:
        return seen == wan
    contradicted = [
        each.address for each in (evidence.echo4, evidence.stun4) if each and each.address
    ]
    if facts.vpn or not contradicted:
        if Reason.ECHOES_DISAGREE in facts.notes:
            return False
        # Nobody outside tells. A provider's NAT may well use what looks like a public address.
        return evidence.gateway_trusted or not (evidence.echo_pending or is_squatted(wan))
    return wan in contradicted
