"""Keeping what is open on the gateway as it is wanted: the doing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..gateway import (
    Gateway,
    GatewayError,
    GatewayUnreachable,
    MappingKey,
    Opening,
    PortMapping,
)
from .plan import LEASE, MappingState, mapping_state, plan


class NotDeleted(GatewayError):
    """The gateway says that it deleted a mapping, and still shows it."""

    translation_key = "mapping_not_deleted"


@dataclass(frozen=True, slots=True)
class Kept:
    """What was read back from the gateway for one port."""

    state: MappingState
    mapping: PortMapping | None
    changed: bool
    """Whether anything had to be changed for it."""


class Keeper:
    """Opens, renews and closes the mappings of one gateway's ports, each known by an id.

    `remembered` is what was asked of the gateway and not yet seen gone. It is saved before a
    mapping is added, so that not even a crash leaves one behind that nobody knows of.
    """

    def __init__(self, remembered: dict[str, Opening], save: Callable[[], Awaitable[None]]) -> None:
        """Take the memory, which is changed in place, and what saves it."""
        self.remembered = remembered
        self._save = save
        self._granted: dict[str, int] = {}
        self._ended = False
        # One change at a time: routers are slow to see their own changes.
        self._lock = asyncio.Lock()

    async def keep(self, gateway: Gateway, port_id: str, opening: Opening, *, wanted: bool) -> Kept:
        """Make the gateway show what is wanted for one port, and return what it then shows.

        Raises GatewayError.
        """
        async with self._lock:
            target = opening if wanted and not self._ended else None
            found, changed = await self._reconcile(gateway, port_id, opening, target)
            return Kept(mapping_state(target, opening, found), found, changed)

    async def close(self, gateway: Gateway, port_id: str) -> None:
        """Close whatever is remembered of a port, if it is provably ours. Raises GatewayError."""
        async with self._lock:
            if remembered := self.remembered.get(port_id):
                await self._reconcile(gateway, port_id, remembered, None)

    async def close_all(self, connect: Callable[[], Awaitable[Gateway]]) -> None:
        """Close whatever is remembered, if it is provably ours, and open nothing any more.

        `connect` is called only where there is something to close. Raises GatewayError, when every
        port has been tried.
        """
        # Closing makes the gateway send events, which would have the wanted ports opened again.
        self._ended = True
        if not self.remembered:
            return
        gateway, refusal = await connect(), None
        for port_id in list(self.remembered):
            try:
                await self.close(gateway, port_id)
            except GatewayUnreachable:
                raise
            except GatewayError as err:
                refusal = err
        if refusal:
            raise refusal

    async def _reconcile(
        self, gateway: Gateway, port_id: str, opening: Opening, wanted: Opening | None
    ) -> tuple[PortMapping | None, bool]:
        """Carry out the plan for one port.

        Return what stands at the key of `opening` after it, and whether anything was changed.
        """
        remembered = self.remembered.get(port_id)
        keys = {opening.key, remembered.key if remembered else opening.key}
        if wanted and remembered is None:
            table = await self._read_and_remember(gateway, port_id, wanted)
        else:
            table = {key: await gateway.mapping(key) for key in keys}
        found = table[opening.key]
        lost = not (wanted or remembered) and opening not in self.remembered.values()
        if lost and found and found.is_of(opening):
            # Ours beyond doubt, although the memory of it was lost: it can be closed all the same.
            remembered = self.remembered[port_id] = opening
        steps = plan(wanted, remembered, table, self._granted.get(port_id))
        changed = bool(steps.close or steps.open)
        if steps.close:
            await gateway.close(steps.close.key)
            left = table[steps.close.key] = await gateway.mapping(steps.close.key)
            if left and left.is_of(steps.close):
                raise NotDeleted
        if steps.close or steps.forget:
            del self.remembered[port_id]
            await self._save()
            # With one mapping gone, a foreign one may have come to light in its place.
            steps = plan(wanted, None, table)
            changed = changed or bool(steps.open)
        if steps.open:
            await self._open(gateway, port_id, steps.open)
            table[steps.open.key] = found = await gateway.mapping(steps.open.key)
            # Gateways give less than was asked for without a word.
            self._granted.pop(port_id, None)
            if found and found.lease > 0:
                self._granted[port_id] = found.lease
        return table[opening.key], changed

    async def _read_and_remember(
        self, gateway: Gateway, port_id: str, wanted: Opening
    ) -> dict[MappingKey, PortMapping | None]:
        """Read what stands where a mapping is to be added, which is saved in the same time."""
        self.remembered[port_id] = wanted
        saving = asyncio.ensure_future(self._save())
        try:
            found = await gateway.mapping(wanted.key)
        finally:
            await saving
        if found and not found.is_of(wanted):
            del self.remembered[port_id]
            await self._save()
        return {wanted.key: found}

    async def _open(self, gateway: Gateway, port_id: str, opening: Opening) -> None:
        if self.remembered.get(port_id) != opening:
            self.remembered[port_id] = opening
            await self._save()
        await gateway.open(opening, LEASE)
