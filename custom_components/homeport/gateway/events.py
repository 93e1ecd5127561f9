"""Events of the gateway (GENA, UPnP Device Architecture 1.1 section 4).

Anyone on the LAN can forge an event, so it is a hint that something may have changed, never a fact.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from itertools import islice
import logging

from .errors import GatewayError, HttpRefused, InvalidAnswer
from .igd import Igd
from .markup import children, decode, local_name, parse
from .notify import NotifyServer
from .subscription import Subscription, renew, subscribe, unsubscribe

_LOGGER = logging.getLogger(__name__)

_MOST_EARLY = 4
"""Events kept that came before the answer to our subscription. One is usual."""
_RENEW_AT = 0.75
"""Of the granted time."""
_UNSUBSCRIBE = 1.0
"""Seconds that the gateway has to take note of our leaving."""
_RETRY = 60.0
"""Seconds until a subscription that failed is tried again."""
_MOST_VARIABLES = 32
_LONGEST_VALUE = 256


type Hint = Callable[[Mapping[str, str]], None]
"""Is told what an event says: state variables (WANIPConnection:1 section 2.2) by name."""


class Events:
    """A subscription to the WAN service that renews itself until it is stopped."""

    def __init__(self, igd: Igd, listen_on: str, on_hint: Hint) -> None:
        """Take the gateway, the own address to listen on, and whom to tell."""
        self._requester = igd.requester
        self._url = igd.service.event_url
        self._on_hint = on_hint
        self._server = NotifyServer(listen_on, self._on_notify)
        self._starting: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._stopped = False
        self._subscription: Subscription | None = None
        self._early: dict[str, bytes] | None = None

    @property
    def subscribed(self) -> bool:
        """Whether the gateway has promised to tell us."""
        return self._subscription is not None

    async def start(self) -> None:
        """Listen, subscribe, and keep both. Raises OSError where nothing can listen.

        Nothing is done for a service that has no events.
        """
        if self._url is None:
            return
        # A task of its own: cancelled half-way, it would leave a socket that nobody knows of.
        self._starting = asyncio.create_task(self._server.start())
        await asyncio.shield(self._starting)
        if not self._stopped:
            self._keeping = asyncio.create_task(self._keep(self._url), name="homeport events")

    async def stop(self, *, lost: bool = False) -> None:
        """Unsubscribe, unless the gateway is `lost` and would not answer, and close everything."""
        self._stopped = True
        if self._starting:
            await asyncio.wait({self._starting})
        if self._keeping:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
        held, self._subscription = self._subscription, None
        if self._url and held and not lost:
            with suppress(GatewayError, TimeoutError):
                async with asyncio.timeout(_UNSUBSCRIBE):
                    await unsubscribe(self._requester, self._url, held.sid)
        await self._server.stop()

    async def _keep(self, url: str) -> None:
        while True:
            try:
                held = self._subscription = await self._renewed(url)
            except GatewayError as err:
                _LOGGER.debug("The gateway sends no events: %s", type(err).__name__)
                self._subscription = None
                delay = _RETRY
            else:
                delay = max(held.seconds * _RENEW_AT, 1.0)
            await asyncio.sleep(delay)

    async def _renewed(self, url: str) -> Subscription:
        """Renew the subscription, or make one where there is none that the gateway knows."""
        if self._subscription:
            with suppress(HttpRefused):
                return await renew(self._requester, url, self._subscription.sid)
        self._early = {}
        try:
            made = self._subscription = await subscribe(
                self._requester, url, self._server.callback_url
            )
            if body := self._early.get(made.sid):
                self._tell(body)
        finally:
            self._early = None
        return made

    def _on_notify(self, sid: str, body: bytes) -> HTTPStatus:
        """Tell of an event; one of a subscription that is not ours is unknown (section 4.3.2)."""
        if self._subscription and sid == self._subscription.sid:
            return self._tell(body)
        if self._early is None or len(self._early) >= _MOST_EARLY or not sid:
            return HTTPStatus.PRECONDITION_FAILED
        # Perhaps of the subscription that is being made, whose id we do not know yet.
        self._early[sid] = body
        return HTTPStatus.OK

    def _tell(self, body: bytes) -> HTTPStatus:
        try:
            said = parse_event(body)
        except InvalidAnswer:
            return HTTPStatus.BAD_REQUEST
        _LOGGER.debug("Event: %s", ", ".join(said))
        self._on_hint(said)
        return HTTPStatus.OK


def parse_event(body: bytes) -> dict[str, str]:
    """Return the state variables that an event tells, by name. Raises InvalidAnswer."""
    properties = (each for each in parse(decode(body)).iter() if local_name(each) == "property")
    said: dict[str, str] = {}
    for each in islice(properties, _MOST_VARIABLES):
        said |= islice(children(each).items(), _MOST_VARIABLES)
    return {name[:_LONGEST_VALUE]: value[:_LONGEST_VALUE] for name, value in said.items()}
