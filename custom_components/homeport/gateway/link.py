"""Staying in touch with a gateway: connecting, listening, and connecting again when it was away."""

from collections.abc import Callable
from ipaddress import IPv4Address
import logging

import aiohttp
from yarl import URL

from .errors import GatewayError, GatewayUnreachable
from .events import Events, Hint
from .igd import Igd
from .model import WanStatus
from .resolve import resolve

_LOGGER = logging.getLogger(__name__)


class Link:
    """The connection to the gateway whose description is at the URL `location`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        location: str,
        source_address: Callable[[str], IPv4Address],
        on_hint: Hint,
    ) -> None:
        """Take what tells our own address towards another one, and whom to tell of events."""
        self._session = session
        self._location = location
        self._source_address = source_address
        self._on_hint = on_hint
        self._events: Events | None = None
        self._closed = False
        self.igd: Igd | None = None
        self.address: IPv4Address | None = None
        """Where the gateway is asked, once there was a connection."""
        self.own_address: IPv4Address | None = None

    @property
    def pushes(self) -> bool:
        """Say whether the gateway tells us of changes by itself."""
        return bool(self._events and self._events.subscribed)

    async def read(self) -> WanStatus:
        """Return the state of the internet side, connecting first where there is no connection.

        Raises GatewayError; after one the next call starts over.
        """
        try:
            igd = self.igd or await self._connect()
            status = await igd.wan_status()
            if status.connected is False and await igd.choose_again():
                # It has moved to another service, as when mobile data stands in for DSL.
                await self._deafen()
                status = await igd.wan_status()
            # Only now: some routers count all their mappings before they answer a subscription.
            if self._events is None and not self._closed:
                await self._listen(igd)
        except GatewayError as err:
            await self.stop(lost=isinstance(err, GatewayUnreachable))
            raise
        return status

    async def close(self) -> None:
        """Stop for good: a reading under way does not begin to listen any more."""
        self._closed = True
        await self.stop()

    async def stop(self, *, lost: bool = False) -> None:
        """End the subscription and forget the connection."""
        self.igd = None
        await self._deafen(lost=lost)

    async def _deafen(self, *, lost: bool = False) -> None:
        if events := self._events:
            self._events = None
            await events.stop(lost=lost)

    async def _connect(self) -> Igd:
        igd = await Igd.connect(self._session, self._location)
        try:
            # Asked anew each time: this machine may have moved in the meantime.
            address = await resolve(URL(self._location).host or "")
            self.own_address = self._source_address(address)
            self.address = IPv4Address(address)
        except OSError as err:
            raise GatewayUnreachable(type(err).__name__) from err
        self.igd = igd
        return igd

    async def _listen(self, igd: Igd) -> None:
        # Known before it has begun, so that it can be stopped at any moment.
        events = self._events = Events(igd, str(self.own_address), self._on_hint)
        try:
            await events.start()
        except OSError as err:
            _LOGGER.debug("Cannot listen to events: %s", type(err).__name__)
            self._events = None
            await events.stop(lost=True)
