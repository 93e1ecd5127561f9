from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from custom_components.homeport.line import LineMode, Openable
from custom_components.homeport.outside.prober import Outcome
from custom_components.homeport.ports import (
    Advice,
    BlockedBy,
    Candidate,
    CertificateSeen,
    MappingState,
    NameSeen,
    OwnUrl,
    PinholeState,
    PortFacts,
    Reachability,
    ServiceSeen,
    Step,
    StepState,
    diagnose,
)

from .port_facts import (
    ACCEPTED,
    BEHIND,
    GOOD,
    LINE,
    MET,
    OTHER,
    REFUSED,
    SILENT4,
    TCP4,
    TCP6,
    TIMED_OUT,
    UDP4,
    UNASKED4,
    UNASKED6,
    UNREACHABLE,
    G,
    blocked,
    closed,
    doubted,
    states,
)


@pytest.mark.parametrize("facts", GOOD)
def test_what_is_seen_working_needs_nothing_more(facts: PortFacts) -> None:
    found = diagnose(facts)
    assert found.reachability is Reachability.REACHABLE
    assert found.next_step is None


@pytest.mark.parametrize(
    ("facts", "steps"),
    [
        (TCP4, "service target line port_set mapping wan_address outside"),
        (TCP6, "service target line firewall outside"),
        (
            replace(TCP4, own_url=OwnUrl(https=True)),
            "service target line port_set mapping wan_address outside name certificate",
        ),
    ],
)
def test_the_chain_is_whole_whatever_stops_it(facts: PortFacts, steps: str) -> None:
    for each in (facts, replace(facts, service=ServiceSeen.DOWN, answer=None)):
        assert " ".join(step.step for step in diagnose(each).steps) == steps


def test_of_nothing_known_nothing_is_passed_or_named() -> None:
    for facts in (TCP4, TCP6):
        nothing = PortFacts(
            family=facts.family, transport=facts.transport, external_port=1, internal_port=1
        )
        found = diagnose(nothing)
        assert StepState.PASSED not in states(found).values()
        assert found.reachability is None
        assert found.blocked_by is BlockedBy.LINE_UNKNOWN


def test_a_port_that_nobody_has_looked_at_is_not_blamed() -> None:
    found = diagnose(UNASKED4)
    assert (found.blocked_by, found.next_step) == (None, Advice.ASK_OUTSIDE)
    assert states(found)[Step.OUTSIDE] is StepState.UNKNOWN


def test_a_port_that_waits_for_the_prober_is_not_blamed() -> None:
    found = diagnose(replace(UNASKED4, waits=True))
    assert (found.blocked_by, found.next_step) == (None, Advice.WAIT_FOR_PROBER)
    assert states(found)[Step.OUTSIDE] is StepState.UNKNOWN


def test_the_outside_is_not_needed_where_a_step_before_stops_it() -> None:
    found = diagnose(replace(UNASKED4, mapping=MappingState.MISSING))
    assert states(found)[Step.OUTSIDE] is StepState.NOT_NEEDED


def test_how_long_steps_took_is_shown() -> None:
    found = diagnose(replace(TCP4, seconds={Step.OUTSIDE: 3.05}))
    took = {each.step: each.seconds for each in found.steps}
    assert (took[Step.OUTSIDE], took[Step.SERVICE]) == (3.05, None)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"mapping": MappingState.MISSING}, BlockedBy.NO_MAPPING),
        ({"line": replace(LINE, ipv4_openable=Openable.UNKNOWN)}, None),
        ({"line": BEHIND}, None),
        ({"service": ServiceSeen.DOWN}, BlockedBy.SERVICE_DOWN),
        ({"baseline": Outcome.ACCEPTED}, None),
        ({"mapping": None, "by_hand": True}, None),
    ],
)
def test_what_accepts_without_proof_is_possible(
    changed: dict[str, object], reason: BlockedBy | None
) -> None:
    """What only may be in the way is not to blame for a port that something accepts."""
    found = diagnose(replace(TCP4, **changed))  # type: ignore[arg-type]
    assert found.reachability is Reachability.POSSIBLE
    assert found.blocked_by is reason
    assert found.next_step is (reason or Advice.PROVE)


