"""Which ports there are to choose from: those that are this home's, and not taken."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry

from .const import (
    CONF_EXTERNAL_PORT,
    CONF_FAMILIES,
    CONF_INTERNAL_CLIENT,
    CONF_INTERNAL_PORT,
    CONF_PROTOCOL,
    SUBENTRY_PORT,
    Family,
)
from .line import LineReport, PortSet

_SHOWN_RANGES = 3
_LAST_PORT = 65535
_FIRST_ORDINARY_PORT = 1024  # below are the system ports (RFC 6335 section 6)


def own_port_set(line: LineReport) -> PortSet | None:
    """Return the ports of this home where there is surely no other; None anywhere else."""
    return line.port_set if line.confidence.is_sure else None


def families_of(data: Mapping[str, Any]) -> frozenset[Family]:
    """Return the families over which a port is to be reached, from a subentry's data."""
    return frozenset(map(Family, data.get(CONF_FAMILIES, (Family.IPV4,))))


def unique_id(data: Mapping[str, Any]) -> str:
    """Return the unique id of a port: two of a protocol cannot share an external port.

    Over IPv6 every device has all ports for itself.
    """
    if Family.IPV4 in families_of(data):
        return f"{data[CONF_PROTOCOL]}_{data[CONF_EXTERNAL_PORT]}"
    client = data.get(CONF_INTERNAL_CLIENT, "")
    return f"{data[CONF_PROTOCOL]}_{data[CONF_INTERNAL_PORT]}_{client}_ipv6"


def taken_ports(
    entry: ConfigEntry[Any], protocol: str, *, but: str | None = None
) -> frozenset[int]:
    """Return the external ports that an entry's ports of a protocol have; `but`: all but one."""
    return frozenset(
        subentry.data[CONF_EXTERNAL_PORT]
        for subentry in _others(entry, protocol, but)
        if Family.IPV4 in families_of(subentry.data)
    )


def is_taken_over_ipv6(
    entry: ConfigEntry[Any], data: Mapping[str, Any], *, but: str | None = None
) -> bool:
    """Say whether another port of an entry opens the same one of the same device over IPv6."""
    if Family.IPV6 not in families_of(data):
        return False
    same = CONF_INTERNAL_PORT, CONF_INTERNAL_CLIENT
    return any(
        Family.IPV6 in families_of(subentry.data)
        and all(subentry.data.get(key) == data.get(key) for key in same)
        for subentry in _others(entry, data[CONF_PROTOCOL], but)
    )


def free_port(port_set: PortSet | None, near: int, taken: Collection[int]) -> int | None:
    """Return the external port to take where it does not matter which; None if none is left.

    `port_set` is the home's where that is limited. Else it is the port itself, or the next one.
    """
    if port_set:
        return nearest_free(port_set, near, taken)
    above = range(max(near + 1, _FIRST_ORDINARY_PORT), _LAST_PORT + 1)
    ports = chain((near,), above, range(_FIRST_ORDINARY_PORT, near))
    return next((port for port in ports if port not in taken), None)


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


def _others(entry: ConfigEntry[Any], protocol: str, but: str | None) -> Iterator[ConfigSubentry]:
    for subentry in entry.get_subentries_of_type(SUBENTRY_PORT):
        if subentry.subentry_id != but and subentry.data[CONF_PROTOCOL] == protocol:
            yield subentry
