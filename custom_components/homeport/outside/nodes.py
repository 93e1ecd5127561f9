"""What several nodes of one prober say together."""

from collections.abc import Iterable
from typing import Final

from .errors import OutsideInvalid, OutsideUnreachable
from .prober import Outcome

NODES: Final = 3
"""How many are asked, where it can be chosen."""
ENOUGH: Final = 2
"""Nodes that have to see a connection accepted: one may sit behind something that accepts every
connection itself, such as a proxy or an operator's accelerator."""


def agreed(outcomes: Iterable[Outcome]) -> Outcome:
    """Return what the nodes have met.

    `accepted` where two and most of them say so, `refused` where any does, `timed_out` where all
    do. Raises OutsideUnreachable when none has an outcome, and OutsideInvalid when only some saw
    the connection accepted: then it is not known.
    """
    met = list(outcomes)
    if not met:
        raise OutsideUnreachable("no node has an outcome")
    if accepted := met.count(Outcome.ACCEPTED):
        if accepted < ENOUGH or 2 * accepted <= len(met):
            raise OutsideInvalid("the nodes do not agree")
        return Outcome.ACCEPTED
    if Outcome.REFUSED in met:
        return Outcome.REFUSED
    return Outcome.TIMED_OUT if set(met) == {Outcome.TIMED_OUT} else Outcome.UNREACHABLE
