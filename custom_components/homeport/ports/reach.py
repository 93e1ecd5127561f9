"""What a prober's answer is worth. Pure: no I/O, no clock."""

from enum import StrEnum
from ipaddress import IPv4Address

from ..gateway import Transport
from ..line import LineMode, LineReport
from .plan import MappingState


class Reachability(StrEnum):
    """What was seen from outside."""

    REACHABLE = "reachable"
    POSSIBLE = "possible"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"


class NotProbed(Exception):
    """There is a reason not to ask the prober. `translation_key` names it."""

    def __init__(self, translation_key: str) -> None:
        """Take the name of the reason."""
        super().__init__(translation_key)
        self.translation_key = translation_key


def address_to_probe(line: LineReport, protocol: Transport) -> IPv4Address:
    """Return the public address under which a port may be probed.

    Raises NotProbed where the result would say nothing about this home, or would knock at another
    home's port.
    """
    if protocol is not Transport.TCP:
        raise NotProbed("prober_tcp_only")
    match line.mode:
        case LineMode.OFFLINE:
            raise NotProbed("line_offline")
        case LineMode.CGNAT:
            raise NotProbed("line_cgnat")
        case LineMode.DS_LITE:
            raise NotProbed("line_ds_lite")
    if line.public_ipv4 is None:
        raise NotProbed("no_public_address")
    return line.public_ipv4


def reachability(
    line: LineReport, probed: IPv4Address, mapping: MappingState | None, *, accepted: bool
) -> Reachability:
    """Judge an answer of a prober that tells only whether the connection was accepted.

    An accepted connection proves our port only where the opening reads back to our target and the
    address is this home's alone. Else something accepted, and nobody knows what.
    """
    if not accepted:
        return Reachability.UNREACHABLE
    ours = mapping is MappingState.OPEN and line.mode is LineMode.PUBLIC
    if ours and probed == line.wan_ipv4 == line.confirmed_ipv4:
        return Reachability.REACHABLE
    return Reachability.POSSIBLE
