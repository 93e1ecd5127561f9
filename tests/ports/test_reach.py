from dataclasses import replace
from itertools import product

import pytest

from custom_components.homeport.line import Confidence, Ipv6Mode, LineMode, LineReport, Openable
from custom_components.homeport.outside.prober import Answer, Outcome
from custom_components.homeport.ports import (
    MappingState,
    NotProbed,
    PinholeState,
    PortFacts,
    Reachability,
    ServiceSeen,
    question_allowed,
    seen_from_outside,
)

from .port_facts import (
    ACCEPTED,
    BEHIND,
    G6,
    LINE,
    MAP_E,
    MET,
    MINE,
    NEIGHBOURS,
    OTHER,
    OTHER6,
    PORTS,
    TCP4,
    TCP6,
    G,
)

BEHIND_MAP_E = replace(MAP_E, ipv4_openable=Openable.AFTER_SECOND_ROUTER)


def refusal(line: LineReport, family: int, port: int = MINE) -> str:
    with pytest.raises(NotProbed) as caught:
        question_allowed(line, 6 if family == 6 else 4, port)
    return caught.value.translation_key


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(LINE, id="public"),
        pytest.param(BEHIND, id="double NAT"),
        pytest.param(replace(LINE, mode=None), id="not known"),
        pytest.param(replace(LINE, wan_ipv4=OTHER), id="as the outside sees us"),
    ],
)
def test_any_port_of_an_address_of_ones_own_is_probed(line: LineReport) -> None:
    question_allowed(line, 4, NEIGHBOURS)


@pytest.mark.parametrize("line", [MAP_E, BEHIND_MAP_E])
def test_of_a_shared_address_only_our_ports_are_probed(line: LineReport) -> None:
    question_allowed(line, 4, MINE)
    for port in NEIGHBOURS, 80, 8123, 65535:
        assert refusal(line, 4, port) == "not_in_port_set"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (replace(LINE, public_ipv4=None), "no_public_address"),
        (LineReport(), "no_public_address"),
        *(
            (replace(LINE, mode=mode), reason)
            for mode, reason in (
                (LineMode.OFFLINE, "line_offline"),
                (LineMode.CGNAT, "line_cgnat"),
                (LineMode.DS_LITE, "line_ds_lite"),
                (LineMode.NAT64, "line_nat64"),
                (LineMode.NONE, "line_none"),
                (LineMode.MAP_E, "port_set_unknown"),
                (LineMode.A_PLUS_P, "port_set_unknown"),
            )
        ),
    ],
)
def test_there_is_a_reason_not_to_probe(line: LineReport, reason: str) -> None:
    assert refusal(line, 4) == reason


def test_an_ipv6_line_that_is_not_sure_to_be_none_is_probed() -> None:
    unsure = {"ipv6_confidence": Confidence.POSSIBLE, "ipv6_openable": Openable.UNKNOWN}
    for mode in Ipv6Mode:
        question_allowed(replace(LINE, ipv6_mode=mode, **unsure), 6, MINE)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", [LineMode.CGNAT, LineMode.DS_LITE, LineMode.MAP_E, None])
def test_over_ipv6_every_port_is_the_homes(mode: LineMode | None) -> None:
    question_allowed(replace(LINE, mode=mode, port_set=PORTS), 6, NEIGHBOURS)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (replace(LINE, mode=LineMode.OFFLINE), "line_offline"),
        (replace(LINE, ipv6_mode=Ipv6Mode.NONE), "line_no_ipv6"),
        (replace(LINE, ipv6_mode=Ipv6Mode.NGN_ONLY), "line_no_ipv6"),
        (replace(LINE, ipv6_openable=Openable.NONE), "line_no_ipv6"),
    ],
)
def test_there_is_a_reason_not_to_probe_over_ipv6(line: LineReport, reason: str) -> None:
    assert refusal(line, 6) == reason


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.REFUSED, Reachability.REFUSED),
        (Outcome.TIMED_OUT, Reachability.TIMED_OUT),
        (Outcome.UNREACHABLE, Reachability.UNREACHABLE),
    ],
)
def test_what_was_not_accepted_is_told_as_it_was_seen(
    outcome: Outcome, expected: Reachability
) -> None:
    for facts in TCP4, TCP6:
        assert seen_from_outside(replace(facts, answer=Answer(outcome))) is expected
        # No answer that contradicts itself is believed.
        liar = replace(facts, answer=Answer(outcome, nonce_seen=True), listener_met=True)
        assert seen_from_outside(liar) is expected


