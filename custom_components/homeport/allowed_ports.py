"""Which external ports there are to choose from, on a line where not all are this home's."""

from collections.abc import Collection, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry

from .const import CONF_EXTERNAL_PORT, CONF_PROTOCOL, SUBENTRY_PORT
from .line import LineReport, PortSet

_SHOWN_RANGES = 3
_FIRST_ORDINARY_PORT = 1024  # below are the system ports (RFC 6335 section 6)


def own_port_set(line: LineReport) -> PortSet | None:
    """Return the ports of this home where there is surely no other; None anywhere else."""
    return line.port_set if line.confidence.is_sure else None


def unique_id(data: Mapping[str, Any]) -> str:
    """Return the unique id of a port: two of a protocol cannot share an external port."""
    return f"{data[CONF_PROTOCOL]}_{data[CONF_EXTERNAL_PORT]}"


def taken_ports(
    entry: ConfigEntry[Any], protocol: str, *, but: str | None = None
) -> frozenset[int]:
    """Return the external ports that an entry's ports of a protocol have; `but`: all but one."""
    return frozenset(
        subentry.data[CONF_EXTERNAL_PORT]
        for subentry in entry.get_subentries_of_type(SUBENTRY_PORT)
        if subentry.subentry_id != but and subentry.data[CONF_PROTOCOL] == protocol
    )


def nearest_free(port_set: PortSet, port: int, taken: Collection[int]) -> int | None:
    """Return the port nearest to a wanted one that can be had; None when there is none left.

    System ports are not proposed: they need a consent of their own.
    """
    nearest = port_set.nearest(port)
    if nearest >= _FIRST_ORDINARY_PORT and nearest not in taken:
        return nearest
    free = (
        each
        for first, last in port_set.ranges()
        for each in range(max(first, _FIRST_ORDINARY_PORT), last + 1)
        if each not in taken
    )
    return min(free, key=lambda each: (abs(each - port), -each), default=None)


def range_texts(port_set: PortSet) -> list[str]:
    """Return all ranges of a set, as "first-last"."""
    return [f"{first}-{last}" for first, last in port_set.ranges()]


def in_words(port_set: PortSet) -> str:
    """Return the first ranges of a set, to be read in a sentence."""
    texts = range_texts(port_set)
    more = [] if len(texts) <= _SHOWN_RANGES else ["…"]
    return ", ".join(texts[:_SHOWN_RANGES] + more)
