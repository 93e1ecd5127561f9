"""What to do so that the IPv6 firewall has the pinhole that is wanted. Pure: no I/O, no clock."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address

from ..gateway import (
    ActionRefused,
    GatewayError,
    Hole,
    PcpRefused,
    PcpResult,
    Pinhole,
    PinholeUnsupported,
    UpnpCode,
)


class PinholeState(StrEnum):
    """What the gateway's firewall does with a port."""

    OPEN = "open"
    CLOSED = "closed"
    MISSING = "missing"
    ENDING = "ending"
    """No longer wanted, and to be closed by the end of its lease only."""
    FIREWALL_OFF = "firewall_off"
    """It lets in everything."""


@dataclass(frozen=True, slots=True)
class PinholePlan:
    """What to do, in this order: `forget`, `close`, `read`, `open`.

    - `forget`: their leases are over
    - `close`: pinholes of ours that are no longer wanted
    - `read`: the one that should be there: if it is, nothing has to be opened
    - `open`: a pinhole to add, or to renew
    - `ending`: no longer wanted, and beyond closing
    """

    forget: tuple[Hole, ...] = ()
    close: tuple[Hole, ...] = ()
    read: Hole | None = None
    open: Pinhole | None = None
    ending: tuple[Hole, ...] = ()


def pinhole_plan(
    wanted: Pinhole | None,
    remembered: Iterable[Hole],
    own: Collection[IPv6Address],
    sure: Collection[Hole],
    now: float,
) -> PinholePlan:
    """Decide the next steps for one port.

    `remembered` is what was asked for it before, `own` are this machine's addresses, `sure` are
    those that the gateway was seen to have since it started. One that was opened from an address
    that is ours no more can be neither read nor closed; it leads nowhere, and ends with its lease.
    """
    forget, close, ending, same = list[Hole](), list[Hole](), list[Hole](), list[Hole]()
    for hole in remembered:
        if hole.ends <= now:
            forget.append(hole)
        elif hole.source not in own:
            continue
        elif hole.pinhole == wanted:
            same.append(hole)
        else:
            (ending if hole.ending else close).append(hole)
    fresh = (each for each in same if each in sure and each.ends - now > each.lease / 2)
    read = next((each for each in fresh if not each.ending), None)
    return PinholePlan(
        forget=tuple(forget),
        close=tuple(close),
        read=read,
        open=None if read else wanted,
        ending=tuple(ending),
    )


def by_hand_only(err: GatewayError) -> bool:
    """Say whether there is no other way than to open the pinhole on the gateway's own pages."""
    match err:
        case PinholeUnsupported():
            return True
        case ActionRefused():
            return err.code in {UpnpCode.NOT_AUTHORIZED, UpnpCode.INBOUND_PINHOLE_NOT_ALLOWED}
        case PcpRefused():
            return err.code in {
                PcpResult.NOT_AUTHORIZED,
                PcpResult.UNSUPP_OPCODE,
                PcpResult.UNSUPP_OPTION,
            }
    return False
