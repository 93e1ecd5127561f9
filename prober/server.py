"""The sockets that the service is served at."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
import logging
import socket
import ssl
from typing import Any, Final
from weakref import WeakSet

from aiohttp import web

from .config import Config, ConfigError

_LOGGER = logging.getLogger(__name__)

LIFETIME: Final = 20.0
"""Seconds for a connection, whatever it does: a question takes 12 at most, and idlers cost."""
_HANDSHAKE: Final = 10.0
"""Seconds for that of TLS."""
_BACKLOG: Final = 1024
_SHUTDOWN: Final = 2.0
"""Seconds for those that are being answered when it ends."""


@asynccontextmanager
async def served(config: Config, app: web.Application) -> AsyncIterator[list[tuple[str, int]]]:
    """Serve for as long as the context lasts; gives the addresses and ports it listens at.

    Raises ConfigError for a certificate that cannot be used, and OSError for a port in use.
    """
    context = _tls(config)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_quietly)
    # What aiohttp logs of a broken request names who has sent it.
    silent = logging.getLogger("prober.silent")
    silent.disabled = True
    # Compressed questions are not unpacked: a small one may become a large one.
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=silent,
        auto_decompress=False,
        shutdown_timeout=_SHUTDOWN,
    )
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)

        ends: WeakSet[asyncio.TimerHandle] = WeakSet()
        stack.callback(_cancel, ends)

        def connection() -> asyncio.Protocol:
            assert runner.server is not None  # noqa: S101 - after setup() there is one
            protocol = runner.server()
            ends.add(loop.call_later(LIFETIME, protocol.force_close))
            return protocol

        places = []
        for address, port in config.listen:
            family = socket.AF_INET if address.version == 4 else socket.AF_INET6
            sock = socket.create_server((str(address), port), family=family)
            stack.callback(sock.close)
            server = await loop.create_server(
                connection,
                sock=sock,
                ssl=context,
                ssl_handshake_timeout=_HANDSHAKE if context else None,
                backlog=_BACKLOG,
            )
            stack.callback(server.close)
            places.append(sock.getsockname()[:2])
        yield places


def _cancel(timers: Iterable[asyncio.TimerHandle]) -> None:
    for each in timers:
        each.cancel()


def _tls(config: Config) -> ssl.SSLContext | None:
    if config.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(config.certificate, config.key)
    except (OSError, ValueError) as err:
        raise ConfigError(f"the certificate or its key cannot be used: {err}") from err
    return context


def _log_quietly(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what has gone wrong without whom it has gone wrong with."""
    _LOGGER.error("%s: %s", context["message"], type(context.get("exception")).__name__)
