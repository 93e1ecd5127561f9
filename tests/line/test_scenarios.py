"""Each home is told for what it is, and with less to go on never surely for something else."""

from dataclasses import replace
from itertools import combinations

import pytest

from custom_components.homeport.line import LineReport, Openable, classify

from .scenarios import SCENARIOS, Truth

PIECES = (
    "gateway",
    "host",
    "echo4",
    "echo6",
    "stun4",
    "mtu",
    "names",
    "system_names",
    "reverse_name",
    "second_hop",
    "home_gateway",
    "proof",
)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    evidence, truth = SCENARIOS[name]
    line = classify(evidence)
    assert (line.mode, line.confidence) == (truth.mode, truth.confidence), line
    assert line.ipv6_mode is truth.ipv6, line
    assert line.carrier is truth.carrier, line
    assert line.ipv4_openable is truth.openable, line
    assert line.port_set == truth.ports, line
    assert line.reasons or (line.mode is None and line.ipv6_mode is None)


def test_there_are_enough() -> None:
    assert len(SCENARIOS) >= 60


def wrong(line: LineReport, truth: Truth) -> bool:
    """Say whether a report claims, with some confidence, what is not so."""
    if line.confidence.is_sure and line.mode is not truth.mode and line.mode not in truth.also:
        return True
    return line.ipv6_confidence.is_sure and line.ipv6_mode is not truth.ipv6


@pytest.mark.parametrize("name", SCENARIOS)
def test_less_evidence_never_surely_misleads(name: str) -> None:
    """Every subset of the evidence: less confidence or no mode, but not a wrong one."""
    evidence, truth = SCENARIOS[name]
    there = [piece for piece in PIECES if getattr(evidence, piece) is not None]
    for count in range(1, len(there) + 1):
        for dropped in combinations(there, count):
            line = classify(replace(evidence, **dict.fromkeys(dropped)))
            assert not wrong(line, truth), (dropped, line)


@pytest.mark.parametrize("name", SCENARIOS)
def test_less_evidence_never_opens_what_is_closed(name: str) -> None:
    evidence, truth = SCENARIOS[name]
    if truth.openable not in {Openable.NONE, Openable.PORT_SET}:
        return
    there = [piece for piece in PIECES if getattr(evidence, piece) is not None]
    for count in range(1, len(there) + 1):
        for dropped in combinations(there, count):
            line = classify(replace(evidence, **dict.fromkeys(dropped)))
            assert line.ipv4_openable is not Openable.ALL, (dropped, line)


def test_confirmed_addresses_are_the_homes() -> None:
    for name, (evidence, _) in SCENARIOS.items():
        line = classify(evidence)
        assert line.confirmed_ipv4 in {None, line.wan_ipv4, line.public_ipv4}, name
