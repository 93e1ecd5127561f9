"""What holds of a diagnosis whatever is known."""

from dataclasses import fields, replace
from typing import Any

from hypothesis import given, strategies as st

from custom_components.homeport.gateway import Transport
from custom_components.homeport.line import Confidence, Ipv6Mode, LineMode, LineReport, Openable
from custom_components.homeport.outside.prober import Answer, Outcome
from custom_components.homeport.ports import (
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
    seen_from_outside,
)
from tests.fuzz import fuzz

from .port_facts import G6, GOOD, MINE, NEIGHBOURS, OTHER, OTHER6, PORTS, G, states


def maybe[T](strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


BOOLS = st.booleans()
IPV4 = st.sampled_from([G, OTHER])
LINES = st.builds(
    LineReport,
    mode=maybe(st.sampled_from(LineMode)),
    confidence=st.sampled_from(Confidence),
    ipv6_mode=maybe(st.sampled_from(Ipv6Mode)),
    ipv6_confidence=st.sampled_from(Confidence),
    ipv4_openable=st.sampled_from(Openable),
    ipv6_openable=st.sampled_from(Openable),
    port_set=maybe(st.just(PORTS)),
    internet=maybe(BOOLS),
    second_nat=maybe(BOOLS),
    wan_ipv4=maybe(IPV4),
    public_ipv4=maybe(IPV4),
    confirmed_ipv4=maybe(IPV4),
)
ANSWERS = st.builds(Answer, st.sampled_from(Outcome), BOOLS)
ANY: dict[str, st.SearchStrategy[Any]] = {
    "family": st.sampled_from([4, 6]),
    "transport": st.sampled_from(Transport),
    "external_port": st.sampled_from([MINE, NEIGHBOURS]),
    "internal_port": st.just(8000),
    "line": LINES,
    "wanted": BOOLS,
    "by_hand": BOOLS,
    "has_gateway": BOOLS,
    "gateway_answers": BOOLS,
    "upnp_off": BOOLS,
    "refusal": maybe(st.just("upnp_606")),
    "refusal_names": st.just({}),
    "mapping": maybe(st.sampled_from(MappingState)),
    "holder": maybe(st.just("192.168.77.66")),
    "pinhole": maybe(st.sampled_from(PinholeState)),
    "second_told": BOOLS,
    "own_target": BOOLS,
    "target_known": BOOLS,
    "target_address": maybe(st.sampled_from([G6, OTHER6])),
    "target_moved": maybe(BOOLS),
    "unstable_address": BOOLS,
    "service": maybe(st.sampled_from(ServiceSeen)),
    "listener": BOOLS,
    "listener_met": BOOLS,
    "probed": maybe(st.sampled_from([G, OTHER, G6, OTHER6])),
    "answer": maybe(ANSWERS),
    "tells_why": BOOLS,
    "outside_failed": maybe(st.just("outside_unreachable")),
    "waits": BOOLS,
    "baseline": maybe(st.sampled_from(Outcome)),
    "baseline_pending": BOOLS,
    "other_port_reachable": maybe(BOOLS),
    "own_url": maybe(
        st.builds(
            OwnUrl,
            BOOLS,
            maybe(st.sampled_from(NameSeen)),
            maybe(st.sampled_from(CertificateSeen)),
        )
    ),
    "seconds": st.just({}),
}


@st.composite
def ports(draw: st.DrawFn) -> PortFacts:
    """Draw a port: one that works with a few things changed, or any at all."""
    good = draw(st.sampled_from(GOOD))
    names = draw(st.sets(st.sampled_from(sorted(ANY)), max_size=4) | st.just(set(ANY)))
    return replace(good, **{name: draw(ANY[name]) for name in sorted(names)})


def test_every_fact_is_varied() -> None:
    assert set(ANY) == {field.name for field in fields(PortFacts)}


@fuzz
@given(ports())
def test_reachable_needs_proof(facts: PortFacts) -> None:
    if seen_from_outside(facts) is not Reachability.REACHABLE:
        return
    assert facts.answer is not None
    assert facts.answer.outcome is Outcome.ACCEPTED
    if facts.answer.nonce_seen or facts.listener_met:
        return
    assert not facts.listener
    assert facts.service not in {ServiceSeen.DOWN, ServiceSeen.LOOPBACK_ONLY}
    assert facts.target_known
    assert not facts.target_moved
    assert facts.baseline is not Outcome.ACCEPTED
    line = facts.line
    if facts.family == 6:
        assert facts.pinhole in {PinholeState.OPEN, PinholeState.FIREWALL_OFF}
        assert facts.probed == facts.target_address is not None
        assert not facts.unstable_address
        assert line.ipv6_openable is Openable.ALL
        return
    assert facts.mapping is MappingState.OPEN
    assert facts.probed == line.wan_ipv4 == line.confirmed_ipv4 is not None
    in_set = line.port_set is not None and facts.external_port in line.port_set
    assert line.ipv4_openable is Openable.ALL or (
        line.ipv4_openable is Openable.PORT_SET and in_set
    )


@fuzz
@given(ports())
def test_nothing_blocks_what_is_reachable_and_only_that(facts: PortFacts) -> None:
    found = diagnose(facts)
    reachable = found.reachability is Reachability.REACHABLE
    assert (found.blocked_by is BlockedBy.NOTHING) == (reachable and not facts.listener)
    if reachable and facts.listener:
        assert found.blocked_by in {BlockedBy.SERVICE_DOWN, BlockedBy.BOUND_TO_LOOPBACK}


@fuzz
@given(ports())
def test_what_is_named_is_a_step_that_did_not_pass(facts: PortFacts) -> None:
    found = diagnose(facts)
    if found.blocked_by not in {None, BlockedBy.NOTHING}:
        stopped = [each.state for each in found.steps if each.detail == found.blocked_by]
        assert set(stopped) & {StepState.FAILED, StepState.UNKNOWN}
    for each in found.steps:
        if each.state in {StepState.PASSED, StepState.NOT_NEEDED}:
            assert each.detail is None


@fuzz
@given(ports())
def test_what_is_not_green_has_a_next_step(facts: PortFacts) -> None:
    found = diagnose(facts)
    if found.blocked_by is not BlockedBy.NOTHING:
        assert found.next_step is not None


@fuzz
@given(ports())
def test_only_what_is_filtered_has_candidates(facts: PortFacts) -> None:
    found = diagnose(facts)
    assert bool(found.candidates) == (found.blocked_by is BlockedBy.FILTERED)
    if found.candidates == (Candidate.PROVIDER,):
        assert facts.other_port_reachable


NOT_CHECKED: dict[Step, dict[str, Any]] = {
    Step.SERVICE: {"service": None},
    Step.TARGET: {"target_moved": None, "service": None, "own_target": False},
    Step.LINE: {"line": LineReport()},
    Step.PORT_SET: {"line": LineReport()},
    Step.MAPPING: {"mapping": None},
    Step.FIREWALL: {"pinhole": None},
    Step.WAN_ADDRESS: {"line": LineReport()},
    Step.OUTSIDE: {"answer": None},
    Step.NAME: {"own_url": OwnUrl(https=True)},
    Step.CERTIFICATE: {"own_url": OwnUrl(https=True)},
}


@fuzz
@given(ports(), st.sampled_from(Step))
def test_a_step_that_cannot_be_checked_is_never_passed(facts: PortFacts, step: Step) -> None:
    found = states(diagnose(replace(facts, **NOT_CHECKED[step])))
    assert found.get(step) is not StepState.PASSED


EVIDENCE: dict[str, Any] = {
    "mapping": None,
    "pinhole": None,
    "target_known": False,
    "target_address": None,
    "listener_met": False,
    "probed": None,
    "answer": None,
    "line": LineReport(),
}
OF_LINE = [field for field in fields(LineReport) if field.name not in {"reasons", "remedies"}]


@fuzz
@given(ports(), st.sampled_from(sorted(EVIDENCE)), st.sampled_from(OF_LINE))
def test_less_evidence_makes_nothing_green(facts: PortFacts, name: str, of_line: Any) -> None:
    if seen_from_outside(facts) is Reachability.REACHABLE:
        return
    less = replace(facts.line, **{of_line.name: of_line.default})
    poorer = [replace(facts, **{name: EVIDENCE[name]}), replace(facts, line=less)]
    if facts.answer:
        poorer.append(replace(facts, answer=replace(facts.answer, nonce_seen=False)))
    if facts.answer is None or facts.answer.outcome is not Outcome.ACCEPTED:
        # Of what did not accept, not even what speaks against it being ours makes a difference.
        poorer += [replace(facts, service=None), replace(facts, baseline=None)]
    for each in poorer:
        assert diagnose(each).blocked_by is not BlockedBy.NOTHING
        assert seen_from_outside(each) is not Reachability.REACHABLE
