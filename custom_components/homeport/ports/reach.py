"""What a prober's answer is worth. Pure: no I/O, no clock."""

from enum import StrEnum
from ipaddress import IPv4Address

from ..gateway import Transport
from ..line import LineMode, LineReport, Openable
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


_OBSTACLES = {
    LineMode.OFFLINE: "line_offline",
    LineMode.CGNAT: "line_cgnat",
    LineMode.DS_LITE: "line_ds_lite",
    LineMode.NAT64: "line_nat64",
    LineMode.NONE: "line_none",
    # The prober sees the other exit, which is not where the port is open.
    LineMode.TWO_EXITS: "line_two_exits",
}
_LIMITED = frozenset({LineMode.MAP_E, LineMode.A_PLUS_P})


def address_to_probe(line: LineReport, protocol: Transport, external_port: int) -> IPv4Address:
    """Return the public address under which a port may be probed.

    Raises NotProbed where the result would say nothing about this home, or would knock at another
    home's port.
    """
    if protocol is not Transport.TCP:
        raise NotProbed("prober_tcp_only")
    if line.mode in _OBSTACLES:
        raise NotProbed(_OBSTACLES[line.mode])
    if line.port_set is not None and external_port not in line.port_set:
        raise NotProbed("not_in_port_set")
    if line.port_set is None and line.mode in _LIMITED:
        raise NotProbed("port_set_unknown")
    if line.public_ipv4 is None:
        raise NotProbed("no_public_address")
    return line.public_ipv4


def reachability(
    line: LineReport,
    probed: IPv4Address,
    external_port: int,
    mapping: MappingState | None,
    *,
    accepted: bool,
) -> Reachability:
    """Judge an answer of a prober that tells only whether the connection was accepted.

    An accepted connection proves our port only where the opening reads back to our target, on an
    address that is this home's alone or at a port that is. Else something accepted, and nobody
    knows what.
    """
    if not accepted:
        return Reachability.UNREACHABLE
    at_gateway = probed == line.wan_ipv4 == line.confirmed_ipv4
    if mapping is not MappingState.OPEN or not at_gateway:
        return Reachability.POSSIBLE
    if line.ipv4_openable is Openable.ALL:
        return Reachability.REACHABLE
    in_set = line.port_set is not None and external_port in line.port_set
    if line.ipv4_openable is Openable.PORT_SET and in_set:
        return Reachability.REACHABLE
    return Reachability.POSSIBLE
