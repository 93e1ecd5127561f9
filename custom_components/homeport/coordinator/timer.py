"""When a port that was opened for a time is to be closed again."""

from collections.abc import Callable
from datetime import datetime

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..store import HomeportStore


class CloseTimer:
    """Ends the wish for one port when its time is up. It is kept in the store, over a restart."""

    def __init__(
        self, hass: HomeAssistant, store: HomeportStore, port_id: str, on_end: Callable[[], None]
    ) -> None:
        """Take whose wish it is, and whom to call when it has ended; one overdue ends at once."""
        self._hass = hass
        self._store = store
        self._port_id = port_id
        self._on_end = on_end
        self._disarm: Callable[[], None] | None = None
        self.settle()

    @property
    def ends(self) -> datetime | None:
        """Return when it ends, in UTC; None where no timer runs."""
        return self._store.closes.get(self._port_id)

    @callback
    def set(self, ends: datetime | None) -> None:
        """Let it end at another time, or never; whoever calls saves the store."""
        self.disarm()
        self._store.closes.pop(self._port_id, None)
        if ends is not None:
            # The store knows whole seconds.
            self._store.closes[self._port_id] = ends.replace(microsecond=0)
            self.arm()

    @callback
    def settle(self) -> None:
        """End the wish if its time is up by the clock, which may have been set in the meantime."""
        if (ends := self.ends) and ends <= dt_util.utcnow():
            self._end()

    @callback
    def arm(self) -> None:
        """Begin to wait for the end."""
        if self._disarm is None and self.ends:
            self._disarm = async_track_point_in_utc_time(self._hass, self._time_is_up, self.ends)

    @callback
    def disarm(self) -> None:
        """Stop waiting."""
        if self._disarm:
            self._disarm()
            self._disarm = None

    @callback
    def _time_is_up(self, _: datetime) -> None:
        self._disarm = None
        self._end()
        self._on_end()

    @callback
    def _end(self) -> None:
        self.set(None)
        self._store.wanted.discard(self._port_id)
