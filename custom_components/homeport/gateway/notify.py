"""Listening for the events that a gateway sends, on a LAN that is not to be trusted."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
import socket

from aiohttp import web

_LONGEST_BODY = 64 * 1024
"""Bytes. Events of gateways have some hundred."""
_BODY_TIMEOUT = 5.0
"""Seconds for the body of an event."""
_CONNECTION_TIMEOUT = 10.0
"""Seconds that one connection may last: an event takes milliseconds."""
_MOST_CONNECTIONS = 64
"""Connections at the same time. A gateway has one or two."""
_MOST_A_SECOND = 200
"""Connections served in a second. A gateway that tells of a hundred changes has as many."""
_BACKLOG = 16
_GRACE = 0.5
"""Seconds for an event that arrives while we stop, and for the rest of one that is refused."""
_PATH = "/notify"

type OnNotify = Callable[[str, bytes], HTTPStatus]
"""Takes the id of a subscription and the body of an event; says what it is worth."""


class NotifyServer:
    """An HTTP server for NOTIFY alone (UPnP Device Architecture 1.1 section 4.3.2).

    One request a connection, and not more of them than a gateway has reason for: who floods it is
    not listened to for the rest of the second, nor is anybody else. What is lost then was a hint.
    """

    def __init__(self, address: str, on_notify: OnNotify) -> None:
        """Take the own address to listen on, and who takes the events."""
        self._address = address
        self._on_notify = on_notify
        self._http = web.Server(
            self._handle, access_log=None, auto_decompress=False, lingering_time=_GRACE
        )
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._paused = False
        self._second: asyncio.TimerHandle | None = None
        self._resuming: asyncio.Task[None] | None = None
        self._served = 0
        self._born: dict[web.RequestHandler, float] = {}

    @property
    def callback_url(self) -> str:
        """Return the URL to have events sent to. Raises RuntimeError before the start."""
        if self._socket is None:
            raise RuntimeError("not started")
        return f"http://{self._address}:{self._socket.getsockname()[1]}{_PATH}"

    async def start(self) -> None:
        """Listen. Raises OSError."""
        self._socket = socket.create_server((self._address, 0), backlog=_BACKLOG)
        await self._accept()

    async def stop(self) -> None:
        """Close everything soon, also what somebody keeps open, and what comes at this moment."""
        self._stop_counting()
        if self._resuming:
            await asyncio.wait({self._resuming})
        if self._socket is None or self._server is None:
            return
        self._pause()
        self._socket.close()
        # What has been accepted becomes a connection now, and can be closed then.
        await asyncio.sleep(0)
        self._http.pre_shutdown()
        await self._http.shutdown(_GRACE)
        self._server.abort_clients()
        self._socket = self._server = None
        self._born.clear()
        self._stop_counting()  # what came at the last moment has begun it anew

    def _stop_counting(self) -> None:
        if self._second:
            self._second.cancel()
            self._second = None

    async def _accept(self) -> None:
        """Listen on a twin of the socket: what comes between two twins waits in the kernel."""
        if self._socket is not None:
            twin = self._socket.dup()
            twin.setblocking(False)
            self._server = await asyncio.get_running_loop().create_server(
                self._connection, sock=twin, backlog=_BACKLOG
            )
            self._paused = False

    def _pause(self) -> None:
        """Accept nothing more, until the next twin; what is accepted already is served."""
        if self._server is None or self._paused:
            return
        self._paused = True
        loop = asyncio.get_running_loop()
        for sock in self._server.sockets:
            loop.remove_reader(sock.fileno())
        # A server that is closed has no place for what it has just accepted.
        loop.call_soon(self._server.close)

    def _connection(self) -> asyncio.Protocol:
        loop = asyncio.get_running_loop()
        self._served += 1
        if self._second is None:
            self._second = loop.call_later(1.0, self._second_over)
        if self._served >= _MOST_A_SECOND or len(self._born) >= _MOST_CONNECTIONS:
            self._pause()
        connection = self._http()
        self._born[connection] = loop.time()
        return connection

    def _second_over(self) -> None:
        """Begin to count anew, and end what lasts too long."""
        loop = asyncio.get_running_loop()
        alive = set(self._http.connections)
        self._born = {each: born for each, born in self._born.items() if each in alive}
        for connection, born in self._born.items():
            if loop.time() - born > _CONNECTION_TIMEOUT:
                connection.force_close()
        self._served = 0
        self._second = loop.call_later(1.0, self._second_over) if self._born else None
        if self._paused and len(self._born) < _MOST_CONNECTIONS:
            self._resuming = loop.create_task(self._accept(), name="homeport events resume")

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.Response(status=await self._status(request))
        response.force_close()
        return response

    async def _status(self, request: web.BaseRequest) -> HTTPStatus:
        if request.method != "NOTIFY":
            return HTTPStatus.METHOD_NOT_ALLOWED
        kind = request.headers.get("NT"), request.headers.get("NTS")
        if kind != ("upnp:event", "upnp:propchange"):
            return HTTPStatus.PRECONDITION_FAILED
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_TIMEOUT):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > _LONGEST_BODY:
                        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        except TimeoutError:
            return HTTPStatus.REQUEST_TIMEOUT
        return self._on_notify(request.headers.get("SID", ""), bytes(body))
