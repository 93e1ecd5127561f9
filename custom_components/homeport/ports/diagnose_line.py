"""What stops a port on the line and at the router."""

from typing import Final

from ..line import Ipv6Mode, LineMode, LineReport, Openable
from .diagnosis import (
    NOT_NEEDED,
    PASSED,
    UNKNOWN,
    Advice,
    BlockedBy,
    Finding,
    PortFacts,
    doubtful,
    failed,
)
from .pinhole_plan import PinholeState
from .plan import MappingState

_OBSTACLES: Final = {
    LineMode.OFFLINE: BlockedBy.OFFLINE,
    LineMode.NONE: BlockedBy.OFFLINE,
    LineMode.DS_LITE: BlockedBy.LINE_DS_LITE,
    LineMode.CGNAT: BlockedBy.LINE_CGNAT,
    LineMode.NAT64: BlockedBy.LINE_NAT64,
    LineMode.PRIVATE_WAN: BlockedBy.LINE_PRIVATE,
    LineMode.DOUBLE_NAT: BlockedBy.SECOND_NAT,
    LineMode.TWO_EXITS: BlockedBy.TWO_EXITS,
}
_IPV6_OBSTACLES: Final = {
    Ipv6Mode.NONE: BlockedBy.NO_IPV6,
    Ipv6Mode.NGN_ONLY: BlockedBy.NGN_ONLY,
}
_LIMITED: Final = frozenset({LineMode.MAP_E, LineMode.A_PLUS_P})
_FIREWALL: Final = {
    PinholeState.ENDING: UNKNOWN,
    PinholeState.MISSING: failed(BlockedBy.ROUTER_FILTER_V6),
    PinholeState.CLOSED: failed(BlockedBy.ROUTER_FILTER_V6, Advice.SWITCH_ON),
}


def line(facts: PortFacts) -> Finding:
    """Say whether anything can be opened on the line over the family."""
    report = facts.line
    offline = report.mode is LineMode.OFFLINE
    if report.internet is False or (offline and report.confidence.is_sure):
        return failed(BlockedBy.OFFLINE)
    if facts.family == 6:
        return _line_ipv6(report)
    obstacle = _OBSTACLES.get(report.mode) if report.mode else None
    advice = Advice.NO_IPV4 if report.mode is LineMode.NONE else None
    return _by_openable(report.ipv4_openable, obstacle or BlockedBy.LINE_UNKNOWN, advice)


def port_set(facts: PortFacts) -> Finding:
    """Say whether the external port is one of this home's."""
    report = facts.line
    if report.port_set is None:
        limited = report.mode in _LIMITED or report.ipv4_openable is Openable.UNKNOWN
        return UNKNOWN if limited else NOT_NEEDED
    if facts.external_port in report.port_set:
        return PASSED
    sure = report.confidence.is_sure
    return (failed if sure else doubtful)(BlockedBy.PORT_NOT_IN_SET)


def mapping(facts: PortFacts) -> Finding:
    """Say whether the router leads the external port to the target."""
    by_homeport = facts.controlled
    match facts.mapping:
        case MappingState.OPEN:
            return PASSED
        case MappingState.FOREIGN:
            return failed(BlockedBy.FOREIGN_MAPPING if by_homeport else BlockedBy.WRONG_TARGET)
    if not by_homeport:
        # Routers do not show in this table what was set on their own pages.
        return UNKNOWN if facts.by_hand else doubtful(BlockedBy.NO_ROUTER_ACCESS)
    if _refuses(facts):
        return failed(BlockedBy.NO_ROUTER_ACCESS, Advice.ROUTER_REFUSES)
    if facts.mapping is None:
        return _unread(facts, BlockedBy.NO_MAPPING)
    return failed(BlockedBy.NO_MAPPING, None if facts.wanted else Advice.SWITCH_ON)


def firewall(facts: PortFacts) -> Finding:
    """Say whether the router's IPv6 firewall lets in what is sent to the target."""
    if facts.pinhole in {PinholeState.OPEN, PinholeState.FIREWALL_OFF}:
        return PASSED
    if not facts.controlled:
        return UNKNOWN
    if _refuses(facts):
        return failed(BlockedBy.ROUTER_FILTER_V6, Advice.PINHOLE_BY_HAND)
    if facts.pinhole is None:
        return _unread(facts, BlockedBy.ROUTER_FILTER_V6)
    return _FIREWALL[facts.pinhole]


def wan_address(facts: PortFacts) -> Finding:
    """Say whether what is sent to the address that the outside sees comes to the router."""
    report = facts.line
    if report.wan_ipv4 is None:
        return doubtful(BlockedBy.SECOND_NAT) if report.second_nat else UNKNOWN
    if report.wan_ipv4 in {report.public_ipv4, facts.probed}:
        return PASSED
    if report.mode is LineMode.TWO_EXITS:
        return doubtful(BlockedBy.TWO_EXITS)
    told = facts.second_told and facts.mapping is MappingState.OPEN
    if told or not (report.second_nat or report.public_ipv4):
        return UNKNOWN
    return doubtful(BlockedBy.SECOND_NAT)


def _line_ipv6(report: LineReport) -> Finding:
    obstacle = _IPV6_OBSTACLES.get(report.ipv6_mode) if report.ipv6_mode else None
    if obstacle and report.ipv6_confidence.is_sure:
        return failed(obstacle)
    none = report.ipv6_openable is Openable.NONE
    otherwise = BlockedBy.NO_IPV6 if none else BlockedBy.LINE_UNKNOWN
    return _by_openable(report.ipv6_openable, obstacle or otherwise)


def _by_openable(openable: Openable, obstacle: BlockedBy, advice: Advice | None = None) -> Finding:
    match openable:
        case Openable.NONE:
            return failed(obstacle, advice)
        case Openable.UNKNOWN:
            return doubtful(obstacle, advice)
    return PASSED


def _refuses(facts: PortFacts) -> bool:
    """Say whether the router itself has refused: one that is silent refuses nothing."""
    return bool(facts.refusal) and facts.gateway_answers and not facts.upnp_off


def _unread(facts: PortFacts, not_open: BlockedBy) -> Finding:
    """Judge a router that is to open the port, and does not show whether it does."""
    if not facts.wanted:
        return doubtful(not_open, Advice.SWITCH_ON)
    if facts.upnp_off:
        return doubtful(BlockedBy.UPNP_DISABLED)
    return UNKNOWN if facts.gateway_answers else doubtful(BlockedBy.NO_ROUTER_ACCESS)
