"""What is known of a port."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from ..gateway import PortMapping
from ..outside import Family
from ..ports import BlockedBy, MappingState, PinholeState, Reachability
from .check import Check
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
    - `checks`: what looking at it from outside has come to, by family; none that may be true no
      more
    """

    wanted: bool
    mapping: MappingState | None = None
    holder: PortMapping | None = None
    pinhole: PinholeReport = _NOT_KNOWN
    own_only: bool = False
    checks: Mapping[Family, Check] = field(default_factory=dict)

    @property
    def checked(self) -> datetime | None:
        """Return when somebody outside has answered last; None where nobody has."""
        times = [each.checked for each in self.checks.values() if each.checked]
        return max(times, default=None)

    def reachability(self, family: Family) -> Reachability | None:
        """Return what was seen from outside; None when not known (any more)."""
        found = self.checks.get(family)
        return found.diagnosis.reachability if found else None

    def blocked_by(self, family: Family) -> BlockedBy | None:
        """Return what stops it from being reached; None when not known (any more)."""
        found = self.checks.get(family)
        return found.diagnosis.blocked_by if found else None

    def unseen(self) -> PortReport:
        """Return the report without what was seen from outside, which may be true no more."""
        return replace(self, checks={})

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
