"""External ports that need not be certain ones: chosen, and moved where they cannot be had."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant

from ..allowed_ports import families_of, free_port, own_port_set, taken_ports, unique_id
from ..const import (
    CONF_AUTOMATIC_PORT,
    CONF_EXTERNAL_PORT,
    CONF_INTERNAL_PORT,
    CONF_PROTOCOL,
    Family,
)
from ..gateway import (
    ActionRefused,
    Gateway,
    GatewayError,
    NoPublicAddress,
    Opening,
    PcpRefused,
    PcpResult,
    PortTaken,
    SamePortRequired,
    UpnpCode,
)
from ..line import LineMode
from ..ports import Keeper, Kept, MappingState
from ..ports.plan import LEASE
from ..store import HomeportStore
from .line import LineCoordinator
from .table import TableCoordinator

_MOST_MOVES = 10
"""Within an hour; more would be hammering."""
_HOUR = 3600.0
_CANDIDATES = 8
_LIMITED = frozenset({LineMode.MAP_E, LineMode.A_PLUS_P})

# What another external port may be granted after; the second ones where not all are this home's.
_OF_THIS_PORT = frozenset(
    {
        UpnpCode.WILDCARD_NOT_PERMITTED_IN_EXTERNAL_PORT,
        UpnpCode.CONFLICT_WITH_OTHER_MECHANISMS,
    }
)
_OUTSIDE_THE_SET = frozenset({UpnpCode.ACTION_FAILED, UpnpCode.NOT_AUTHORIZED, UpnpCode.CONFLICT})


class AutomaticPort:
    """Keeps a port open, at another external port where the one it has is not to be had."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        subentry: ConfigSubentry,
        *,
        line: LineCoordinator,
        keeper: Keeper,
        store: HomeportStore,
    ) -> None:
        """Take whose external port it is."""
        self._hass = hass
        self._entry = entry
        self._subentry = subentry
        self._line = line
        self._keeper = keeper
        self._store = store
        self._keeping = asyncio.Lock()
        self._moves: deque[tuple[float, int]] = deque()

    @property
    def active(self) -> bool:
        """Say whether the external port may be moved."""
        data = self._subentry.data
        return bool(data.get(CONF_AUTOMATIC_PORT)) and Family.IPV4 in families_of(data)

    @property
    def misplaced(self) -> bool:
        """Say whether it is to be moved, since the port is surely another home's now."""
        port_set = own_port_set(self._line.data)
        return self.active and port_set is not None and self._port not in port_set

    @property
    def movable(self) -> bool:
        """Say whether there is another external port, and it may be moved yet again."""
        return self.active and self._free is not None and self._may_move()

    async def keep(
        self, gateway: Gateway, opening: Callable[[], Opening | None], *, wanted: bool
    ) -> Kept | None:
        """Make the gateway show what is wanted, at another external port if need be.

        Return what it then shows; None where it is not known what is to be opened. Raises
        GatewayError.
        """
        # Each move is a change of the subentry, upon which the port is looked at again.
        async with self._keeping:
            return await self._keep(gateway, opening, wanted=wanted)

    async def _keep(
        self, gateway: Gateway, opening: Callable[[], Opening | None], *, wanted: bool
    ) -> Kept | None:
        if self.misplaced:
            self._move()
        while target := opening():
            try:
                kept = await self._keeper.keep(
                    gateway, self._subentry.subentry_id, target, wanted=wanted
                )
            except GatewayError as err:
                if not (wanted and await self._elsewhere(gateway, target, err)):
                    raise
            else:
                taken = kept.state is MappingState.FOREIGN
                if not (taken and await self._elsewhere(gateway, target)):
                    return kept
        return None

    @property
    def _port(self) -> int:
        return int(self._subentry.data[CONF_EXTERNAL_PORT])

    @property
    def _free(self) -> int | None:
        return free_port(own_port_set(self._line.data), self._port, self._unfit())

    async def _elsewhere(
        self,
        gateway: Gateway,
        opening: Opening,
        err: GatewayError | None = None,
    ) -> bool:
        """Take another external port; say whether there is one to be tried.

        Raises GatewayError where the gateway is to pick one, and does not.
        """
        if not self.active:
            return False
        limited = self._line.data.mode in _LIMITED
        port_set = own_port_set(self._line.data)
        if isinstance(err, SamePortRequired):
            inside = self._subentry.data[CONF_INTERNAL_PORT]
            return (port_set is None or inside in port_set) and self._move(inside)
        if err and not _is_about_port(err, limited=limited):
            return False
        if not limited or port_set:
            return self._move()
        if not self._may_move():
            return False
        # Nobody but the gateway knows which ports there are.
        candidates = range(opening.external_port + 1, opening.external_port + 1 + _CANDIDATES)
        granted = await gateway.open_any(
            opening, LEASE, [port for port in candidates if port not in self._unfit()]
        )
        # Before anything else: else nobody would ever close it.
        self._keeper.remembered[self._subentry.subentry_id] = replace(
            opening, external_port=granted.external_port
        )
        await self._store.save()
        self._take(granted.external_port)
        return True

    def _move(self, to: int | None = None) -> bool:
        """Take the next port that is free, or a certain one; say whether that is possible."""
        chosen = to or self._free
        if chosen is None or chosen in self._unfit() or not self._may_move():
            return False
        self._take(chosen)
        return True

    def _may_move(self) -> bool:
        now = self._hass.loop.time()
        while self._moves and now - self._moves[0][0] > _HOUR:
            self._moves.popleft()
        return len(self._moves) < _MOST_MOVES

    def _unfit(self) -> frozenset[int]:
        """Return the ports that others have, and those that were given up within the hour."""
        protocol = self._subentry.data[CONF_PROTOCOL]
        return (
            taken_ports(self._entry, protocol, but=self._subentry.subentry_id)
            | foreign_ports(self._entry.runtime_data.table, protocol)
            | {self._port, *(port for _, port in self._moves)}
        )

    def _take(self, port: int) -> None:
        self._moves.append((self._hass.loop.time(), self._port))
        data = {**self._subentry.data, CONF_EXTERNAL_PORT: port}
        self._hass.config_entries.async_update_subentry(
            self._entry, self._subentry, data=data, unique_id=unique_id(data)
        )


def foreign_ports(table: TableCoordinator | None, protocol: str) -> frozenset[int]:
    """Return the external ports of a protocol that others have, as far as the table was read."""
    rows = (table.data if table else None) or ()
    return frozenset(
        row.mapping.external_port
        for row in rows
        if not row.ours and row.mapping.protocol == protocol
    )


def _is_about_port(err: GatewayError, *, limited: bool) -> bool:
    """Say whether another external port may be granted where this one was refused.

    `limited`: whether the line has only some ports. A router there refuses the others in words that
    mean something else elsewhere.
    """
    if isinstance(err, PcpRefused):
        return err.code == PcpResult.CANNOT_PROVIDE_EXTERNAL
    if not isinstance(err, ActionRefused) or isinstance(err, NoPublicAddress):
        return False
    codes = _OF_THIS_PORT | _OUTSIDE_THE_SET if limited else _OF_THIS_PORT
    return isinstance(err, PortTaken) or err.code in codes
