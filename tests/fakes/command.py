"""What the fakes share when they run as programs: options, control port, clean end."""

from argparse import ArgumentParser, Namespace
import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from json import JSONDecodeError
import signal
import ssl
import sys

from aiohttp import web

from tests.fakes.server import Page

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def parser(prog: str, description: str) -> ArgumentParser:
    """Return a parser with the options that every fake understands."""
    made = ArgumentParser(prog=f"python -m {prog}", description=description)
    made.add_argument("--host", default="127.0.0.1", help="address to listen on")
    made.add_argument("--port", type=int, default=0, help="0 takes a free port")
    made.add_argument("--control-host", default="127.0.0.1")
    made.add_argument("--control-port", type=int, help="serve the scripting interface there")
    return made


def add_tls(to: ArgumentParser) -> None:
    """Add the options for a server certificate."""
    to.add_argument("--cert", help="PEM file with the certificate chain; turns TLS on")
    to.add_argument("--key", help="PEM file with the private key")


def tls_context(options: Namespace) -> ssl.SSLContext | None:
    """Return the server's TLS context, or None without a certificate."""
    if options.cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)
    return context


def control_post(path: str, apply: Callable[[str], Awaitable[None]]) -> web.RouteDef:
    """Return a control route: `apply` takes the body as text; what it refuses is a 400."""

    async def handle(request: web.Request) -> web.Response:
        try:
            await apply(await request.text())
        except (JSONDecodeError, KeyError, TypeError, ValueError) as err:
            return web.Response(status=400, text=f"{type(err).__name__}: {err}\n")
        return web.Response(status=204)

    return web.post(path, handle)


async def run(
    fake: AbstractAsyncContextManager[object],
    options: Namespace,
    controls: Iterable[web.AbstractRouteDef],
    ready: Callable[[], str],
) -> None:
    """Serve until SIGTERM or SIGINT; prints one line, `ready()`, when everything listens."""
    async with fake:
        if options.control_port is None:
            await wait_for_end(ready())
            return
        async with Page(controls, host=options.control_host, port=options.control_port) as control:
            await wait_for_end(f"{ready()} control {control.url}")


async def wait_for_end(line: str) -> None:
    """Print `line`, which says that all listens, and return at SIGTERM or SIGINT."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    await end.wait()
