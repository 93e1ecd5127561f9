"""Reading many mappings back in few requests, where the gateway can list its table."""

import asyncio
from typing import Final

from .errors import GatewayError
from .igd import Igd
from .model import MappingKey, PortMapping
from .shared_task import end, result_of

_MANY: Final = 4
"""Mappings from which on it takes fewer requests to list the table."""
_FRESH: Final = 2.0
"""Seconds for which a list is as good as asking for each mapping."""


class Reading:
    """One look at the mappings of a gateway, asked for one by one and within a moment."""

    def __init__(self, igd: Igd, expected: int) -> None:
        """Take how many will be asked for, as far as that is known."""
        self._igd = igd
        self._whole = expected >= _MANY and igd.lists
        self._changed: set[MappingKey] = set()
        self._table: asyncio.Task[dict[MappingKey, PortMapping]] | None = None
        self._until = asyncio.get_running_loop().time() + _FRESH
        self.asked: set[MappingKey] = set()
        """What was asked for."""

    def changed(self, key: MappingKey) -> None:
        """Take note that a list of before is no longer true there."""
        self._changed.add(key)

    async def mapping(self, key: MappingKey) -> PortMapping | None:
        """Read one mapping; None when there is none. Raises GatewayError."""
        self.asked.add(key)
        fresh = asyncio.get_running_loop().time() < self._until
        if self._whole and fresh and key not in self._changed:
            if self._table is None:
                self._table = asyncio.create_task(self._list(), name="homeport list")
            try:
                table = await result_of(self._table)
            except GatewayError:
                self._whole = False
            else:
                if key not in self._changed:
                    return table.get(key)
        return await self._igd.mapping(key)

    async def stop(self) -> None:
        """End a request that is under way."""
        await end(self._table)

    async def _list(self) -> dict[MappingKey, PortMapping]:
        return {each.key: each for each in await self._igd.mappings() if not each.remote_host}
