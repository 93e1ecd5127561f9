"""What all fakes share: an HTTP server on one address that leaves nothing behind."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
import socket
from ssl import SSLContext
from types import TracebackType
from typing import Self, override

from aiohttp import web


def bracketed(host: str) -> str:
    """Return the host as it stands in a URL (RFC 3986 section 3.2.2)."""
    return f"[{host}]" if ":" in host else host


class HttpFake(ABC):
    """An HTTP server as an asynchronous context manager.

    `port` 0 takes any free port; after entering, `port` and `url` tell which one it is. Entering
    raises OSError when the address cannot be bound.
    """

    def __init__(self, *, host: str, port: int, ssl: SSLContext | None = None) -> None:
        """Remember where to listen; nothing is opened before entering."""
        self.host = host
        self.port = port
        self.closing = asyncio.Event()
        self._ssl = ssl
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        """Base URL without a slash at its end."""
        scheme = "http" if self._ssl is None else "https"
        return f"{scheme}://{bracketed(self.host)}:{self.port}"

    @abstractmethod
    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return what is served."""

    async def started(self, stack: AsyncExitStack) -> None:
        """Start what comes after the HTTP server; push onto `stack` what has to be ended."""
        stack.callback(self.closing.set)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            sock = socket.create_server(
                (self.host, self.port), family=family, dualstack_ipv6=self.host == "::"
            )
            stack.callback(sock.close)
            self.port = sock.getsockname()[1]
            app = web.Application()
            app.add_routes(self.routes())
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, sock, ssl_context=self._ssl).start()
            await self.started(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()


class Page(HttpFake):
    """A server with fixed routes: the control port of a fake, or a service of the demo home."""

    def __init__(
        self, routes: Iterable[web.AbstractRouteDef], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        """Serve `routes` on the address given."""
        super().__init__(host=host, port=port)
        self._routes = routes

    @override
    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return self._routes
