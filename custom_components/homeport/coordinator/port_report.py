"""What is known of a port."""

from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Address
from typing import Final

from ..gateway import PortMapping
from ..ports import MappingState, PinholeState, Reachability
from .pinhole import PinholeReport

_MAPPINGS: Final[dict[MappingState | None, bool]] = {
    MappingState.OPEN: True,
    MappingState.CLOSED: False,
}
_PINHOLES: Final[dict[PinholeState | None, bool]] = {
    PinholeState.OPEN: True,
    PinholeState.FIREWALL_OFF: True,
    PinholeState.CLOSED: False,
}

_NOT_KNOWN: Final = PinholeReport()


@dataclass(frozen=True, slots=True)
class PortReport:
    """A port, as far as it is known.

    - `wanted`: whether its switch was turned on
    - `mapping`: what the gateway's table shows; None when that could not be read
    - `holder`: the foreign mapping that has the external port
    - `pinhole`: its IPv6 side
    - `own_only`: whether the gateway refuses since it opens ports only for the device that asks
    - `reachability`: what was seen from outside; None when not known (any more)
    - `probed`: the public address under which it was seen
    - `checked`: when it was seen
    """

    wanted: bool
    mapping: MappingState | None = None
    holder: PortMapping | None = None
    pinhole: PinholeReport = _NOT_KNOWN
    own_only: bool = False
    reachability: Reachability | None = None
    probed: IPv4Address | None = None
    checked: datetime | None = None

    def unseen(self) -> PortReport:
        """Return the report without what was seen from outside, which may be true no more."""
        return replace(self, reachability=None, probed=None, checked=None)

    def with_mapping(
        self, mapping: MappingState | None, holder: PortMapping | None = None
    ) -> PortReport:
        """Return the report with what the gateway's table shows now.

        What was seen from outside was seen through the mapping of that time.
        """
        report = self if mapping is self.mapping else self.unseen()
        return replace(report, mapping=mapping, holder=holder, own_only=False)

    def is_open(self, *, ipv4: bool, ipv6: bool) -> bool | None:
        """Say whether it is open over each family that is asked for, or over none at all.

        None for what is in between, or not known.
        """
        sides: list[bool | None] = []
        if ipv4:
            sides.append(_MAPPINGS.get(self.mapping))
        if ipv6 or self.pinhole.left_over:
            sides.append(_PINHOLES.get(self.pinhole.state))
        return sides[0] if len(set(sides)) == 1 else None
