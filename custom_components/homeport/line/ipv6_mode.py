"""How IPv6 crosses the line. Pure: no I/O, no clock."""

from ipaddress import IPv6Address, IPv6Network

from .address import AddressKind, address_kind
from .carriers import by_ipv6
from .facts import Facts
from .report import Confidence, Ipv6Mode, Openable, Reason

type Ipv6Verdict = tuple[Ipv6Mode | None, Confidence, Openable, tuple[Reason, ...]]

_PPPOE_MTU = frozenset({1454, 1492})
"""FLET'S, RFC 2516 section 7."""
_TUNNEL_MTU = 1480
"""IPv6 in IPv4 (RFC 4213 section 3.2) over Ethernet, or less."""
_WHOLE_MTU = 1500
_TUNNEL_KINDS = frozenset({AddressKind.SIX_TO_FOUR, AddressKind.TEREDO})
_TUNNEL_BROKERS = (IPv6Network("2001:470::/32"),)
"""Hurricane Electric's tunnel broker (ARIN NET6-2001-470-1)."""
_UNKNOWN: Ipv6Verdict = None, Confidence.UNKNOWN, Openable.UNKNOWN, ()


def decide_ipv6(facts: Facts) -> Ipv6Verdict:
    """Return the mode, how sure it is, what can be opened, and why."""
    host = facts.evidence.host
    if host and host.ipv6_route and host.ipv6_route.tunnel:
        return *_UNKNOWN[:3], (Reason.VPN_ON_HOST,)
    kinds = _kinds(facts)
    if not facts.ipv6:
        return _without_global(facts, kinds)
    if facts.ipv6_answers is False:
        # The addresses look right, and nothing answers: nobody knows what is wrong.
        mode, _, _, reasons = _by_address(facts)
        return mode, Confidence.POSSIBLE, Openable.UNKNOWN, (*reasons, Reason.IPV6_SILENT)
    return _by_address(facts)


def _kinds(facts: Facts) -> frozenset[AddressKind]:
    """Return the kinds of the IPv6 addresses of this machine, and of the one seen outside."""
    host, echo6 = facts.evidence.host, facts.evidence.echo6
    found = [each.ip for each in (host.addresses if host else ())]
    kinds = {address_kind(ip) for ip in found if isinstance(ip, IPv6Address)}
    if echo6 and echo6.address:
        kinds.add(address_kind(echo6.address))
    return frozenset(kinds)


def _without_global(facts: Facts, kinds: frozenset[AddressKind]) -> Ipv6Verdict:
    host = facts.evidence.host
    if facts.ipv6_answers:
        return _UNKNOWN  # by a way that the addresses do not show
    if kinds & _TUNNEL_KINDS:
        return Ipv6Mode.TUNNEL, Confidence.LIKELY, Openable.UNKNOWN, ()
    if AddressKind.NGN_ONLY in kinds:
        return Ipv6Mode.NGN_ONLY, Confidence.LIKELY, Openable.NONE, (Reason.IPV6_NGN_ONLY,)
    if facts.bridge:
        return *_UNKNOWN[:3], (Reason.CONTAINER_BRIDGE,)
    if host is None:
        return _UNKNOWN
    if not host.complete:
        return Ipv6Mode.NONE, Confidence.POSSIBLE, Openable.UNKNOWN, (Reason.NO_NETLINK,)
    return Ipv6Mode.NONE, Confidence.LIKELY, Openable.NONE, ()


def _by_address(facts: Facts) -> Ipv6Verdict:
    mtu = facts.evidence.mtu.ipv6 if facts.evidence.mtu else None
    brokered = any(ip in block for ip in facts.ipv6 for block in _TUNNEL_BROKERS)
    sure = Confidence.LIKELY if facts.ipv6_answers else Confidence.POSSIBLE
    openable = Openable.ALL if facts.ipv6_answers else Openable.UNKNOWN
    if brokered:
        return Ipv6Mode.TUNNEL, sure, Openable.UNKNOWN, ()
    if mtu in _PPPOE_MTU:
        return Ipv6Mode.PPPOE, sure, openable, (Reason.MTU_OF_PPPOE,)
    if any(by_ipv6(ip) for ip in facts.ipv6):
        return Ipv6Mode.IPOE, sure, openable, ()
    if mtu is None:
        return Ipv6Mode.NATIVE, Confidence.POSSIBLE, openable, (Reason.MTU_UNKNOWN,)
    if mtu < _WHOLE_MTU:
        tunnel = mtu <= _TUNNEL_MTU
        mode = Ipv6Mode.TUNNEL if tunnel else Ipv6Mode.NATIVE
        reasons = (Reason.MTU_OF_TUNNEL,) if tunnel else ()
        return mode, Confidence.POSSIBLE, openable, reasons
    return Ipv6Mode.NATIVE, sure, openable, ()
