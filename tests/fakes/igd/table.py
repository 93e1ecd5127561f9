"""The port mapping table of the simulated gateway: pure rules, time comes from a clock."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address
import math

from tests.fakes.igd.faults import SoapFault

ONE_WEEK = 604_800
"""Longest lease of WANIPConnection:2, and what lease 0 becomes there, in seconds."""

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
        self.entries.pop(wanted.key, None)
        if lease and Quirk.FINITE_VANISHES in self._quirks:
            return
        self.entries[wanted.key] = Entry(
            protocol=wanted.protocol,
            external_port=wanted.external_port,
            internal_client=wanted.internal_client,
            internal_port=wanted.internal_port,
            remote_host=wanted.remote_host,
            description=wanted.description,
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