def test_without_an_answer_nothing_is_known() -> None:
    assert seen_from_outside(replace(TCP4, answer=None, listener_met=True)) is None


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(facts, Reachability.REACHABLE if proved else Reachability.POSSIBLE, id=name)
        for name, facts, proved in (
            ("all proofs", TCP4, True),
            ("in the port set", replace(TCP4, line=MAP_E), True),
            ("a neighbour's port", replace(TCP4, line=MAP_E, external_port=NEIGHBOURS), False),
            ("mapping not known", replace(TCP4, mapping=None), False),
            ("another address was probed", replace(TCP4, probed=OTHER), False),
            ("the second router's port set", replace(TCP4, line=BEHIND_MAP_E), False),
            ("the device is elsewhere", replace(TCP4, target_moved=True), False),
            ("nobody knows where the device is", replace(TCP4, target_known=False), False),
            ("nothing listens there", replace(TCP4, service=ServiceSeen.DOWN), False),
            ("only loopback", replace(TCP4, service=ServiceSeen.LOOPBACK_ONLY), False),
            ("the host is not seen at home", replace(TCP4, service=ServiceSeen.HOST_ABSENT), True),
            ("the service was not asked", replace(TCP4, service=None), True),
            ("any port accepts", replace(TCP4, baseline=Outcome.ACCEPTED), False),
            ("the baseline is not known", replace(TCP4, baseline=None), True),
            ("it is being found out", replace(TCP4, baseline=None, baseline_pending=True), False),
            ("somebody, and not our listener", replace(TCP4, listener=True), False),
            ("all proofs, IPv6", TCP6, True),
            ("firewall off", replace(TCP6, pinhole=PinholeState.FIREWALL_OFF), True),
            ("no pinhole", replace(TCP6, pinhole=PinholeState.MISSING), False),
            ("pinhole not known", replace(TCP6, pinhole=None), False),
            ("another host's address", replace(TCP6, probed=OTHER6), False),
            ("a temporary address", replace(TCP6, unstable_address=True), False),
            ("no such line", replace(TCP6, line=replace(LINE, ipv6_openable=Openable.NONE)), False),
            ("a mapping is no pinhole", replace(TCP6, pinhole=None, mapping=TCP4.mapping), False),
        )
    ],
)
def test_what_an_accepted_connection_proves(facts: PortFacts, expected: Reachability) -> None:
    assert seen_from_outside(facts) is expected
    assert seen_from_outside(replace(facts, answer=MET)) is Reachability.REACHABLE
    met = replace(facts, listener=True, listener_met=True)
    assert seen_from_outside(met) is Reachability.REACHABLE


def test_reachable_needs_every_proof() -> None:
    """Of all combinations, only the ones with all proofs are called reachable."""
    addresses = (G, OTHER, None)
    combinations = product(Openable, addresses, addresses, (G, OTHER), (*MappingState, None))
    reachable = [
        combination
        for combination in combinations
        if seen_from_outside(_accepted(*combination)) is Reachability.REACHABLE
    ]
    assert reachable == [
        (openable, address, address, address, MappingState.OPEN)
        for openable in (Openable.ALL, Openable.PORT_SET)
        for address in (G, OTHER)
    ]


def _accepted(openable: Openable, wan: object, confirmed: object, *rest: object) -> PortFacts:
    probed, mapping = rest
    line = replace(
        TCP4.line,
        ipv4_openable=openable,
        port_set=PORTS if openable is Openable.PORT_SET else None,
        wan_ipv4=wan,
        confirmed_ipv4=confirmed,
    )
    return replace(TCP4, line=line, probed=probed, mapping=mapping, answer=ACCEPTED)


def test_what_is_no_global_address_is_not_the_internets() -> None:
    inside = G6.__class__("fd00::20")
    facts = replace(TCP6, probed=inside, target_address=inside)
    assert seen_from_outside(facts) is Reachability.POSSIBLE
