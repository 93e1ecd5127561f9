"""The ways to have an IPv6 pinhole opened: by UPnP, and by PCP."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final, Protocol

from .epoch import Epoch, pcp_lost_state
from .errors import (
    ActionRefused,
    GatewayError,
    GatewayUnreachable,
    InvalidAnswer,
    PcpRefused,
    UpnpCode,
)
from .hole import Hole
from .memory import By, Memory
from .pcp import PcpClient
from .pcp_message import PcpResult
from .pinhole import Pinhole, PinholeControl

_SHORTEST: Final = 1
"""Seconds. What is asked for only to be closed is not to stay."""
_LATE: Final = 2.0
"""Seconds after its end at which a gateway may still be about to close (miniupnpd: below 1)."""
_AGE_EVERY: Final = 20.0
"""Seconds between two questions for the age of the table, however many pinholes there are."""


class FirewallOff(ActionRefused):
    """The IPv6 firewall is off: everything is let in, and there is nothing to open."""

    translation_key = "upnp_702"


class PinholeNotClosed(GatewayError):
    """The gateway says that it closed a pinhole, and still has it."""

    translation_key = "mapping_not_deleted"


@dataclass(frozen=True, slots=True)
class GrantedPinhole:
    """What the gateway took: for how many seconds and, by UPnP, under which id."""

    lease: int
    number: int | None = None


class PinholeWay(Protocol):
    """One protocol, spoken from one own address. Every method may raise GatewayError."""

    by: By

    async def open(self, pinhole: Pinhole, lease: int) -> GrantedPinhole:
        """Open a pinhole, or renew it. Raises FirewallOff where there is nothing to open."""

    async def shows(self, hole: Hole) -> bool | None:
        """Say whether it is there; None where the gateway cannot be asked that."""

    async def close(self, hole: Hole, *, sure: bool) -> float:
        """Close it; return the seconds that it may stay open all the same.

        `sure`: its id was seen to be its own since the gateway has started.
        """


class UpnpWay:
    """WANIPv6FirewallControl:1."""

    by = By.IGD

    def __init__(self, control: PinholeControl) -> None:
        """Take the gateway's service."""
        self._control = control

    async def open(self, pinhole: Pinhole, lease: int) -> GrantedPinhole:
        """Open a pinhole, or renew it, which keeps its id."""
        try:
            return GrantedPinhole(lease, await self._control.add(pinhole, lease))
        except ActionRefused as err:
            if err.code == UpnpCode.FIREWALL_DISABLED and not await self._enabled():
                raise FirewallOff(err.code) from err
            raise

    async def shows(self, hole: Hole) -> bool | None:
        """Say whether there is one with its id."""
        if hole.number is None:
            return False
        try:
            return await self._control.exists(hole.number)
        except ActionRefused:
            return None

    async def close(self, hole: Hole, *, sure: bool) -> float:
        """Delete it, and see to it that it is gone."""
        number = hole.number
        if number is None or not sure:
            # A gateway that has restarted may have given its id to another one of ours.
            number = await self._control.add(hole.pinhole, _SHORTEST)
        await self._control.delete(number)
        with suppress(ActionRefused):
            if await self._control.exists(number):
                raise PinholeNotClosed
        return 0

    async def _enabled(self) -> bool:
        try:
            return (await self._control.firewall()).enabled
        except ActionRefused, InvalidAnswer:
            return False


class PcpWay:
    """The Port Control Protocol over IPv6 (RFC 6887 section 11), for which a firewall is enough."""

    by = By.PCP

    def __init__(self, client: PcpClient, source: IPv6Address, memory: Memory) -> None:
        """Take who asks the gateway, from which own address, and what keeps the nonces."""
        self._client = client
        self._source = source
        self._memory = memory
        self._age: Epoch | None = None
        self._asked = 0.0
        self._lost = False

    async def open(self, pinhole: Pinhole, lease: int) -> GrantedPinhole:
        """Open a pinhole, or renew it; for another host where the gateway allows that."""
        assigned = await self._client.map(
            pinhole.protocol,
            pinhole.port,
            pinhole.port,
            lease,
            self._nonce(pinhole),
            client=self._other(pinhole),
        )
        self._note(assigned.epoch)
        if assigned.external_port != pinhole.port:
            await self._client.unmap(
                pinhole.protocol,
                pinhole.port,
                self._nonce(pinhole),
                client=self._other(pinhole),
            )
            raise InvalidAnswer
        return GrantedPinhole(assigned.lifetime)

    async def shows(self, hole: Hole) -> bool | None:
        """Say that it is not there when the gateway has lost its table since it was last asked."""
        now = asyncio.get_running_loop().time()
        if self._age is None or now - self._asked > _AGE_EVERY:
            announced = await self._client.probe()
            if announced is None:
                raise GatewayUnreachable
            self._asked = now
            self._note(announced.epoch)
        lost, self._lost = self._lost, False
        return False if lost else None

    async def close(self, hole: Hole, *, sure: bool) -> float:
        """Delete it or, where the gateway does not do that, cut it short."""
        pinhole = hole.pinhole
        nonce, client = self._nonce(pinhole), self._other(pinhole)
        try:
            await self._client.unmap(pinhole.protocol, pinhole.port, nonce, client=client)
        except PcpRefused as err:
            if err.code != PcpResult.NOT_AUTHORIZED:
                raise
        else:
            return 0
        # miniupnpd 2.3.1 says that to every one that was ever renewed (measured).
        assigned = await self._client.map(
            pinhole.protocol, pinhole.port, pinhole.port, _SHORTEST, nonce, client=client
        )
        return assigned.lifetime + _LATE

    def _note(self, age: Epoch | None) -> None:
        if age is not None:
            self._lost |= self._age is not None and pcp_lost_state(self._age, age)
            self._age = age

    def _nonce(self, pinhole: Pinhole) -> bytes:
        return self._memory.nonce_for(pinhole.protocol, pinhole.client, pinhole.port)

    def _other(self, pinhole: Pinhole) -> IPv6Address | None:
        return None if pinhole.client == self._source else pinhole.client
