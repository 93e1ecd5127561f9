"""Every reason for which a port is not reached."""

from dataclasses import replace

import pytest

from custom_components.homeport.line import Confidence, Ipv6Mode, LineMode, LineReport, Openable
from custom_components.homeport.outside.prober import Outcome
from custom_components.homeport.ports import (
    BlockedBy,
    MappingState,
    PinholeState,
    PortFacts,
    ServiceSeen,
)

from .port_facts import (
    BEHIND,
    LINE,
    MAP_E,
    NEIGHBOURS,
    OTHER,
    REFUSED,
    SILENT4,
    TCP4,
    TCP6,
    TIMED_OUT,
    UDP4,
    UDP6,
    UNASKED4,
    UNASKED6,
    UNREACHABLE,
    blocked,
    closed,
    doubted,
)

ROWS: list[tuple[str, PortFacts, BlockedBy]] = [
    ("all in order", TCP4, BlockedBy.NOTHING),
    ("all in order, IPv6", TCP6, BlockedBy.NOTHING),
    ("it refuses at home", replace(UNASKED4, service=ServiceSeen.DOWN), BlockedBy.SERVICE_DOWN),
    (
        "refused where the router drops, not asked at home",
        replace(TCP4, answer=REFUSED, service=None),
        BlockedBy.SERVICE_DOWN,
    ),
    ("a UDP service says nothing", replace(UDP4, answer=TIMED_OUT), BlockedBy.SERVICE_SILENT),
    ("the same over IPv6", replace(UDP6, answer=TIMED_OUT), BlockedBy.SERVICE_SILENT),
    (
        "bound to loopback",
        replace(UNASKED4, service=ServiceSeen.LOOPBACK_ONLY),
        BlockedBy.BOUND_TO_LOOPBACK,
    ),
    ("nobody there", replace(UNASKED4, service=ServiceSeen.HOST_ABSENT), BlockedBy.HOST_ABSENT),
    (
        "the router does not find the host",
        replace(TCP4, answer=UNREACHABLE, service=None),
        BlockedBy.HOST_ABSENT,
    ),
    ("the name leads nowhere", replace(UNASKED4, target_known=False), BlockedBy.HOST_ABSENT),
    (
        "the device has another address",
        replace(UNASKED4, service=ServiceSeen.HOST_ABSENT, target_moved=True),
        BlockedBy.HOST_MOVED,
    ),
    ("DS-Lite", replace(UNASKED4, line=closed(LineMode.DS_LITE)), BlockedBy.LINE_DS_LITE),
    ("DS-Lite?", replace(UNASKED4, line=doubted(LineMode.DS_LITE)), BlockedBy.LINE_DS_LITE),
    ("CGNAT", replace(UNASKED4, line=closed(LineMode.CGNAT)), BlockedBy.LINE_CGNAT),
    ("CGNAT?", replace(SILENT4, line=doubted(LineMode.CGNAT)), BlockedBy.LINE_CGNAT),
    ("NAT64", replace(UNASKED4, line=closed(LineMode.NAT64)), BlockedBy.LINE_NAT64),
    ("private WAN", replace(SILENT4, line=doubted(LineMode.PRIVATE_WAN)), BlockedBy.LINE_PRIVATE),
    ("nothing known of the line", replace(SILENT4, line=LineReport()), BlockedBy.LINE_UNKNOWN),
    ("PPPoE?", replace(SILENT4, line=doubted(LineMode.PPPOE)), BlockedBy.LINE_UNKNOWN),
    ("MAP-E?", replace(UNASKED4, line=doubted(LineMode.MAP_E)), BlockedBy.LINE_UNKNOWN),
    (
        "IPv6 of which nothing is known",
        replace(TCP6, answer=TIMED_OUT, line=LineReport()),
        BlockedBy.LINE_UNKNOWN,
    ),
    ("offline", replace(UNASKED4, line=doubted(LineMode.OFFLINE)), BlockedBy.OFFLINE),
    ("offline, IPv6", replace(UNASKED6, line=replace(LINE, internet=False)), BlockedBy.OFFLINE),
    ("no IPv4", replace(UNASKED4, line=closed(LineMode.NONE)), BlockedBy.OFFLINE),
    *(
        (
            f"IPv6 mode {mode}, {confidence}, openable {openable}",
            replace(
                UNASKED6,
                line=replace(
                    LINE, ipv6_mode=mode, ipv6_confidence=confidence, ipv6_openable=openable
                ),
            ),
            expected,
        )
        for confidence, openable in (
            (Confidence.LIKELY, Openable.NONE),
            (Confidence.LIKELY, Openable.ALL),  # the user's word
            (Confidence.POSSIBLE, Openable.NONE),
            (Confidence.POSSIBLE, Openable.UNKNOWN),
        )
        for mode, expected in (
            (Ipv6Mode.NONE, BlockedBy.NO_IPV6),
            (Ipv6Mode.NGN_ONLY, BlockedBy.NGN_ONLY),
        )
    ),
    (
        "IPv6 that is closed",
        replace(UNASKED6, line=replace(LINE, ipv6_openable=Openable.NONE)),
        BlockedBy.NO_IPV6,
    ),
    ("no lasting address", replace(UNASKED6, unstable_address=True), BlockedBy.UNSTABLE_ADDRESS),
    (
        "no lasting address, so none to open",
        replace(UNASKED6, unstable_address=True, target_known=False, target_address=None),
        BlockedBy.UNSTABLE_ADDRESS,
    ),
    (
        "a neighbour's port",
        replace(UNASKED4, line=MAP_E, external_port=NEIGHBOURS),
        BlockedBy.PORT_NOT_IN_SET,
    ),
    (
        "perhaps a neighbour's port",
        replace(
            UNASKED4,
            line=replace(MAP_E, confidence=Confidence.POSSIBLE),
            external_port=NEIGHBOURS,
        ),
        BlockedBy.PORT_NOT_IN_SET,
    ),
    ("gone from the table", replace(UNASKED4, mapping=MappingState.MISSING), BlockedBy.NO_MAPPING),
    (
        "switched off",
        replace(UNASKED4, mapping=MappingState.CLOSED, wanted=False),
        BlockedBy.NO_MAPPING,
    ),
    (
        "switched off, and the router is silent",
        replace(UNASKED4, mapping=None, wanted=False, gateway_answers=False),
        BlockedBy.NO_MAPPING,
    ),
    ("somebody else's", replace(UNASKED4, mapping=MappingState.FOREIGN), BlockedBy.FOREIGN_MAPPING),
    (
        "by hand, to another device",
        replace(UNASKED4, mapping=MappingState.FOREIGN, by_hand=True),
        BlockedBy.WRONG_TARGET,
    ),
    ("UPnP is off", replace(UNASKED4, mapping=None, upnp_off=True), BlockedBy.UPNP_DISABLED),
    (
        "UPnP is off, which has kept the port from being opened",
        replace(UNASKED4, mapping=None, upnp_off=True, refusal="gateway_unreachable"),
        BlockedBy.UPNP_DISABLED,
    ),
    ("UPnP is off, IPv6", replace(UNASKED6, pinhole=None, upnp_off=True), BlockedBy.UPNP_DISABLED),
    (
        "the router is silent",
        replace(SILENT4, mapping=None, gateway_answers=False),
        BlockedBy.NO_ROUTER_ACCESS,
    ),
    (
        "the router refuses",
        replace(UNASKED4, mapping=None, refusal="upnp_606"),
        BlockedBy.NO_ROUTER_ACCESS,
    ),
    *(
        (
            f"the router refuses, and the line may be {mode}",
            replace(UNASKED4, line=doubted(mode), mapping=None, refusal="upnp_501"),
            expected,
        )
        for mode, expected in (
            (LineMode.DOUBLE_NAT, BlockedBy.SECOND_NAT),
            (LineMode.PRIVATE_WAN, BlockedBy.LINE_PRIVATE),
            (LineMode.CGNAT, BlockedBy.LINE_CGNAT),
            (LineMode.DS_LITE, BlockedBy.LINE_DS_LITE),
            (LineMode.NAT64, BlockedBy.LINE_NAT64),
            # There it is nothing that the router has to refuse for.
            (LineMode.TWO_EXITS, BlockedBy.NO_ROUTER_ACCESS),
            (LineMode.PPPOE, BlockedBy.NO_ROUTER_ACCESS),
        )
    ),
    (
        "the router refuses, may be behind a NAT, and nothing listens",
        replace(
            UNASKED4,
            line=doubted(LineMode.CGNAT),
            mapping=None,
            refusal="upnp_501",
            service=ServiceSeen.DOWN,
        ),
        BlockedBy.SERVICE_DOWN,
    ),
    (
        "no router to control",
        replace(SILENT4, mapping=None, has_gateway=False),
        BlockedBy.NO_ROUTER_ACCESS,
    ),
    ("a second router", replace(SILENT4, line=BEHIND), BlockedBy.SECOND_NAT),
    (
        "perhaps a second router",
        replace(SILENT4, line=replace(BEHIND, ipv4_openable=Openable.UNKNOWN)),
        BlockedBy.SECOND_NAT,
    ),
    (
        "a second NAT before a router that names no address",
        replace(SILENT4, line=replace(BEHIND, wan_ipv4=None)),
        BlockedBy.SECOND_NAT,
    ),
    (
        "two exits",
        replace(UNASKED4, line=replace(doubted(LineMode.TWO_EXITS), wan_ipv4=OTHER)),
        BlockedBy.TWO_EXITS,
    ),
    (
        "two exits, of which one is known to work",
        replace(
            UNASKED4,
            line=replace(LINE, mode=LineMode.TWO_EXITS, wan_ipv4=OTHER, confirmed_ipv4=OTHER),
        ),
        BlockedBy.TWO_EXITS,
    ),
    ("it listens at home, and refuses", replace(TCP4, answer=REFUSED), BlockedBy.HOST_FIREWALL),
    ("the same over IPv6", replace(TCP6, answer=REFUSED), BlockedBy.HOST_FIREWALL),
    ("it listens at home, and rejects", replace(TCP4, answer=UNREACHABLE), BlockedBy.HOST_FIREWALL),
    (
        "it rejects at home",
        replace(UNASKED4, service=ServiceSeen.HOST_REJECTS),
        BlockedBy.HOST_FIREWALL,
    ),
    ("it drops at home", replace(UNASKED4, service=ServiceSeen.SILENT), BlockedBy.HOST_FIREWALL),
    ("no pinhole", replace(UNASKED6, pinhole=PinholeState.MISSING), BlockedBy.ROUTER_FILTER_V6),
    (
        "a pinhole by hand that is not there",
        replace(TCP6, answer=TIMED_OUT, pinhole=None, by_hand=True),
        BlockedBy.ROUTER_FILTER_V6,
    ),
    (
        "the router opens no pinhole",
        replace(UNASKED6, pinhole=None, refusal="pinhole_unsupported"),
        BlockedBy.ROUTER_FILTER_V6,
    ),
    ("swallowed", SILENT4, BlockedBy.FILTERED),
    (
        "refused where the router rejects, and it listens",
        replace(TCP4, answer=REFUSED, baseline=Outcome.REFUSED),
        BlockedBy.FILTERED,
    ),
    (
        "refused, and nobody knows what the router does, and it listens",
        replace(TCP4, answer=REFUSED, baseline=None),
        BlockedBy.FILTERED,
    ),
    ("swallowed, IPv6", replace(TCP6, answer=TIMED_OUT), BlockedBy.FILTERED),
    (
        "not accepted, by a prober that cannot say why",
        replace(TCP4, answer=UNREACHABLE, tells_why=False, baseline=Outcome.UNREACHABLE),
        BlockedBy.FILTERED,
    ),
    (
        "swallowed before a second router that was told",
        replace(SILENT4, line=BEHIND, second_told=True),
        BlockedBy.FILTERED,
    ),
    (
        "the prober has no answer",
        replace(UNASKED4, outside_failed="outside_unreachable"),
        BlockedBy.PROBER_FAILED,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "expected"),
    [pytest.param(facts, reason, id=name) for name, facts, reason in ROWS],
)
def test_the_first_step_that_stops_it_is_named(facts: PortFacts, expected: BlockedBy) -> None:
    assert blocked(facts) is expected


def test_every_reason_is_in_the_table() -> None:
    assert {expected for *_, expected in ROWS} == set(BlockedBy)
