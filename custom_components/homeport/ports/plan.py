"""What to do so that the gateway shows what is wanted. Pure: no I/O, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..gateway import MappingKey, Opening, PortMapping

LEASE = 7200
"""Seconds to ask for, as Tailscale and libplum do. A mapping that nobody renews is gone by then."""


class MappingState(StrEnum):
    """What the gateway's table shows for a port."""

    OPEN = "open"
    CLOSED = "closed"
    MISSING = "missing"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in this order: `close`, `forget`, `open`.

    - `close`: a mapping that is provably ours and no longer wanted
    - `forget`: the remembered opening is not on the gateway any more, or never was ours
    - `open`: a mapping to add, or to renew
    - `holder`: the foreign mapping that has the wanted external port
    """

    close: Opening | None = None
    forget: bool = False
    open: Opening | None = None
    holder: PortMapping | None = None


def plan(
    wanted: Opening | None,
    remembered: Opening | None,
    table: Mapping[MappingKey, PortMapping | None],
    granted: int | None = None,
) -> Plan:
    """Decide the next steps for one port.

    `remembered` is what was opened for it before; `table` holds what the gateway has now at the
    keys of both, and `granted` is the lease that the gateway gave, in seconds, if that was read: at
    half of it the mapping is renewed. Only a mapping whose description, client and ports are those
    of an opening of ours is ever closed or replaced.
    """
    stale = remembered if remembered != wanted else None
    stale_mapping = table[stale.key] if stale else None
    stale_is_ours = bool(stale and stale_mapping and stale_mapping.is_of(stale))
    close = stale if stale_is_ours else None
    forget = stale is not None and not stale_is_ours
    if wanted is None:
        return Plan(close=close, forget=forget)
    found = table[wanted.key]
    if found is None or (close and close.key == wanted.key):
        return Plan(close=close, forget=forget, open=wanted)
    if not found.is_of(wanted):
        return Plan(close=close, forget=forget, holder=found)
    # One that is ours, but not remembered as such, has to be: else nobody would ever close it.
    due = 0 < found.lease <= (granted or LEASE) // 2
    # miniupnpd 2.3.1 shows 0 when it is late to end one, which elsewhere stands for ever.
    due = due or (found.lease == 0 and granted is not None)
    renew = remembered != wanted or not found.enabled or due
    return Plan(close=close, forget=forget, open=wanted if renew else None)


def mapping_state(
    wanted: Opening | None, opening: Opening, found: PortMapping | None
) -> MappingState:
    """Say what `found`, read back at the key of `opening`, means for a port."""
    if found is not None and found.is_of(opening):
        return MappingState.OPEN if found.enabled else MappingState.MISSING
    if wanted is None:
        return MappingState.CLOSED
    return MappingState.FOREIGN if found else MappingState.MISSING
