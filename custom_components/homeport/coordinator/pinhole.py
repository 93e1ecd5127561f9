"""The IPv6 side of a port: keeping its pinhole as it is wanted."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
import logging
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry

from ..allowed_ports import families_of
from ..const import CONF_BY_HAND, CONF_INTERNAL_PORT, CONF_PROTOCOL, Family
from ..gateway import (
    Firewall,
    GatewayError,
    GatewayUnreachable,
    Hole,
    Memory,
    Peer,
    Pinhole,
    Transport,
)
from ..host import read_state
from ..ports import KeptPinhole, PinholeKeeper, PinholeState, by_hand_only
from ..store import HomeportStore
from .firewall_place import firewall_place, own_ipv6
from .line import LineCoordinator
from .target import Target

_LOGGER = logging.getLogger(__name__)

_SHORT_LEASE: Final = 5400
"""Seconds. A gateway that tells of changes is read every 1800."""
_SHORTEST_WAIT: Final = 5.0
"""Seconds between two readings of a lease, however short that is."""


class TargetUnknown(GatewayError):
    """It is not known which IPv6 address is to be opened."""

    translation_key = "ipv6_unknown"


@dataclass(frozen=True, slots=True)
class PinholeReport:
    """The IPv6 side of a port, as far as it is known.

    - `state`: what the gateway's firewall does with it; None when that is not known
    - `pinhole`: what is to be open; None where nothing is, or the address is not known
    - `reason`: the name of what keeps it from being as it is wanted
    - `by_hand`: whether that leaves no other way than the gateway's own pages
    """

    state: PinholeState | None = None
    pinhole: Pinhole | None = None
    reason: str | None = None
    by_hand: bool = False

    @property
    def left_over(self) -> bool:
        """Say whether one may be open that is not wanted any more."""
        return self.reason is not None or self.state is PinholeState.ENDING


class Pinholes:
    """The IPv6 firewall of a line, for all of its ports."""

    def __init__(self, line: LineCoordinator, store: HomeportStore) -> None:
        """Take the line and the memory."""
        self.keeper = PinholeKeeper(store.pinholes, store.save)
        self._line = line
        self._memory: Memory = store.gateway
        self._firewall: Firewall | None = None
        self._connection: object = None

    @property
    def begun(self) -> bool:
        """Say whether there is a gateway to be asked, and this machine's addresses are known."""
        return self._line.gateway is not None and self._line.evidence.host is not None

    @property
    def own_address(self) -> IPv6Address | None:
        """Return the address of this Home Assistant that is to be opened."""
        return own_ipv6(self._line.evidence.host, self._line.data.public_ipv6)

    async def keep(self, port_id: str, wanted: Callable[[], Pinhole | None]) -> KeptPinhole:
        """Make the firewall have what is wanted for one port. Raises GatewayError."""
        if not self.keeper.remembered.get(port_id) and wanted() is None:
            return KeptPinhole(PinholeState.CLOSED)
        if self._line.gateway is None:
            raise GatewayUnreachable
        return await self.keeper.keep(self._current(), port_id, wanted)

    async def stop(self) -> None:
        """End what is under way."""
        if self._firewall:
            await self._firewall.stop()

    def _current(self) -> Firewall:
        """Return the firewall; a new one when the gateway may have been away, or is elsewhere."""
        line = self._line
        info, connection = line.gateway_info, line.gateway
        location = info.location if info else (line.peer or Peer()).location
        gateway = line.evidence.gateway
        place = firewall_place(
            line.evidence.host, line.data.public_ipv6, gateway.lan if gateway else None, location
        )
        before = self._firewall
        if before is None or connection is not self._connection or before.place != place:
            self._firewall, self._connection = Firewall(place, self._memory), connection
            return self._firewall
        return before


class PortPinhole:
    """The pinhole of one port."""

    def __init__(
        self, subentry: ConfigSubentry, pinholes: Pinholes, target: Target, store: HomeportStore
    ) -> None:
        """Take whose it is, where it leads, and what says whether it is wanted."""
        self._subentry = subentry
        self._pinholes = pinholes
        self._target = target
        self._store = store
        self._said = ""
        self.error: GatewayError | None = None
        """What kept it from being as it is wanted the last time."""
        self.read_again: float | None = None
        """Seconds after which it has to be looked at again, if that is soon."""

    @property
    def asked(self) -> bool:
        """Say whether the port is to be reached over IPv6."""
        return Family.IPV6 in families_of(self._data) and not self._data.get(CONF_BY_HAND)

    @property
    def address(self) -> IPv6Address | None:
        """Return the address that is to be opened, if it is known."""
        return self._pinholes.own_address if self._target.name is None else self._target.ipv6

    def is_elsewhere(self, report: PinholeReport) -> bool:
        """Say whether another address is to be opened than was when this was reported."""
        if not self._pinholes.begun or (wanted := self._wanted()) is None:
            return False
        return report.pinhole is None or report.pinhole.client != wanted.client

    def forget(self) -> None:
        """Know nothing, as while there is nobody to ask."""
        self.error = self.read_again = None

    async def keep(self) -> PinholeReport:
        """Make the firewall have what is wanted, and return what it does."""
        self.forget()
        wanted = self._wanted()
        if self._is_wanted and not self._pinholes.begun:
            return PinholeReport()
        try:
            if self._is_wanted and wanted is None:
                raise TargetUnknown
            kept = await self._pinholes.keep(self._subentry.subentry_id, self._wanted)
        except GatewayError as err:
            self.error = err
            self._say(err)
            return PinholeReport(None, wanted, err.translation_key, by_hand_only(err))
        self._say(kept.left)
        self.read_again = _again(kept)
        return PinholeReport(kept.state, self._wanted())

    @property
    def _data(self) -> Mapping[str, Any]:
        return self._subentry.data

    @property
    def _is_wanted(self) -> bool:
        return self.asked and self._subentry.subentry_id in self._store.wanted

    def _wanted(self) -> Pinhole | None:
        address = self.address
        if address is None or not self._is_wanted:
            return None
        return Pinhole(
            address, self._data[CONF_INTERNAL_PORT], Transport(self._data[CONF_PROTOCOL])
        )

    def _say(self, err: GatewayError | None) -> None:
        """Say what is wrong, once."""
        refusal = err.translation_key if err else ""
        if err and refusal != self._said:
            _LOGGER.warning(
                "The IPv6 side of port %s cannot be kept as wanted: %s",
                self._subentry.title,
                err or refusal,
            )
        self._said = refusal


def _again(kept: KeptPinhole) -> float | None:
    hole: Hole | None = kept.hole
    if hole is None:
        return None
    if kept.state is PinholeState.ENDING:
        return max(hole.ends - time.time(), 0) + 1
    return max(hole.lease / 2, _SHORTEST_WAIT) if hole.lease < _SHORT_LEASE else None


async def close_all_pinholes(keeper: PinholeKeeper, peer: Peer, memory: Memory) -> None:
    """Close whatever is remembered, of a line that is not loaded. Raises GatewayError."""
    host = await read_state()
    gateway: IPv4Address | None = None
    with suppress(ValueError):
        gateway = IPv4Address(peer.name)
    firewall = Firewall(firewall_place(host, None, gateway, peer.location), memory)
    try:
        await keeper.close_all(firewall)
    finally:
        await firewall.stop()
