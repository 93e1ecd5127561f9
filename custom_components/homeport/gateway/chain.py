"""Two routers in a row: what is opened on the first is opened on the second as well.

The second one sees the first as its client. It is asked by UPnP, through the first one's NAT.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import IPv4Address

import aiohttp

from .discover import find_location
from .errors import GatewayNotFound, GatewayUnreachable, PortTaken, UpnpCode
from .igd import Igd
from .memory import Second
from .model import Granted, MappingKey, Opening, PortMapping, WanStatus
from .router import Router

type Known = Callable[[], Iterable[Opening]]
"""Returns what was asked for and is not seen gone yet."""


class Chain:
    """The first router, and the second behind it."""

    def __init__(
        self, inner: Router, session: aiohttp.ClientSession, second: Second, known: Known
    ) -> None:
        """Take the first router, where the second is, and what tells which mappings are ours."""
        self.inner = inner
        self.second = second
        self._session = session
        self._known = known
        self._outer: Igd | None = None

    async def wan_status(self) -> WanStatus:
        """Ask the first router for the state and the address of its internet side."""
        return await self.inner.wan_status()

    async def mapping(self, key: MappingKey) -> PortMapping | None:
        """Read one mapping back; one that is ours is enabled only if both routers have it.

        A second router that does not answer keeps nobody from closing the port on the first.
        """
        inner = await self.inner.mapping(key)
        ours = self._ours(key)
        if ours is None or (inner and not inner.is_of(ours)):
            return inner
        try:
            outer = await self._read(key)
        except GatewayNotFound, GatewayUnreachable:
            if inner is None:
                raise
            outer = None
        if outer is None or not outer.is_of(self._behind(ours)):
            return replace(inner, enabled=False) if inner else None
        if inner is None:
            return replace(
                outer,
                internal_client=str(ours.internal_client),
                internal_port=ours.internal_port,
                enabled=False,
            )
        leases = [lease for lease in (inner.lease, outer.lease) if lease > 0]
        return replace(inner, lease=min(leases, default=inner.lease))

    async def mappings(self, keys: Iterable[MappingKey] = ()) -> list[PortMapping]:
        """Read the first router's table."""
        return await self.inner.mappings(keys)

    async def open(self, opening: Opening, lease: int) -> Granted:
        """Add or refresh a mapping on both. What another has on the second one is spared."""
        behind = self._behind(opening)
        found = await self._read(opening.key)
        if found and not found.is_of(behind):
            raise PortTaken(UpnpCode.CONFLICT)
        granted = await self.inner.open(opening, lease)
        await (await self._connected()).open(behind, lease)
        return granted

    async def open_any(
        self, opening: Opening, lease: int, candidates: Iterable[int] = ()
    ) -> Granted:
        """Add a mapping on both; at its own port, since both have to give the same one."""
        return await self.open(opening, lease)

    async def close(self, key: MappingKey) -> None:
        """Delete a mapping on both, on the first router whatever the second one says."""
        ours = self._ours(key)
        await self.inner.close(key)
        if ours:
            await self._close_outer(ours)

    async def leave(self) -> None:
        """Delete on the second router what is provably ours there. Raises GatewayError."""
        for ours in tuple(self._known()):
            await self._close_outer(ours)

    async def _close_outer(self, ours: Opening) -> None:
        found = await self._read(ours.key)
        if found and found.is_of(self._behind(ours)):
            await (await self._connected()).close(ours.key)

    async def _read(self, key: MappingKey) -> PortMapping | None:
        igd = await self._connected()
        try:
            return await igd.mapping(key)
        except GatewayUnreachable:
            self._outer = None
            raise

    async def _connected(self) -> Igd:
        if self._outer is None:
            location = await find_location(str(self.second.router), tries=1)
            self._outer = await Igd.connect(self._session, location)
        return self._outer

    def _behind(self, opening: Opening) -> Opening:
        """Return what the second router has to have for an opening of the first."""
        wan: IPv4Address = self.second.wan
        return replace(opening, internal_client=wan, internal_port=opening.external_port)

    def _ours(self, key: MappingKey) -> Opening | None:
        return next((each for each in self._known() if each.key == key), None)
