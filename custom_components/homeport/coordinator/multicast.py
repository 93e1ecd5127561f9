"""What a gateway announces to everybody by PCP and NAT-PMP: a restart, or another address."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from homeassistant.core import callback

from ..gateway import (
    Announcement,
    Announcements,
    Announcer,
    Epoch,
    IPAddress,
    natpmp_lost_state,
    pcp_lost_state,
)
from ..host import HostState
from ..line import GatewayEvidence

_YOUNG: Final = 60
"""Seconds since its table was empty for which an announcement can only mean that it was lost."""
_LOST: Final = {Announcer.PCP: pcp_lost_state, Announcer.NAT_PMP: natpmp_lost_state}


class Multicast:
    """Listens where the gateway is, and tells what is news."""

    def __init__(
        self, on_loss: Callable[[], None], on_hint: Callable[[Mapping[str, str]], None]
    ) -> None:
        """Take whom to tell of a table that was lost, and of an address as in an event."""
        self._on_loss = on_loss
        self._on_hint = on_hint
        self._place: tuple[frozenset[IPAddress], str] | None = None
        self._listening: Announcements | None = None
        self._stopped = False
        self._turn = asyncio.Lock()
        self._epochs: dict[Announcer, Epoch] = {}

    async def follow(self, gateway: GatewayEvidence | None, host: HostState | None) -> None:
        """Listen where the gateway is by now; one that does not answer keeps its place."""
        if gateway is None or gateway.lan is None or host is None or host.ipv4_route is None:
            return
        routes = host.ipv4_route, host.ipv6_route
        gateways: set[IPAddress] = {gateway.lan}
        gateways |= {route.gateway for route in routes if route and route.gateway}
        place = frozenset(gateways), host.ipv4_route.interface
        async with self._turn:
            if place == self._place or self._stopped:
                return
            await self._end()
            # Known before it has begun: it may be cancelled half-way.
            self._place, self._listening = place, Announcements(*place, self._heard)
            await self._listening.start()

    async def stop(self) -> None:
        """End listening for good."""
        self._stopped = True
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        if listening := self._listening:
            self._listening = None
            await listening.stop()

    @callback
    def _heard(self, said: Announcement) -> None:
        before, self._epochs[said.by] = self._epochs.get(said.by), said.epoch
        # Each is repeated up to ten times (RFC 6886 section 3.2.1).
        lost = _LOST[said.by](before, said.epoch) if before else said.epoch.seconds < _YOUNG
        if lost:
            self._on_loss()
        if said.address is not None:
            self._on_hint({"ExternalIPAddress": str(said.address)})
