"""What is remembered of a pinhole: no gateway can be asked which ones there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any, Final

from .memory import By
from .model import Transport
from .pinhole import LARGEST_ID, Pinhole

_LONGEST_LEASE: Final = 1 << 32  # of PCP
_END_OF_TIME: Final = 253_402_300_800  # the year 10000


@dataclass(frozen=True, slots=True)
class Hole:
    """A pinhole that was asked for, and may be open until its lease is over.

    - `by`: the protocol by which it was asked for, from the own address `source`
    - `lease`: seconds that were asked for or granted; it `ends` in seconds since 1970
    - `number`: the id that UPnP gave it; None for PCP, and while there was no answer yet
    - `ending`: it could not be closed, only cut short: whoever asks once more prolongs it
    """

    pinhole: Pinhole
    by: By
    source: IPv6Address
    lease: int
    ends: float
    number: int | None = None
    ending: bool = False


def hole_to_dict(hole: Hole) -> dict[str, Any]:
    """Return a pinhole as it is saved."""
    return {
        "client": str(hole.pinhole.client),
        "port": hole.pinhole.port,
        "protocol": hole.pinhole.protocol.value,
        "by": hole.by.value,
        "source": str(hole.source),
        "lease": hole.lease,
        # Rather a second too long than one that is forgotten while it is open.
        "ends": int(hole.ends) + 1,
        "number": hole.number,
        "ending": hole.ending,
    }


def hole_from_dict(stored: Mapping[str, Any]) -> Hole:
    """Return a pinhole that was saved. Raises KeyError, TypeError, ValueError."""
    number = stored["number"]
    return Hole(
        Pinhole(
            IPv6Address(str(stored["client"])),
            _number(stored["port"], 65535),
            Transport(stored["protocol"]),
        ),
        By(stored["by"]),
        IPv6Address(str(stored["source"])),
        _number(stored["lease"], _LONGEST_LEASE),
        _number(stored["ends"], _END_OF_TIME),
        None if number is None else _number(number, LARGEST_ID),
        stored["ending"] is True,
    )


def _number(stored: object, most: int) -> int:
    if type(stored) is int and 0 <= stored <= most:
        return stored
    raise ValueError
