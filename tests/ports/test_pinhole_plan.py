"""What is done with a pinhole: a table of what is wanted, remembered and seen."""

from dataclasses import replace
from ipaddress import IPv6Address

from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.gateway import (
    ActionRefused,
    GatewayError,
    GatewayUnreachable,
    Hole,
    PcpRefused,
    Pinhole,
    PinholeForbidden,
    PinholeUnsupported,
    Transport,
)
from custom_components.homeport.gateway.memory import By
from custom_components.homeport.gateway.pinhole import Forbidden
from custom_components.homeport.ports.pinhole_plan import PinholePlan, by_hand_only, pinhole_plan
from tests.fuzz import fuzz

NOW = 1_000_000.0
OWN, OLD, OTHER = (IPv6Address(f"2a00:77:77:1::{each}") for each in (10, 11, 20))
A = Pinhole(OWN, 8123, Transport.TCP)
UDP = replace(A, protocol=Transport.UDP)
HOLE = Hole(A, By.IGD, OWN, 3600, NOW + 3000, 1)
HALF = replace(HOLE, ends=NOW + 1800)
OVER = replace(HOLE, ends=NOW)
BY_PCP = replace(HOLE, by=By.PCP, number=None)
ENDING = replace(BY_PCP, ends=NOW + 10, lease=10, ending=True)
STRANDED = replace(HOLE, pinhole=replace(A, client=OLD), source=OLD)
FOR_OTHER = replace(BY_PCP, pinhole=replace(A, client=OTHER))

# (wanted, remembered, which of them were seen, what to do)
PLANS: dict[str, tuple[Pinhole | None, list[Hole], list[Hole], PinholePlan]] = {
    "nothing wanted, nothing remembered": (None, [], [], PinholePlan()),
    "wanted for the first time": (A, [], [], PinholePlan(open=A)),
    "wanted and seen": (A, [HOLE], [HOLE], PinholePlan(read=HOLE)),
    "wanted, from an earlier run": (A, [HOLE], [], PinholePlan(open=A)),
    "half the lease left": (A, [HALF], [HALF], PinholePlan(open=A)),
    "the lease is over": (A, [OVER], [OVER], PinholePlan(forget=(OVER,), open=A)),
    "no longer wanted": (None, [HOLE], [HOLE], PinholePlan(close=(HOLE,))),
    "no longer wanted, not seen": (None, [HOLE], [], PinholePlan(close=(HOLE,))),
    "no longer wanted, and over": (None, [OVER], [], PinholePlan(forget=(OVER,))),
    "asked for by both protocols": (None, [HOLE, BY_PCP], [], PinholePlan(close=(HOLE, BY_PCP))),
    "one of both was seen": (A, [HOLE, BY_PCP], [BY_PCP], PinholePlan(read=BY_PCP)),
    "another protocol": (UDP, [HOLE], [HOLE], PinholePlan(close=(HOLE,), open=UDP)),
    "another host from now on": (A, [FOR_OTHER], [], PinholePlan(close=(FOR_OTHER,), open=A)),
    "cut short, and not asked again": (None, [ENDING], [], PinholePlan(ending=(ENDING,))),
    "cut short, and wanted again": (A, [ENDING], [ENDING], PinholePlan(open=A)),
    "our address is another one": (A, [STRANDED], [], PinholePlan(open=A)),
    "our address is gone, not wanted": (None, [STRANDED], [], PinholePlan()),
}


@pytest.mark.parametrize(("wanted", "remembered", "sure", "steps"), PLANS.values(), ids=PLANS)
def test_plan(
    wanted: Pinhole | None, remembered: list[Hole], sure: list[Hole], steps: PinholePlan
) -> None:
    assert pinhole_plan(wanted, remembered, [OWN], sure, NOW) == steps


PINHOLES = st.sampled_from([A, UDP, replace(A, client=OTHER), replace(A, port=8124)])
HOLES = st.builds(
    Hole,
    PINHOLES,
    st.sampled_from([By.IGD, By.PCP]),
    st.sampled_from([OWN, OLD]),
    st.integers(1, 3600),
    st.floats(NOW - 100, NOW + 3600),
    st.none() | st.integers(0, 3),
    st.booleans(),
)


@fuzz
@given(st.none() | PINHOLES, st.lists(HOLES, max_size=5), st.data())
def test_every_plan(wanted: Pinhole | None, remembered: list[Hole], data: st.DataObject) -> None:
    sure = data.draw(st.lists(st.sampled_from(remembered)) if remembered else st.just([]))
    steps = pinhole_plan(wanted, remembered, [OWN], sure, NOW)
    # Never what is wanted is closed, never what is open is forgotten.
    assert all(hole.pinhole != wanted and hole.source == OWN for hole in steps.close)
    assert all(hole.ends <= NOW for hole in steps.forget)
    # Exactly one of both keeps what is wanted.
    assert (wanted is None) == (steps.read is None and steps.open is None)
    assert steps.read is None or steps.open is None
    assert steps.open in {None, wanted}
    # Whatever is open, can be closed and is not wanted is closed.
    for hole in remembered:
        if hole.ends > NOW and hole.source == OWN and hole.pinhole != wanted:
            assert hole in (*steps.close, *steps.ending)


@pytest.mark.parametrize(
    ("err", "expected"),
    [
        (PinholeForbidden(A, Forbidden.OTHER_HOST), True),
        (PinholeUnsupported(A), True),
        (ActionRefused(703), True),
        (ActionRefused(701), False),
        (PcpRefused(2, 30), True),
        (PcpRefused(5, 30), True),
        (PcpRefused(8, 30), False),
        (GatewayUnreachable(), False),
    ],
)
def test_what_is_left_to_be_done_by_hand(err: GatewayError, expected: bool) -> None:
    assert by_hand_only(err) is expected
