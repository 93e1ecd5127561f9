"""Staying in touch with a gateway: connecting, listening, and connecting again when it was away."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
import logging
from typing import Final

import aiohttp
from yarl import URL

from .chain import Chain, Known
from .discover import find_location
from .errors import GatewayError, GatewayNotFound, GatewayUnreachable
from .events import Events, Hint
from .igd import Igd
from .mapper import Mappers
from .memory import Memory
from .model import GatewayInfo, WanStatus
from .resolve import resolve
from .router import Router

_LOGGER = logging.getLogger(__name__)

_PATIENCE: Final = 30.0
"""Seconds for which a gateway whose UPnP was there is waited for, before another of its protocols
takes its place: it may be restarting."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a gateway is asked: at the URL `location` of its description, or by `host` alone.

    Without a `location` it is one that speaks PCP or NAT-PMP only.
    """

    location: str | None = None
    host: str | None = None

    @property
    def name(self) -> str:
        """Return its host name or address."""
        return self.host or URL(self.location or "").host or ""


class Link:
    """The connection to one gateway."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        peer: Peer,
        source_address: Callable[[str], IPv4Address],
        *,
        memory: Memory,
        save: Callable[[], Awaitable[None]],
        known: Known = tuple,
        on_hint: Hint = lambda _: None,
        on_move: Callable[[GatewayInfo], None] = lambda _: None,
    ) -> None:
        """Take what tells our own address towards another one, and whom to tell.

        `known` returns the openings that are ours, where there may be a second router. `on_hint` is
        told of events; `on_move` that the description is elsewhere by now.
        """
        self._session = session
        self._peer = peer
        self._source_address = source_address
        self.memory = memory
        """What is known of the gateway from before, and learned now."""
        self._known = known
        self._save = save
        self._on_hint = on_hint
        self._on_move = on_move
        self._events: Events | None = None
        self._mappers: Mappers | None = None
        self._closed = False
        self._turn = 0
        self._chain: Chain | None = None
        self._igd_seen: float | None = None
        self.gateway: Router | None = None
        self.address: IPv4Address | None = None
        """Where the gateway is asked, once there was a connection."""
        self.own_address: IPv4Address | None = None

    @property
    def igd(self) -> Igd | None:
        """Return the gateway's UPnP side, while it answers."""
        return self.gateway.igd if self.gateway else None

    @property
    def opener(self) -> Router | Chain | None:
        """Return what opens ports: the gateway, with a second router behind it if there is one."""
        gateway, second = self.gateway, self.memory.second
        if gateway is None or second is None:
            return gateway
        if self._chain is None or (self._chain.inner, self._chain.second) != (gateway, second):
            self._chain = Chain(gateway, self._session, second, self._known)
        return self._chain

    @property
    def pushes(self) -> bool:
        """Say whether the gateway tells us of changes by itself."""
        return bool(self._events and self._events.subscribed)

    async def read(self) -> WanStatus:
        """Return the state of the internet side, connecting first where there is no connection.

        Raises GatewayError; after one the next call starts over.
        """
        turn = self._turn
        try:
            gateway = await self.connect()
            status = await gateway.wan_status()
            if igd := gateway.igd:
                self._igd_seen = _time()
                if status.connected is False and await igd.choose_again():
                    # It has moved to another service, as when mobile data stands in for DSL.
                    await self._deafen()
                    status = await gateway.wan_status()
                # Only now: some routers count all their mappings before they answer a subscription.
                if self._events is None and not self._closed:
                    await self._listen(igd)
        except GatewayError as err:
            # Not what another reading has connected to in the meantime.
            if turn == self._turn:
                await self.stop(lost=isinstance(err, GatewayUnreachable))
            raise
        return status

    async def connect(self) -> Router:
        """Return the gateway, connecting where there is no connection. Raises GatewayError.

        Where its UPnP was to be had and is not, that is tried again each time.
        """
        if self.gateway and (self.gateway.igd or not self._peer.location):
            return self.gateway
        turn = self._turn
        try:
            # Asked anew each time: this machine may have moved in the meantime.
            address = IPv4Address(await resolve(self._peer.name))
            own = self._source_address(str(address))
        except OSError as err:
            raise GatewayUnreachable(type(err).__name__) from err
        if self._mappers is None or (self.address, self.own_address) != (address, own):
            await self._forget_mappers()
            self._mappers = Mappers(address, own, self.memory)
        mappers = self._mappers
        self.address, self.own_address = address, own
        igd = await self._connect_igd(mappers)
        if self._closed or turn != self._turn:  # it was stopped in the meantime
            raise GatewayUnreachable
        self.gateway = Router(igd, mappers, self.memory, self._save)
        return self.gateway

    async def connect_opener(self) -> Router | Chain:
        """Return what opens ports, connecting where there is no connection. Raises GatewayError."""
        gateway = await self.connect()
        return self.opener or gateway

    async def close(self) -> None:
        """Stop for good: a reading under way does not begin to listen any more."""
        self._closed = True
        await self.stop()

    async def stop(self, *, lost: bool = False) -> None:
        """End the subscription and forget the connection."""
        self._turn += 1
        gateway, self.gateway = self.gateway, None
        if gateway:
            await gateway.stop()
        await self._forget_mappers()
        await self._deafen(lost=lost)

    async def _connect_igd(self, mappers: Mappers) -> Igd | None:
        """Connect by UPnP; return None where another protocol has to take its place.

        Raises GatewayError where there is none.
        """
        refusal: GatewayError = GatewayUnreachable()
        if location := self._peer.location:
            try:
                return await self._find_igd(location)
            except GatewayError as err:
                refusal = err
            if self._igd_seen is not None and _time() - self._igd_seen < _PATIENCE:
                raise refusal
        if await mappers.answering():
            return None
        raise refusal

    async def _find_igd(self, location: str) -> Igd:
        """Connect at a URL, or at that where the same host says its description is by now."""
        rule = self.memory.lease_rule
        try:
            return await Igd.connect(self._session, location, lease_rule=rule)
        except GatewayError as err:
            try:
                found = await find_location(self._peer.name, tries=1)
            except GatewayNotFound:
                raise err from None
            if found == location:
                raise
            igd = await Igd.connect(self._session, found, lease_rule=rule)
        _LOGGER.info("The router's description has moved")
        self._peer = Peer(found, self._peer.host)
        self._on_move(igd.info)
        return igd

    async def _forget_mappers(self) -> None:
        if mappers := self._mappers:
            self._mappers = None
            await mappers.stop()

    async def _deafen(self, *, lost: bool = False) -> None:
        if events := self._events:
            self._events = None
            await events.stop(lost=lost)

    async def _listen(self, igd: Igd) -> None:
        # Known before it has begun, so that it can be stopped at any moment.
        events = self._events = Events(igd, str(self.own_address), self._on_hint)
        try:
            await events.start()
        except OSError as err:
            _LOGGER.debug("Cannot listen to events: %s", type(err).__name__)
            self._events = None
            await events.stop(lost=True)


def _time() -> float:
    return asyncio.get_running_loop().time()
