"""The port mapping table of the simulated gateway: pure rules, time comes from a clock."""

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address
import math

from tests.fakes.igd.faults import SoapFault

ONE_WEEK = 604_800
"""Longest lease of WANIPConnection:2, and what lease 0 becomes there, in seconds."""

_FEW = 2
_LIST_LIMIT = 100
_LIST_KILLS = 132
_CUT = 16

type Key = tuple[str, int, str]
"""(protocol "TCP" or "UDP", external port, remote host; "" is any)."""


class Quirk(StrEnum):
    """A way in which routers deviate from the default, which follows miniupnpd 2.3.1."""

    DELETE_MISSING_OK = "delete_missing_ok"
    """Deleting what is not there succeeds (miniupnpd 2.3.1, measured)."""
    REFUSE_PRIVATE_WAN = "refuse_private_wan"
    """A WAN address that is not global refuses mappings with 501 (miniupnpd 2.3.1, measured)."""
    SECURE_MODE = "secure_mode"
    """A mapping to another host than the caller is refused with 718 (miniupnpd, measured)."""
    CONFLICT_501 = "conflict_501"
    """A taken port is refused with 501 instead of 718 (routers known to libtorrent)."""
    ONLY_PERMANENT = "only_permanent"
    """A finite lease is refused with 725."""
    ONLY_PERMANENT_402 = "only_permanent_402"
    """A finite lease is refused with 402 (tailscale/tailscale#15223)."""
    NO_PERMANENT = "no_permanent"
    """Lease 0 and leases above one week are refused with 402 (n0-computer/net-tools#52)."""
    FINITE_VANISHES = "finite_vanishes"
    """A mapping with a finite lease is accepted and lost (tailscale/tailscale#18196)."""
    SAME_PORT = "same_port"
    """The internal port must equal the external one, else 724."""
    CUT_DESCRIPTION = "cut_description"
    """Sixteen characters of a description are kept."""
    LIST_LIMIT = "list_limit"
    """A list of more than a hundred mappings is refused with 501 (noted in PortMapper)."""
    LIST_KILLS = "list_kills"
    """A list of more than 132 mappings is the end of it (miniupnpd 2.3.1, measured)."""
    STAR_HOST = "star_host"
    """Any remote host has to be written as "*", else 726 (known to PortMapper)."""
    FEW_PLACES = "few_places"
    """The table holds two mappings, then 728."""
    FORGETS_ALL = "forgets_all"
    """A third mapping empties the table (as the purge of tailscale/tailscale#10597)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One mapping; `lease` in seconds as accepted, `expires` in the clock's seconds or None."""

    protocol: str
    external_port: int
    internal_client: str
    internal_port: int
    remote_host: str = ""
    description: str = ""
    lease: int = 0
    expires: float | None = None

    @property
    def key(self) -> Key:
        """What identifies the mapping on the gateway."""
        return (self.protocol, self.external_port, self.remote_host)

    def remaining(self, now: float) -> int:
        """Seconds left, rounded up; 0 is permanent."""
        return 0 if self.expires is None else max(1, math.ceil(self.expires - now))


