"""When to look at the line again. Pure: no I/O, no clock."""

from dataclasses import dataclass
from enum import StrEnum

from ..line import LineMode, LineReport, Reason
from ..options import LineOptions

CONFIRM = 12 * 3600.0
"""Seconds between two looks from outside where a change announces itself."""
ECHO_POLL = 900.0
"""Seconds between two, where only the echoes can tell: they are other people's web servers."""

# Where the home has no IPv4 address of its own that could change.
_CLOSED = frozenset({LineMode.DS_LITE, LineMode.NAT64, LineMode.CGNAT, LineMode.NONE})

_CONTRADICTIONS = frozenset({Reason.ECHOES_DISAGREE, Reason.STUN_DISAGREES})


class By(StrEnum):
    """Whom to ask."""

    ECHO = "echo"
    STUN = "stun"


@dataclass(frozen=True, slots=True)
class Look:
    """Ask in `seconds` whether everything is still as it was."""

    by: By
    seconds: float


def next_look(
    line: LineReport, options: LineOptions, *, gateway_pushes: bool, host_watched: bool
) -> Look | None:
    """Return when and how to look again; None where nobody may be asked.

    `gateway_pushes`: the gateway tells of changes; `host_watched`: the kernel tells of those of
    this machine's addresses.
    """
    if _tells(line, gateway_pushes=gateway_pushes, host_watched=host_watched):
        if options.echo_urls:
            return Look(By.ECHO, CONFIRM)
        return Look(By.STUN, CONFIRM) if options.stun_servers else None
    if options.stun_servers and options.stun_minutes:
        return Look(By.STUN, options.stun_minutes * 60.0)
    return Look(By.ECHO, ECHO_POLL) if options.echo_urls else None


def _tells(line: LineReport, *, gateway_pushes: bool, host_watched: bool) -> bool:
    """Say whether a change of the line announces itself."""
    if not host_watched or line.internet is False or _CONTRADICTIONS & {*line.reasons}:
        return False
    if line.mode is LineMode.MAP_E and line.port_set:
        return True  # IPv4 follows from IPv6, which the kernel knows at once
    own = line.wan_ipv4 is not None and line.wan_ipv4 == line.public_ipv4
    return gateway_pushes and (own or line.mode in _CLOSED)
