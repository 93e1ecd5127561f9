"""Several nodes are believed only as far as they agree."""

import pytest

from custom_components.homeport.outside.errors import OutsideInvalid, OutsideUnreachable
from custom_components.homeport.outside.nodes import agreed
from custom_components.homeport.outside.prober import Outcome

A, R, T, U = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.TIMED_OUT, Outcome.UNREACHABLE


@pytest.mark.parametrize(
    ("met", "outcome"),
    [
        ([A, A, A], A),
        ([A, A], A),
        ([A, T, A], A),
        ([A, A, R], A),
        ([R, R, R], R),
        ([T, R, T], R),
        ([U, R], R),
        ([R], R),
        ([T, T, T], T),
        ([T], T),
        ([T, U, T], U),
        ([U, U], U),
    ],
)
def test_what_they_have_met(met: list[Outcome], outcome: Outcome) -> None:
    assert agreed(met) is outcome


@pytest.mark.parametrize(
    "met", [[A], [A, T], [A, R], [A, T, T], [A, R, U], [A, A, T, T], [A, A, R, R, R]]
)
def test_a_few_that_were_let_in_prove_nothing(met: list[Outcome]) -> None:
    with pytest.raises(OutsideInvalid):
        agreed(met)


def test_nobody_says_anything() -> None:
    with pytest.raises(OutsideUnreachable):
        agreed([])