class PortTable:
    """The mappings, oldest first, and the rules for changing them."""

    def __init__(
        self, *, clock: Callable[[], float], quirks: Container[Quirk], longest_lease: int | None
    ) -> None:
        """`longest_lease`: the limit of WANIPConnection:2 in seconds; None for version 1."""
        self.entries: dict[Key, Entry] = {}
        self.dead = False
        self._clock = clock
        self._quirks = quirks
        self._longest_lease = longest_lease

    @property
    def now(self) -> float:
        """The clock's time in seconds."""
        return self._clock()

    def expire(self) -> bool:
        """Drop what has run out; say whether anything had."""
        now = self.now
        gone = [k for k, e in self.entries.items() if e.expires is not None and e.expires <= now]
        for key in gone:
            del self.entries[key]
        return bool(gone)

    def add(self, wanted: Entry) -> None:
        """Add or replace a mapping; `wanted.expires` is ignored.

        Raises SoapFault: 402 for a port or client that is none, 716 for external port 0, 718 for
        a port that another client holds. The same client silently replaces its own mapping,
        also with another internal port (all as measured with miniupnpd 2.3.1).
        """
        _check(wanted)
        if Quirk.SAME_PORT in self._quirks and wanted.internal_port != wanted.external_port:
            raise SoapFault(724)
        held = self.entries.get(wanted.key)
        if held is not None and held.internal_client != wanted.internal_client:
            raise SoapFault(501 if Quirk.CONFLICT_501 in self._quirks else 718)
        lease = self._accepted_lease(wanted.lease)
        if held is None and len(self.entries) >= _FEW:
            if Quirk.FEW_PLACES in self._quirks:
                raise SoapFault(728)
            if Quirk.FORGETS_ALL in self._quirks:
                self.entries.clear()
        self.entries.pop(wanted.key, None)
        if lease and Quirk.FINITE_VANISHES in self._quirks:
            return
        self.entries[wanted.key] = Entry(
            protocol=wanted.protocol,
            external_port=wanted.external_port,
            internal_client=wanted.internal_client,
            internal_port=wanted.internal_port,
            remote_host=wanted.remote_host,
            description=wanted.description[:_CUT]
            if Quirk.CUT_DESCRIPTION in self._quirks
            else wanted.description,
            lease=lease,
            expires=self.now + lease if lease else None,
        )

    def delete(self, key: Key) -> None:
        """Delete a mapping; raises SoapFault 714 when there is none."""
        if self.entries.pop(key, None) is None and Quirk.DELETE_MISSING_OK not in self._quirks:
            raise SoapFault(714)

    def specific(self, key: Key) -> Entry:
        """Return one mapping; raises SoapFault 714 when there is none."""
        try:
            return self.entries[key]
        except KeyError:
            raise SoapFault(714) from None

    def generic(self, index: int) -> Entry:
        """Return a mapping by index, newest first as miniupnpd; raises SoapFault 713 at the end."""
        newest_first = list(reversed(self.entries.values()))
        if not 0 <= index < len(newest_first):
            raise SoapFault(713)
        return newest_first[index]

    def add_any(self, wanted: Entry) -> int:
        """Add a mapping at the port wanted, or at the next lower one that is free; say which.

        So does miniupnpd 2.3.1 (measured). Raises SoapFault as `add` does.
        """
        port = wanted.external_port
        while port > 1:
            held = self.entries.get(replace(wanted, external_port=port).key)
            if held is None or held.internal_client == wanted.internal_client:
                break
            port -= 1
        self.add(replace(wanted, external_port=port))
        return port

    def listing(self, protocol: str, first: int, last: int, most: int) -> list[Entry]:
        """Return mappings in a range of ports, newest first; `most` 0 is all.

        Raises SoapFault 730 when there is none.
        """
        found = [
            entry
            for entry in reversed(self.entries.values())
            if entry.protocol == protocol and first <= entry.external_port <= last
        ]
        if Quirk.LIST_LIMIT in self._quirks and len(found) > _LIST_LIMIT:
            raise SoapFault(501)
        if Quirk.LIST_KILLS in self._quirks and len(found) > _LIST_KILLS:
            self.dead = True
        if not found:
            raise SoapFault(730)
        return found[: most or None]

    def _accepted_lease(self, asked: int) -> int:
        if asked and Quirk.ONLY_PERMANENT in self._quirks:
            raise SoapFault(725)
        if asked and Quirk.ONLY_PERMANENT_402 in self._quirks:
            raise SoapFault(402)
        if Quirk.NO_PERMANENT in self._quirks and not 0 < asked <= ONE_WEEK:
            raise SoapFault(402)
        if self._longest_lease is None:
            return asked
        return min(asked or self._longest_lease, self._longest_lease)


def _check(wanted: Entry) -> None:
    if wanted.external_port == 0:
        raise SoapFault(716)
    ports = (wanted.external_port, wanted.internal_port)
    if wanted.protocol not in {"TCP", "UDP"} or not all(0 < port < 65_536 for port in ports):
        raise SoapFault(402)
    try:
        IPv4Address(wanted.internal_client)
    except AddressValueError:
        raise SoapFault(402) from None
