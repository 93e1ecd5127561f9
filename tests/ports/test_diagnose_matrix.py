"""Every cell of what a home can look like from outside, as measured in the lab."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product

import pytest

from custom_components.homeport.outside.prober import Answer, Outcome
from custom_components.homeport.ports import (
    BlockedBy,
    Diagnosis,
    MappingState,
    PinholeState,
    PortFacts,
    Reachability,
    ServiceSeen,
    diagnose,
)

from .port_facts import TCP4, TCP6, UDP4, UDP6

PORTS = {("TCP", 4): TCP4, ("TCP", 6): TCP6, ("UDP", 4): UDP4, ("UDP", 6): UDP6}
SERVICES = ("up", "down", "absent", "silent")
UNMAPPED = {"drop": Outcome.TIMED_OUT, "reject": Outcome.REFUSED}

# What a prober sees through a mapping, and what the LAN shows.
THROUGH = {
    ("TCP", "up"): Outcome.ACCEPTED,
    ("TCP", "down"): Outcome.REFUSED,
    ("TCP", "absent"): Outcome.UNREACHABLE,
    ("TCP", "silent"): Outcome.TIMED_OUT,
    ("UDP", "up"): Outcome.ACCEPTED,
    ("UDP", "down"): Outcome.REFUSED,
    ("UDP", "absent"): Outcome.TIMED_OUT,
    ("UDP", "silent"): Outcome.TIMED_OUT,
}
AT_HOME = {
    ("TCP", "up"): ServiceSeen.LISTENING,
    ("TCP", "down"): ServiceSeen.DOWN,
    ("TCP", "absent"): ServiceSeen.HOST_ABSENT,
    ("TCP", "silent"): ServiceSeen.SILENT,
    ("UDP", "up"): ServiceSeen.SILENT,
    ("UDP", "down"): ServiceSeen.DOWN,
    ("UDP", "absent"): ServiceSeen.HOST_ABSENT,
    ("UDP", "silent"): ServiceSeen.SILENT,
}

# What stops it where the router leads to the target. A host that is silent over TCP filters.
STOPPED = {
    ("TCP", "up"): BlockedBy.NOTHING,
    ("TCP", "down"): BlockedBy.SERVICE_DOWN,
    ("TCP", "absent"): BlockedBy.HOST_ABSENT,
    ("TCP", "silent"): BlockedBy.HOST_FIREWALL,
    ("UDP", "up"): BlockedBy.NOTHING,
    ("UDP", "down"): BlockedBy.SERVICE_DOWN,
    ("UDP", "absent"): BlockedBy.HOST_ABSENT,
    ("UDP", "silent"): BlockedBy.SERVICE_SILENT,
}
# The same where nobody could ask at home; with a router that rejects, a refusal may be its own.
STOPPED_UNASKED = {
    ("TCP", "up", "drop"): BlockedBy.NOTHING,
    ("TCP", "up", "reject"): BlockedBy.NOTHING,
    ("TCP", "down", "drop"): BlockedBy.SERVICE_DOWN,
    ("TCP", "down", "reject"): None,
    ("TCP", "absent", "drop"): BlockedBy.HOST_ABSENT,
    ("TCP", "absent", "reject"): BlockedBy.HOST_ABSENT,
    ("TCP", "silent", "drop"): BlockedBy.FILTERED,
    ("TCP", "silent", "reject"): BlockedBy.FILTERED,
    ("UDP", "up", "drop"): BlockedBy.NOTHING,
    ("UDP", "up", "reject"): BlockedBy.NOTHING,
    ("UDP", "down", "drop"): BlockedBy.SERVICE_DOWN,
    ("UDP", "down", "reject"): None,
    ("UDP", "absent", "drop"): BlockedBy.SERVICE_SILENT,
    ("UDP", "absent", "reject"): BlockedBy.SERVICE_SILENT,
    ("UDP", "silent", "drop"): BlockedBy.SERVICE_SILENT,
    ("UDP", "silent", "reject"): BlockedBy.SERVICE_SILENT,
}
NOT_OPEN = {4: BlockedBy.NO_MAPPING, 6: BlockedBy.ROUTER_FILTER_V6}
AT_HOME_FIRST = {
    ("TCP", "down"): BlockedBy.SERVICE_DOWN,
    ("UDP", "down"): BlockedBy.SERVICE_DOWN,
    ("TCP", "absent"): BlockedBy.HOST_ABSENT,
    ("UDP", "absent"): BlockedBy.HOST_ABSENT,
    ("TCP", "silent"): BlockedBy.HOST_FIREWALL,
}

WIDTHS = (10, 7, 9, 6, 6, 12, 16, 17)
TITLE = (
    *("mapping", "service", "transport", "family", "WAN"),
    *("from outside", "blocked by", "not asked at home"),
)

type Cell = tuple[bool, str, str, str, int]
CELLS: list[Cell] = list(product((True, False), SERVICES, ("TCP", "UDP"), UNMAPPED, (4, 6)))


def facts_of(mapped: bool, service: str, transport: str, policy: str, family: int) -> PortFacts:
    """Return what a check finds out about such a home."""
    facts = PORTS[transport, family]
    outcome = THROUGH[transport, service] if mapped else UNMAPPED[policy]
    facts = replace(
        facts,
        service=AT_HOME[transport, service],
        answer=Answer(outcome),
        baseline=UNMAPPED[policy],
        wanted=mapped,
    )
    if mapped:
        return facts
    if family == 6:
        return replace(facts, pinhole=PinholeState.CLOSED)
    return replace(facts, mapping=MappingState.CLOSED)


def in_columns(words: Iterable[object]) -> str:
    return " ".join(str(word).ljust(width) for word, width in zip(words, WIDTHS, strict=True))


def shown(cell: Cell, found: Diagnosis, unasked: Diagnosis) -> str:
    mapped, service, transport, policy, family = cell
    where = "mapped" if mapped else "not mapped", service, transport, f"IPv{family}", policy
    stopped = found.blocked_by, unasked.blocked_by or "not known"
    return in_columns((*where, found.reachability, *stopped))


@pytest.mark.parametrize(("mapped", "service", "transport", "policy", "family"), CELLS)
def test_every_cell(mapped: bool, service: str, transport: str, policy: str, family: int) -> None:
    facts = facts_of(mapped, service, transport, policy, family)
    found, unasked = diagnose(facts), diagnose(replace(facts, service=None))
    outcome = THROUGH[transport, service] if mapped else UNMAPPED[policy]
    accepted = outcome is Outcome.ACCEPTED
    seen = Reachability.REACHABLE if accepted else Reachability(outcome.value)
    assert found.reachability is unasked.reachability is seen
    if mapped:
        assert found.blocked_by is STOPPED[transport, service]
        assert unasked.blocked_by is STOPPED_UNASKED[transport, service, policy]
    else:
        assert found.blocked_by is AT_HOME_FIRST.get((transport, service), NOT_OPEN[family])
        assert unasked.blocked_by is NOT_OPEN[family]


def test_the_whole_table_is_printed() -> None:
    """With `pytest -s`."""
    rows = []
    for cell in CELLS:
        facts = facts_of(*cell)
        rows.append(shown(cell, diagnose(facts), diagnose(replace(facts, service=None))))
    print("", in_columns(TITLE), *rows, sep="\n")  # noqa: T201
    assert len(set(rows)) == len(CELLS) == 2 * 4 * 2 * 2 * 2
