"""Ports whose every step is in order, to be spoilt one by one."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from custom_components.homeport.gateway import Transport
from custom_components.homeport.line import (
    Confidence,
    Ipv6Mode,
    LineMode,
    LineReport,
    Openable,
    PortSet,
)
from custom_components.homeport.outside.prober import Answer, Outcome
from custom_components.homeport.ports import (
    BlockedBy,
    Diagnosis,
    MappingState,
    PinholeState,
    PortFacts,
    ServiceSeen,
    Step,
    StepState,
    diagnose,
)

G = IPv4Address("11.22.33.44")
OTHER = IPv4Address("11.22.33.99")
LAN = IPv4Address("192.168.1.20")
G6 = IPv6Address("2400:4050:1:100::20")
OTHER6 = IPv6Address("2400:4050:1:100:aaaa::1")

ACCEPTED = Answer(Outcome.ACCEPTED)
MET = Answer(Outcome.ACCEPTED, nonce_seen=True)
REFUSED = Answer(Outcome.REFUSED)
TIMED_OUT = Answer(Outcome.TIMED_OUT)
UNREACHABLE = Answer(Outcome.UNREACHABLE)

LINE = LineReport(
    mode=LineMode.PUBLIC,
    confidence=Confidence.LIKELY,
    ipv6_mode=Ipv6Mode.NATIVE,
    ipv6_confidence=Confidence.LIKELY,
    ipv4_openable=Openable.ALL,
    ipv6_openable=Openable.ALL,
    internet=True,
    second_nat=False,
    wan_ipv4=G,
    public_ipv4=G,
    confirmed_ipv4=G,
    public_ipv6=G6,
    ipv6_prefix=IPv6Network("2400:4050:1:100::/64"),
)
PORTS = PortSet(4, 8, 212)
MINE, NEIGHBOURS = 7490, 7506
MAP_E = replace(LINE, mode=LineMode.MAP_E, ipv4_openable=Openable.PORT_SET, port_set=PORTS)
BEHIND = replace(
    LINE,
    mode=LineMode.DOUBLE_NAT,
    ipv4_openable=Openable.AFTER_SECOND_ROUTER,
    second_nat=True,
    wan_ipv4=IPv4Address("192.168.9.2"),
    confirmed_ipv4=G,
)

TCP4 = PortFacts(
    family=4,
    transport=Transport.TCP,
    external_port=MINE,
    internal_port=8000,
    line=LINE,
    mapping=MappingState.OPEN,
    target_address=LAN,
    target_moved=False,
    service=ServiceSeen.LISTENING,
    probed=G,
    answer=ACCEPTED,
    tells_why=True,
    baseline=Outcome.TIMED_OUT,
)
TCP6 = replace(
    TCP4, family=6, mapping=None, pinhole=PinholeState.OPEN, target_address=G6, probed=G6
)
UDP4 = replace(TCP4, transport=Transport.UDP, service=ServiceSeen.SILENT)
UDP6 = replace(TCP6, transport=Transport.UDP, service=ServiceSeen.SILENT)
GOOD = TCP4, TCP6, UDP4, UDP6
UNASKED4 = replace(TCP4, answer=None, probed=None)
UNASKED6 = replace(TCP6, answer=None, probed=None)
SILENT4 = replace(TCP4, answer=TIMED_OUT)


def closed(mode: LineMode) -> LineReport:
    """Return a line on which nothing can be opened over IPv4."""
    return replace(LINE, mode=mode, ipv4_openable=Openable.NONE, confirmed_ipv4=None)


def doubted(mode: LineMode | None) -> LineReport:
    """Return a line of which nobody is sure."""
    return replace(
        LINE,
        mode=mode,
        confidence=Confidence.POSSIBLE if mode else Confidence.UNKNOWN,
        ipv4_openable=Openable.UNKNOWN,
        confirmed_ipv4=None,
    )


def blocked(facts: PortFacts) -> BlockedBy | None:
    """Return what stops a port."""
    return diagnose(facts).blocked_by


def states(found: Diagnosis) -> dict[Step, StepState]:
    """Return what came of each step."""
    return {each.step: each.state for each in found.steps}
