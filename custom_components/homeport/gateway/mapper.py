"""Mapping ports by protocols that grant a mapping and list none: PCP and NAT-PMP."""

import asyncio
from collections.abc import Collection
from ipaddress import IPv4Address
from typing import Protocol

from .epoch import Epoch
from .errors import GatewayError, NotPermitted, PortTaken, UpnpCode
from .memory import By, Memory
from .model import Granted, Opening, WanStatus
from .natpmp import NatPmpClient
from .pcp import PROBE_WITHIN, PcpClient
from .shared_task import end, result_of


class Mapper(Protocol):
    """One protocol, towards one gateway. Every method may raise GatewayError."""

    by: By

    async def age(self) -> Epoch | None:
        """Ask how long the gateway has kept its table; None where it does not say."""

    async def map(self, opening: Opening, lease: int, *, exact: bool) -> Granted:
        """Add or renew a mapping; unless `exact`, another external port may be granted.

        Raises PortTaken where `exact`, and another one would have been.
        """

    async def unmap(self, opening: Opening) -> None:
        """Delete a mapping. One that is not there is no error."""


class PcpMapper:
    """The Port Control Protocol (RFC 6887)."""

    by = By.PCP

    def __init__(self, gateway: IPv4Address, own: IPv4Address, memory: Memory) -> None:
        """Take the gateway's address, our own, and what remembers the nonces."""
        self._client = PcpClient(gateway, source=own)
        self._own = own
        self._memory = memory
        self.address: IPv4Address | None = None
        """The external address that the gateway mapped to last."""

    async def age(self) -> Epoch | None:
        """Ask how long the gateway has kept its table."""
        announced = await self._client.probe()
        return announced.epoch if announced else None

    async def answers(self) -> bool:
        """Say whether the gateway speaks it."""
        return await self._client.probe() is not None

    async def map(self, opening: Opening, lease: int, *, exact: bool) -> Granted:
        """Add or renew a mapping, for another host where the gateway allows that."""
        _refuse_second(self._memory, By.PCP, opening)
        assigned = await self._client.map(
            opening.protocol,
            opening.internal_port,
            opening.external_port,
            lease,
            self._memory.nonce(opening),
            client=self._other(opening),
            exact=exact,
        )
        if isinstance(assigned.external_address, IPv4Address):
            self.address = assigned.external_address
        if exact and assigned.external_port != opening.external_port:
            # The wish to be refused rather than moved is ignored by some (miniupnpd 2.3.1).
            await self.unmap(opening)
            raise PortTaken(UpnpCode.CONFLICT)
        return Granted(assigned.external_port, assigned.lifetime)

    async def unmap(self, opening: Opening) -> None:
        """Delete a mapping."""
        await self._client.unmap(
            opening.protocol,
            opening.internal_port,
            self._memory.nonce(opening),
            client=self._other(opening),
        )

    def _other(self, opening: Opening) -> IPv4Address | None:
        return None if opening.internal_client == self._own else opening.internal_client


class NatPmpMapper:
    """The NAT Port Mapping Protocol (RFC 6886)."""

    by = By.NAT_PMP

    def __init__(self, gateway: IPv4Address, own: IPv4Address, memory: Memory) -> None:
        """Take the gateway's address, our own, and what remembers the mappings."""
        self._client = NatPmpClient(gateway, source=own)
        self._own = own
        self._memory = memory
        self.address: IPv4Address | None = None
        """The external address that the gateway named last."""

    async def age(self) -> Epoch | None:
        """Ask how long the gateway has kept its table, and for its external address."""
        said = await self._client.external_address()
        self.address = said.address
        return said.epoch

    async def answers(self) -> bool:
        """Say whether the gateway speaks it."""
        try:
            said = await self._client.external_address(PROBE_WITHIN)
        except GatewayError:
            return False
        self.address = said.address
        return True

    async def map(self, opening: Opening, lease: int, *, exact: bool) -> Granted:
        """Add or renew a mapping. For another host there is no way: raises NotPermitted."""
        if opening.internal_client != self._own:
            raise NotPermitted(UpnpCode.CONFLICT)
        _refuse_second(self._memory, By.NAT_PMP, opening)
        assigned = await self._client.map(
            opening.protocol, opening.internal_port, opening.external_port, lease
        )
        if exact and assigned.external_port != opening.external_port:
            await self.unmap(opening)
            raise PortTaken(UpnpCode.CONFLICT)
        return Granted(assigned.external_port, assigned.lifetime)

    async def unmap(self, opening: Opening) -> None:
        """Delete a mapping."""
        await self._client.unmap(opening.protocol, opening.internal_port)


def _refuse_second(memory: Memory, by: By, opening: Opening) -> None:
    """Refuse a second external port for one internal port, which neither protocol can give.

    The answer would be the first one, and to delete it would close that. Raises PortTaken.
    """
    for grant in memory.grants.values():
        held = grant.opening
        same = (held.protocol, held.internal_client, held.internal_port) == (
            opening.protocol,
            opening.internal_client,
            opening.internal_port,
        )
        if same and grant.by is by and held.external_port != opening.external_port:
            raise PortTaken(UpnpCode.CONFLICT)


class Mappers:
    """Finds out which of the protocols a gateway speaks, once, both at the same time."""

    def __init__(self, gateway: IPv4Address, own: IPv4Address, memory: Memory) -> None:
        """Take the gateway's address, our own, and what is remembered; nothing is asked yet."""
        self.own = own
        self._pcp = PcpMapper(gateway, own, memory)
        self._natpmp = NatPmpMapper(gateway, own, memory)
        self._probe: asyncio.Task[list[Mapper]] | None = None

    async def answering(self) -> Collection[Mapper]:
        """Return those that the gateway speaks, the better first, within about a second."""
        if self._probe is None:
            self._probe = asyncio.create_task(self._ask(), name="homeport mappers")
        return await result_of(self._probe)

    async def wan_status(self) -> WanStatus:
        """Ask for the internet side. Raises GatewayError.

        NAT-PMP tells of it. PCP does so with a mapping only, and then does not say of changes.
        """
        if self._natpmp not in await self.answering():
            return WanStatus(None, self._pcp.address)
        await self._natpmp.age()
        return WanStatus(self._natpmp.address is not None, self._natpmp.address)

    async def stop(self) -> None:
        """End a probe that is under way."""
        await end(self._probe)

    async def _ask(self) -> list[Mapper]:
        pcp, natpmp = await asyncio.gather(self._pcp.answers(), self._natpmp.answers())
        found: list[Mapper] = [self._pcp] if pcp else []
        return [*found, self._natpmp] if natpmp else found