def test_a_nonce_proves_the_way_to_a_service_that_is_not_running() -> None:
    stand_in = replace(TCP4, own_target=True, service=ServiceSeen.DOWN, listener=True, answer=MET)
    found = diagnose(stand_in)
    assert found.reachability is Reachability.REACHABLE
    assert found.blocked_by is BlockedBy.SERVICE_DOWN
    assert found.next_step is Advice.START_SERVICE


def test_a_way_that_is_stopped_comes_before_the_service_that_a_listener_stood_in_for() -> None:
    stand_in = replace(TCP4, own_target=True, service=ServiceSeen.DOWN, listener=True)
    missing = replace(stand_in, mapping=MappingState.MISSING, answer=TIMED_OUT)
    assert blocked(missing) is BlockedBy.NO_MAPPING
    assert blocked(replace(stand_in, answer=TIMED_OUT)) is BlockedBy.FILTERED
    udp = replace(stand_in, transport=UDP4.transport, answer=TIMED_OUT)
    assert blocked(udp) is BlockedBy.FILTERED
    # A machine that asks is there: what rejects is its firewall.
    assert blocked(replace(stand_in, answer=UNREACHABLE)) is BlockedBy.HOST_FIREWALL
    unasked = diagnose(replace(stand_in, answer=None))
    assert unasked.blocked_by is unasked.next_step is BlockedBy.SERVICE_DOWN
    local = replace(stand_in, answer=MET, service=ServiceSeen.LOOPBACK_ONLY)
    assert blocked(local) is BlockedBy.BOUND_TO_LOOPBACK


def test_a_refusal_says_nothing_where_neither_the_service_nor_the_router_is_known() -> None:
    for baseline in (None, Outcome.REFUSED):
        found = diagnose(replace(TCP4, service=None, answer=REFUSED, baseline=baseline))
        assert (found.blocked_by, found.next_step) == (None, Advice.CHECK_SERVICE)


def test_what_came_back_from_home_clears_a_line_that_is_not_known() -> None:
    facts = replace(TCP4, line=doubted(LineMode.PUBLIC), service=None)
    assert blocked(replace(facts, answer=REFUSED)) is BlockedBy.SERVICE_DOWN
    assert blocked(replace(facts, answer=UNREACHABLE)) is BlockedBy.HOST_ABSENT
    assert blocked(replace(facts, answer=TIMED_OUT)) is BlockedBy.LINE_UNKNOWN


FILTER = Candidate.PACKET_FILTER_ON_ROUTER


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, f"{FILTER} host_firewall provider"),
        ({"line": replace(LINE, wan_ipv4=None)}, f"{FILTER} second_router host_firewall provider"),
        ({"other_port_reachable": True}, "provider"),
        ({"mapping": None, "by_hand": True}, f"router_rule {FILTER} host_firewall provider"),
        (
            {"mapping": None, "by_hand": True, "other_port_reachable": True},
            f"router_rule {FILTER} provider",
        ),
    ],
)
def test_who_may_have_swallowed_it(changed: dict[str, object], expected: str) -> None:
    found = diagnose(replace(SILENT4, **changed))  # type: ignore[arg-type]
    assert found.blocked_by is BlockedBy.FILTERED
    assert " ".join(found.candidates) == expected


