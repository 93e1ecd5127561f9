"""Lines whose gateway has an address that looks public."""

from .address import AddressKind, is_squatted
from .carrier_signs import fixed_address_sold
from .carriers import ReverseKind
from .facts import Facts
from .portset import Outcome
from .report import Confidence, LineMode, Openable, Reason, Remedy
from .verdict import Verdict, certain, likely, possible

_PPPOE_MTU = frozenset({1454, 1492, 1438})
"""FLET'S, RFC 2516 section 7, FLET'S Hikari Premium."""
_TUNNEL_MTU = frozenset({1460, 1452, 1280})
"""IPv4 in IPv6 (RFC 2473) over 1500 and over 1492 bytes, and the least of IPv6 (RFC 8200)."""
_WHOLE_MTU = 1500
"""Ethernet, and PPPoE that hides itself (RFC 4638)."""
# No prober can be asked: it would see the other address.
_PROVE = (Remedy.TRY_FROM_OUTSIDE, Remedy.ASK_PROVIDER_ADDRESS)


def wan_matches(facts: Facts) -> Verdict | None:
    """Judge a line whose gateway has the address that the outside sees, or that none contradicts.

    What tells a shared address from one of our own are the ports that STUN saw.
    """
    if facts.gateway is None or facts.wan_kind is not AddressKind.GLOBAL:
        return None
    if facts.echo is None:
        return _wan_alone(facts)
    if facts.wan != facts.echo:
        return None
    match facts.ports.outcome:
        case Outcome.ONE_SET:
            return likely(
                LineMode.A_PLUS_P,
                Reason.WAN_MATCHES,
                Reason.PORTS_IN_ONE_SET,
                *unexpected_address(facts),
                openable=Openable.PORT_SET,
                port_set=facts.ports.port_set,
            )
        case Outcome.SPREAD:
            return _unshared(facts)
    mode, _, *more = _own_address(facts)
    remedies = (Remedy.ALLOW_STUN, Remedy.CHECK_A_PORT)
    reasons = (Reason.WAN_MATCHES, Reason.PORTS_NOT_TESTED, *more, *unexpected_address(facts))
    return possible(mode, *reasons, remedies=remedies)


def wan_differs(facts: Facts) -> Verdict | None:
    """Judge a line whose gateway has a public address while the outside sees another one."""
    seen = facts.echo or facts.stun
    if facts.gateway is None or facts.wan is None or facts.wan_kind is not AddressKind.GLOBAL:
        return None
    if seen is None or seen == facts.wan:
        return None
    if facts.name_kind is ReverseKind.SHARED_POOL:
        return second_exit(facts, Reason.AFTR_REVERSE_NAME)
    proof = facts.evidence.proof
    if proof and proof.address == facts.wan:
        reasons = Reason.SEEN_WORKING, Reason.WAN_DIFFERS
        return likely(LineMode.TWO_EXITS, *reasons, openable=Openable.ALL)
    if is_squatted(facts.wan):
        return possible(LineMode.CGNAT, Reason.WAN_SQUATTED, Reason.WAN_DIFFERS, remedies=_PROVE)
    return possible(LineMode.TWO_EXITS, Reason.WAN_DIFFERS, remedies=_PROVE)


def second_exit(facts: Facts, reason: Reason) -> Verdict:
    """Judge a line with a WAN address of its own beside the exit that `reason` names."""
    proof = facts.evidence.proof
    reasons = (reason, Reason.WAN_DIFFERS)
    if proof and proof.address == facts.wan:
        return certain(LineMode.TWO_EXITS, Reason.SEEN_WORKING, *reasons, openable=Openable.ALL)
    # The exit may be that of a VPN, where nobody has looked at this machine.
    sure = Confidence.LIKELY if facts.evidence.host else Confidence.POSSIBLE
    remedies = (Remedy.TRY_FROM_OUTSIDE,)
    return Verdict(LineMode.TWO_EXITS, sure, Openable.UNKNOWN, reasons, remedies)


def unexpected_address(facts: Facts) -> tuple[Reason, ...]:
    """Say that the IPv6 address belongs to a MAP-E service which makes another IPv4 address."""
    return (Reason.COMPUTED_DIFFERS,) if facts.echo and facts.computed and not facts.match else ()


def _wan_alone(facts: Facts) -> Verdict | None:
    """Judge by the gateway alone, where nothing outside was asked, or nothing can be believed."""
    if facts.stun and facts.stun != facts.wan:
        return None
    outside = (facts.evidence.echo4, facts.evidence.stun4)
    confirmed = any(each.address == facts.wan for each in outside if each)
    contradictions = {Reason.ECHOES_DISAGREE, Reason.STUN_DISAGREES} & set(facts.notes)
    if contradictions and not confirmed:
        # A pool of addresses behind a provider's NAT answers with one or another.
        squatted = facts.wan is not None and is_squatted(facts.wan)
        return possible(LineMode.CGNAT, Reason.WAN_SQUATTED, remedies=_PROVE) if squatted else None
    mode, _, *more = _own_address(facts)
    return possible(mode, Reason.WAN_UNCONFIRMED, *more, remedies=(Remedy.ALLOW_ECHO,))


def _unshared(facts: Facts) -> Verdict:
    """Name a line whose ports are all ours: which is sure also where the name is not."""
    mode, sure, *more = _own_address(facts)
    confidence = Confidence.LIKELY if sure else Confidence.POSSIBLE
    proof = facts.evidence.proof
    if sure and proof and proof.address == facts.echo:
        confidence = Confidence.CERTAIN
        more = [Reason.SEEN_WORKING, *more]
    reasons = (Reason.WAN_MATCHES, Reason.PORTS_SPREAD, *more, *unexpected_address(facts))
    return Verdict(mode, confidence, Openable.ALL, reasons)


def _own_address(facts: Facts) -> tuple[LineMode, bool, *tuple[Reason, ...]]:
    """Tell the kinds of lines with an address of their own apart: mode, whether sure, reasons."""
    mtu = facts.evidence.mtu.ipv4 if facts.evidence.mtu else None
    ppp = bool(facts.gateway and facts.gateway.ppp)
    if mtu in _PPPOE_MTU:
        service = (Reason.PPP_SERVICE,) if ppp else ()
        return LineMode.PPPOE, True, Reason.MTU_OF_PPPOE, *service
    fixed_name = facts.name_kind is ReverseKind.FIXED
    if mtu in _TUNNEL_MTU and (fixed_name or fixed_address_sold(facts.ipv6)):
        return LineMode.IPIP_FIXED, True, Reason.MTU_OF_TUNNEL
    if ppp:
        # Some routers describe such a service on every line.
        return LineMode.PPPOE, False, Reason.PPP_SERVICE
    if mtu is None:
        return LineMode.PUBLIC, False, Reason.MTU_UNKNOWN
    return LineMode.PUBLIC, mtu >= _WHOLE_MTU and not fixed_name
