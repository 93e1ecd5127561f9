"""Noticing that a gateway has lost its table, by how long it says that it has kept it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Epoch:
    """What a PCP or NAT-PMP gateway says of the age of its table.

    - `seconds`: since the table was empty, by the gateway's clock
    - `at`: when it said so, in the time of our event loop, in seconds
    """

    seconds: int
    at: float


def pcp_lost_state(previous: Epoch, now: Epoch) -> bool:
    """Say whether all PCP mappings have to be renewed (RFC 6887 section 8.5).

    True as well when the gateway's clock has run ahead: it may be another gateway.
    """
    if now.seconds < previous.seconds - 1:
        return True
    here, there = now.at - previous.at, now.seconds - previous.seconds
    # 2 s for what is rounded, a sixteenth for clocks that are wrong.
    return here + 2 < there - there / 16 or there + 2 < here - here / 16


def natpmp_lost_state(previous: Epoch, now: Epoch) -> bool:
    """Say whether all NAT-PMP mappings have to be renewed (RFC 6886 section 3.6)."""
    expected = previous.seconds + (now.at - previous.at) * 7 / 8
    return now.seconds < expected - 2
