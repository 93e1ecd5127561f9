"""What a prober's answer is worth, and when it may be asked. Pure: no I/O, no clock."""

from ipaddress import IPv4Address
from typing import Final

from ..line import AddressKind, Ipv6Mode, LineMode, LineReport, Openable, address_kind
from ..outside.family import Family
from ..outside.prober import Answer, Outcome
from .diagnosis import PortFacts, Reachability, ServiceSeen
from .pinhole_plan import PinholeState
from .plan import MappingState


class NotProbed(Exception):
    """There is a reason not to ask the prober. `translation_key` names it."""

    def __init__(self, translation_key: str) -> None:
        """Take the name of the reason."""
        super().__init__(translation_key)
        self.translation_key = translation_key


_OBSTACLES: Final = {
    LineMode.OFFLINE: "line_offline",
    LineMode.CGNAT: "line_cgnat",
    LineMode.DS_LITE: "line_ds_lite",
    LineMode.NAT64: "line_nat64",
    LineMode.NONE: "line_none",
}
_LIMITED: Final = frozenset({LineMode.MAP_E, LineMode.A_PLUS_P})
_NO_IPV6: Final = frozenset({Ipv6Mode.NONE, Ipv6Mode.NGN_ONLY})
_NOT_ACCEPTED: Final = {
    Outcome.REFUSED: Reachability.REFUSED,
    Outcome.TIMED_OUT: Reachability.TIMED_OUT,
    Outcome.UNREACHABLE: Reachability.UNREACHABLE,
}
_LETS_IN: Final = frozenset({PinholeState.OPEN, PinholeState.FIREWALL_OFF})
_NOTHING_THERE: Final = frozenset({ServiceSeen.DOWN, ServiceSeen.LOOPBACK_ONLY})


def question_allowed(line: LineReport, family: Family, external_port: int) -> None:
    """Raise NotProbed where a prober's answer would say nothing about this home.

    Or where it would knock at another home's port: that is so for any port that nothing is opened
    for as well. Both protocols share a port set (RFC 7597 section 5.1).
    """
    if family == 6:
        if line.mode is LineMode.OFFLINE:
            raise NotProbed("line_offline")
        surely_none = line.ipv6_mode in _NO_IPV6 and line.ipv6_confidence.is_sure
        if surely_none or line.ipv6_openable is Openable.NONE:
            raise NotProbed("line_no_ipv6")
        return
    if line.mode in _OBSTACLES:
        raise NotProbed(_OBSTACLES[line.mode])
    if line.port_set is not None and external_port not in line.port_set:
        raise NotProbed("not_in_port_set")
    if line.port_set is None and line.mode in _LIMITED:
        raise NotProbed("port_set_unknown")
    if line.public_ipv4 is None:
        raise NotProbed("no_public_address")


def seen_from_outside(facts: PortFacts) -> Reachability | None:
    """Judge what the prober has met; None where it was not asked, or gave no answer."""
    if facts.answer is None:
        return None
    if facts.answer.outcome is not Outcome.ACCEPTED:
        return _NOT_ACCEPTED[facts.answer.outcome]
    return Reachability.REACHABLE if _is_proved(facts, facts.answer) else Reachability.POSSIBLE


def _is_proved(facts: PortFacts, answer: Answer) -> bool:
    """Say whether what accepted is provably the target of this home.

    It is where our own nonce came back, or where the opening reads back to the target at an address
    that is this home's alone, or at a port that is. Else something accepted, and nobody knows what.
    """
    if answer.nonce_seen or facts.listener_met:
        return True
    if facts.listener:
        return False  # it was somebody else's that accepted
    if not facts.target_known or facts.target_moved or facts.service in _NOTHING_THERE:
        return False
    if facts.baseline is Outcome.ACCEPTED or facts.baseline_pending:
        return False  # where every port accepts, one that does says nothing
    if facts.family == 6:
        return _is_open_at_target(facts)
    ours = isinstance(facts.probed, IPv4Address) and _is_ours_alone(
        facts.line, facts.probed, facts.external_port
    )
    return ours and facts.mapping is MappingState.OPEN


def _is_ours_alone(line: LineReport, probed: IPv4Address, external_port: int) -> bool:
    """Say whether what is sent to an IPv4 address and a port comes to our gateway, and no other."""
    if not probed == line.wan_ipv4 == line.confirmed_ipv4:
        return False
    in_set = line.port_set is not None and external_port in line.port_set
    limited = line.ipv4_openable is Openable.PORT_SET
    return line.ipv4_openable is Openable.ALL or (limited and in_set)


def _is_open_at_target(facts: PortFacts) -> bool:
    """Say whether the firewall lets in what is sent to the target's lasting IPv6 address."""
    return (
        # A rule that the user makes cannot be read; the address is nobody else's all the same.
        (facts.by_hand or facts.pinhole in _LETS_IN)
        and facts.probed is not None
        and facts.probed == facts.target_address
        and address_kind(facts.probed) is AddressKind.GLOBAL
        and not facts.unstable_address
        and facts.line.ipv6_openable is Openable.ALL
    )