def test_over_ipv6_a_router_before_ours_may_filter() -> None:
    assert Candidate.SECOND_ROUTER in diagnose(replace(TCP6, answer=TIMED_OUT)).candidates


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(UNASKED4, mapping=MappingState.CLOSED, wanted=False), Advice.SWITCH_ON),
        (replace(UNASKED6, pinhole=PinholeState.CLOSED, wanted=False), Advice.SWITCH_ON),
        (replace(UNASKED4, target_known=False), Advice.FIND_TARGET),
        (replace(UNASKED6, target_known=False), Advice.FIND_IPV6),
        (replace(UNASKED4, line=closed(LineMode.NONE)), Advice.NO_IPV4),
        (replace(UNASKED4, mapping=None, refusal="own_only"), Advice.ROUTER_REFUSES),
        (
            replace(UNASKED4, mapping=None, refusal="gateway_unreachable", gateway_answers=False),
            BlockedBy.NO_ROUTER_ACCESS,
        ),
        (replace(UNASKED6, pinhole=None, refusal="upnp_703"), Advice.PINHOLE_BY_HAND),
        (replace(UNASKED4, line=closed(LineMode.CGNAT)), BlockedBy.LINE_CGNAT),
    ],
)
def test_what_to_do_next(facts: PortFacts, expected: Advice | BlockedBy) -> None:
    assert diagnose(facts).next_step is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (OwnUrl(https=True, name=NameSeen.HOME, certificate=CertificateSeen.VALID), None),
        (OwnUrl(https=False, name=NameSeen.HOME), None),
        (OwnUrl(https=True), None),
        (OwnUrl(https=True, name=NameSeen.ELSEWHERE), Advice.NAME_ELSEWHERE),
        (OwnUrl(https=True, name=NameSeen.MISSING), Advice.NAME_MISSING),
        (
            OwnUrl(https=True, certificate=CertificateSeen.OTHER_NAME),
            Advice.CERTIFICATE_OTHER_NAME,
        ),
        (OwnUrl(https=True, certificate=CertificateSeen.UNTRUSTED), Advice.CERTIFICATE_UNTRUSTED),
        (OwnUrl(https=True, certificate=CertificateSeen.EXPIRED), Advice.CERTIFICATE_EXPIRED),
        (OwnUrl(https=True, certificate=CertificateSeen.NONE), Advice.CERTIFICATE_NONE),
    ],
)
def test_the_own_url_is_looked_at_behind_the_port(url: OwnUrl, expected: Advice | None) -> None:
    found = diagnose(replace(TCP4, own_url=url))
    assert (found.blocked_by, found.next_step) == (BlockedBy.NOTHING, expected)
    stopped = diagnose(replace(UNASKED4, own_url=url, mapping=MappingState.MISSING))
    assert stopped.next_step is BlockedBy.NO_MAPPING


def test_a_certificate_is_not_needed_without_https() -> None:
    found = states(diagnose(replace(TCP4, own_url=OwnUrl(https=False, name=NameSeen.HOME))))
    assert found[Step.NAME] is StepState.PASSED
    assert found[Step.CERTIFICATE] is StepState.NOT_NEEDED


ANSWERED = set(ServiceSeen) - {ServiceSeen.HOST_ABSENT}


def test_a_device_is_the_same_only_where_that_is_known() -> None:
    for facts, expected in (
        (TCP4, StepState.PASSED),
        (replace(TCP4, target_moved=None), StepState.UNKNOWN),
        (replace(TCP4, service=None), StepState.UNKNOWN),
        (replace(TCP4, service=None, own_target=True, target_moved=None), StepState.PASSED),
        *((replace(TCP4, service=each), StepState.PASSED) for each in ANSWERED),
        (UDP4, StepState.UNKNOWN),
    ):
        assert states(diagnose(facts))[Step.TARGET] is expected


def test_of_two_exits_the_one_that_was_probed_counts() -> None:
    line = replace(
        LINE,
        mode=LineMode.TWO_EXITS,
        wan_ipv4=OTHER,
        public_ipv4=G,
        confirmed_ipv4=OTHER,
    )
    by_name = replace(TCP4, line=line, probed=OTHER)
    assert blocked(by_name) is BlockedBy.NOTHING
    assert blocked(replace(by_name, answer=TIMED_OUT)) is BlockedBy.FILTERED
    assert states(diagnose(replace(by_name, probed=G)))[Step.WAN_ADDRESS] is StepState.UNKNOWN


def test_a_private_wan_address_is_no_obstacle_to_what_is_seen_working() -> None:
    behind = replace(BEHIND, wan_ipv4=IPv4Address("10.0.0.2"))
    assert blocked(replace(TCP4, line=behind, listener=False, answer=MET)) is BlockedBy.NOTHING
    assert blocked(replace(TCP4, line=behind, answer=ACCEPTED)) is None
