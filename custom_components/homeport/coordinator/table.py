"""The gateway's whole table of mappings: whose each is, and what others have changed in it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
import logging
import math
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..gateway import GatewayError, GatewayUnreachable, Opening, PortMapping
from .base import HomeportCoordinator
from .line import LineCoordinator

_LOGGER = logging.getLogger(__name__)

MAPPING_ADDED = "mapping_added"
MAPPING_REMOVED = "mapping_removed"

_EVERY = 5
"""Readings of the gateway to one of its table: five minutes where nothing tells of changes, and
longer where events do."""
_EARLY = 0.8
"""Part of the time between two readings of the gateway; one that comes sooner has a reason."""
_GAP = 10.0
"""Seconds between two readings of the table, however many events come: it may be long."""
_MOST_EVENTS = 50
"""Changes that are told after one reading. No home has more; a hostile router may make them up."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A mapping, whether it is provably ours, and which port's; None if that was removed."""

    mapping: PortMapping
    ours: bool
    port: str | None = None


@dataclass(frozen=True, slots=True)
class TableEvent:
    """A mapping of somebody else that was added or removed."""

    kind: str
    mapping: PortMapping


type Owners = Mapping[Opening, str | None]
"""What is ours, with the names of the ports."""
type Table = tuple[TableRow, ...]


class TableCoordinator(HomeportCoordinator[Table | None]):
    """Reads the table now and then; its data is None while that cannot be read."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        line: LineCoordinator,
        owners: Callable[[], Owners],
    ) -> None:
        """Take what says which openings are ours."""
        super().__init__(hass, entry, None, None)
        self.line = line
        self._owners = owners
        self._run = partial(entry.async_create_background_task, hass)
        self._listeners_of_events: list[Callable[[TableEvent], None]] = []
        self._foreign: dict[object, PortMapping] | None = None
        self._reading = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._pending = False
        self._reads = 0
        self._read_at = -math.inf
        self._turns = _EVERY

    @callback
    def start(self) -> Callable[[], None]:
        """Follow the gateway; return what ends that."""
        return self.line.async_add_listener(self._line_updated)

    @callback
    def async_add_event_listener(
        self, listener: Callable[[TableEvent], None]
    ) -> Callable[[], None]:
        """Call a function for each change that others make; return what ends that."""
        self._listeners_of_events.append(listener)
        return partial(self._listeners_of_events.remove, listener)

    async def async_read(self) -> Table:
        """Read the table now. Raises GatewayError."""
        table = await self._read()
        self.async_set_updated_data(table)
        return table

    @override
    async def _async_update_data(self) -> Table | None:
        try:
            return await self._read()
        except GatewayError as err:
            _LOGGER.debug("The table of mappings cannot be read: %s", err or type(err).__name__)
            return None

    @callback
    def _line_updated(self) -> None:
        """Read the table in its turn, or when the gateway was read out of turn.

        Then an event was the reason, or something else that may have to do with the table.
        """
        if self._reads == self.line.reads:
            return
        self._reads = self.line.reads
        now, interval = self.hass.loop.time(), self.line.update_interval
        early = interval is not None and now - self._read_at < _EARLY * interval.total_seconds()
        self._read_at = now
        self._turns += 1
        if self.line.gateway and (early or self._turns >= _EVERY):
            self._turns = 0
            self._pending = True
            if self._task is None or self._task.done():
                self._task = self._run(self._read_pending(), "homeport table")

    async def _read_pending(self) -> None:
        while self._pending:
            self._pending = False
            await self.async_refresh()
            await asyncio.sleep(_GAP)

    async def _read(self) -> Table:
        gateway = self.line.gateway
        if gateway is None:
            raise GatewayUnreachable
        async with self._reading:
            before = self._owners()
            mappings = await gateway.mappings(opening.key for opening in before)
            # What was opened or closed during the reading is ours as well.
            table = _rows(mappings, {**before, **self._owners()})
            self._tell(table)
            return table

    def _tell(self, table: Table) -> None:
        """Tell what others have changed since the reading before; the first one tells nothing."""
        known = self._foreign
        self._foreign = {_identity(row.mapping): row.mapping for row in table if not row.ours}
        if known is None:
            return
        events = [
            *_missing(MAPPING_REMOVED, known, self._foreign),
            *_missing(MAPPING_ADDED, self._foreign, known),
        ]
        if len(events) > _MOST_EVENTS:
            _LOGGER.warning("%d mappings of others have changed on the router", len(events))
        for event in events[:_MOST_EVENTS]:
            for listener in tuple(self._listeners_of_events):
                listener(event)


def _rows(mappings: Iterable[PortMapping], owners: Owners) -> Table:
    rows = []
    for mapping in sorted(mappings, key=lambda each: (each.external_port, each.protocol)):
        owner = next((each for each in owners if mapping.is_of(each)), None)
        rows.append(TableRow(mapping, owner is not None, owners[owner] if owner else None))
    return tuple(rows)


def _identity(mapping: PortMapping) -> object:
    """Return what makes a mapping another one; its lease runs, and names are changed at will."""
    return mapping.key, mapping.remote_host, mapping.internal_client, mapping.internal_port


def _missing(
    kind: str, here: Mapping[object, PortMapping], there: Mapping[object, PortMapping]
) -> list[TableEvent]:
    return [TableEvent(kind, mapping) for key, mapping in here.items() if key not in there]
