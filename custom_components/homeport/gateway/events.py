"""Events of the gateway (GENA, UPnP Device Architecture 1.1 section 4).

Anyone on the LAN can forge an event, so it is a hint that something may have changed, never a fact.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
import logging
from typing import override
from xml.etree.ElementTree import ParseError

from aiohttp import web
from async_upnp_client.aiohttp import AiohttpNotifyServer
from async_upnp_client.client import UpnpService, UpnpStateVariable
from async_upnp_client.const import HttpRequest
from async_upnp_client.event_handler import UpnpEventHandler
from async_upnp_client.exceptions import UpnpError
from defusedxml.common import DefusedXmlException

from .errors import GatewayError
from .igd import Igd

_LOGGER = logging.getLogger(__name__)

_MAX_BACKLOG = 4
"""Events kept that came before the answer to our subscription. One is usual."""
_RENEW_AT = 0.75
"""Of the granted time."""
_LONGEST_GRANT = 1800.0
"""Seconds. A router that grants a day, and restarts, would not be heard of for as long."""
_UNSUBSCRIBE = 1.0
"""Seconds that the gateway has to take note of our leaving."""
_GRACE = 0.5
"""Seconds that an event may take to arrive while we stop."""
_RETRY = 60.0
"""Seconds until a subscription that failed is tried again."""


type Hint = Callable[[Mapping[str, str]], None]
"""Is told what an event says: state variables (WANIPConnection:1 section 2.2) by name."""


class _Handler(UpnpEventHandler):
    """The library's handler, for a LAN that is not to be trusted."""

    @override
    async def handle_notify(self, http_request: HttpRequest) -> HTTPStatus:
        """Pass an event on, keep few that belong to nobody, refuse what is no event."""
        sid = http_request.headers.get("SID", "")
        if not self.service_for_sid(sid) and len(self._backlog) >= _MAX_BACKLOG:
            return HTTPStatus.PRECONDITION_FAILED
        try:
            return await super().handle_notify(http_request)
        except ParseError, DefusedXmlException, ValueError, UpnpError:
            return HTTPStatus.BAD_REQUEST


class _Server(AiohttpNotifyServer):
    """The library's server, for a LAN that is not to be trusted."""

    @override
    async def _handle_request(self, request: web.BaseRequest) -> web.Response:
        """Refuse a body that is no text in its encoding, or in one that does not exist."""
        try:
            return await super()._handle_request(request)
        except LookupError, UnicodeError:
            return web.Response(status=HTTPStatus.BAD_REQUEST)

    @override
    async def async_stop_server(self) -> None:
        """Unsubscribe and close everything soon, also what someone keeps open.

        The library's own waits up to twenty seconds for such, and leaves behind a connection that
        comes at this moment.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_UNSUBSCRIBE):
                await self.event_handler.async_unsubscribe_all()
        if self._aiohttp_server and isinstance(self._server, asyncio.Server):
            for sock in self._server.sockets:
                self._loop.remove_reader(sock.fileno())
            # What has been accepted becomes a transport now, and can be closed then.
            await asyncio.sleep(0)
            self._server.close()
            self._aiohttp_server.pre_shutdown()
            await self._aiohttp_server.shutdown(_GRACE)
            self._server.abort_clients()
        self._aiohttp_server = self._server = None


class Events:
    """A subscription to the WAN service that renews itself until it is stopped."""

    def __init__(self, igd: Igd, listen_on: str, on_hint: Hint) -> None:
        """Take the gateway, the own address to listen on, and whom to tell."""
        self._igd = igd
        self._on_hint = on_hint
        self._server = _Server(igd.requester, source=(listen_on, 0))
        self._server.event_handler = _Handler(self._server, igd.requester)
        self._starting: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._stopped = False
        self.subscribed = False

    async def start(self) -> None:
        """Listen, subscribe, and keep both. Raises UpnpServerOSError where nothing can listen."""
        # A task of its own: cancelled half-way, it would leave a socket that nobody knows of.
        self._starting = asyncio.create_task(self._server.async_start_server())
        await asyncio.shield(self._starting)
        if self._stopped:
            return
        self._igd.service.on_event = self._on_event
        self._keeping = asyncio.create_task(self._keep(), name="homeport events")

    async def stop(self, *, lost: bool = False) -> None:
        """Unsubscribe, unless the gateway is `lost` and would not answer, and close everything."""
        self._stopped = True
        if self._starting:
            await asyncio.wait({self._starting})
        if self._keeping:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
        self.subscribed = False
        self._igd.service.on_event = None
        if lost:
            # A handler without subscriptions has nobody to ask for their end.
            self._server.event_handler = _Handler(self._server, self._igd.requester)
        await self._server.async_stop_server()

    async def _keep(self) -> None:
        handler = self._server.event_handler
        service = self._igd.service
        while True:
            try:
                if self.subscribed:
                    _, granted = await handler.async_resubscribe(service)
                else:
                    _, granted = await handler.async_subscribe(service)
            except (GatewayError, UpnpError, KeyError, ValueError, OverflowError) as err:
                _LOGGER.debug("The gateway sends no events: %s", type(err).__name__)
                self.subscribed = False
                delay = _RETRY
            else:
                self.subscribed = True
                granted_seconds = min(granted.total_seconds(), _LONGEST_GRANT)
                delay = max(granted_seconds * _RENEW_AT, 1.0)
            await asyncio.sleep(delay)

    def _on_event(self, _: UpnpService, variables: Sequence[UpnpStateVariable[object]]) -> None:
        _LOGGER.debug("Event: %s", ", ".join(variable.name for variable in variables))
        self._on_hint({variable.name: str(variable.value) for variable in variables})
