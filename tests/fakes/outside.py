"""The outside: an address echo and a prober that answers as echoip does (mpolden/echoip)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
import json
from ssl import SSLContext
from typing import override

from aiohttp import web

from tests.fakes.command import add_tls, control_post, parser, run, tls_context
from tests.fakes.reply import Reply
from tests.fakes.server import HttpFake

DIAL_SECONDS = 2.0
"""How long the prober waits for a connection; echoip's own value."""

type Reachable = Callable[[str, int], Awaitable[bool]]
"""Whether (address, TCP port) accepts a connection."""


async def accepts(address: str, port: int) -> bool:
    """Dial and hang up; say whether the connection was accepted."""
    try:
        async with asyncio.timeout(DIAL_SECONDS):
            _, writer = await asyncio.open_connection(address, port)
    except OSError:
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that arrived, in order of arrival."""

    path: str
    caller: str
    user_agent: str


class Outside(HttpFake):
    """Tells callers their address, and dials back.

    - `ip`: what every answer says instead of the caller's address; `prober_ip`: only the prober's.
    - `reachable`: the prober's verdict, or a callable that finds it; None really dials the
      caller's address, whatever the answer says.
    - `echo`, `prober`: a Reply instead of every answer of that kind.
    - `down`: reset every connection without an answer.
    - `requests`: what arrived, also while down.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, ssl: SSLContext | None = None
    ) -> None:
        """With `ssl` it speaks HTTPS."""
        super().__init__(host=host, port=port, ssl=ssl)
        self.ip: str | None = None
        self.prober_ip: str | None = None
        self.reachable: bool | Reachable | None = None
        self.echo: Reply | None = None
        self.prober: Reply | None = None
        self.down = False
        self.requests: list[Seen] = []

    @override
    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._text),
            web.get("/ip", self._text),
            web.get("/json", self._json),
            web.get("/cdn-cgi/trace", self._trace),
            web.get("/port/{port}", self._port),
        ]

    async def _scripted(self, request: web.Request, reply: Reply | None) -> web.Response | None:
        """Note the request; return the answer that replaces the good one, if any."""
        agent = request.headers.get("User-Agent", "")
        self.requests.append(Seen(request.path, _caller(request), agent))
        if self.down:
            reply = Reply(drop=True)
        return None if reply is None else await reply.send(request, self.closing)

    async def _text(self, request: web.Request) -> web.Response:
        if (scripted := await self._scripted(request, self.echo)) is not None:
            return scripted
        return web.Response(text=f"{self.ip or _caller(request)}\n")

    async def _json(self, request: web.Request) -> web.Response:
        if (scripted := await self._scripted(request, self.echo)) is not None:
            return scripted
        return web.json_response({"ip": self.ip or _caller(request)})

    async def _trace(self, request: web.Request) -> web.Response:
        """Answer as Cloudflare does on every site of its own."""
        if (scripted := await self._scripted(request, self.echo)) is not None:
            return scripted
        agent = request.headers.get("User-Agent", "")
        return web.Response(
            text=f"h={request.host}\nip={self.ip or _caller(request)}\nuag={agent}\n"
        )

    async def _port(self, request: web.Request) -> web.Response:
        if (scripted := await self._scripted(request, self.prober)) is not None:
            return scripted
        text = request.match_info["port"]
        if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65_536):
            return web.json_response({"status": 400, "error": "Invalid port"}, status=400)
        caller, port = _caller(request), int(text)
        match self.reachable:
            case None:
                reachable = await accepts(caller, port)
            case bool(verdict):
                reachable = verdict
            case find:
                reachable = await find(caller, port)
        shown = self.prober_ip or self.ip or caller
        return web.json_response({"ip": shown, "port": port, "reachable": reachable})


def _caller(request: web.Request) -> str:
    """Return the caller's address; IPv4 on a socket for both families without its prefix."""
    address = ip_address((request.remote or "").partition("%")[0])
    return str(getattr(address, "ipv4_mapped", None) or address)


def control_routes(outside: Outside) -> list[web.RouteDef]:
    """Return the scripting interface.

    - POST /override: an object with any of ip, prober_ip, reachable (bool or null), down,
      echo and prober (null or the fields of Reply); what is not named stays
    - GET /requests: JSON
    """

    async def override_(body: str) -> None:
        asked = json.loads(body)
        unknown = asked.keys() - {"ip", "prober_ip", "reachable", "down", "echo", "prober"}
        if unknown:
            message = f"unknown: {', '.join(sorted(unknown))}"
            raise ValueError(message)
        for name in ("echo", "prober"):
            if asked.get(name) is not None:
                asked[name] = Reply(**asked[name])
        for name, value in asked.items():
            setattr(outside, name, value)

    async def requests(_: web.Request) -> web.Response:
        return web.json_response(
            [{"path": s.path, "caller": s.caller, "agent": s.user_agent} for s in outside.requests]
        )

    return [control_post("/override", override_), web.get("/requests", requests)]


async def main() -> None:
    """Run until SIGTERM or SIGINT."""
    options = parser("tests.fakes.outside", "An address echo and prober.")
    add_tls(options)
    chosen = options.parse_args()
    outside = Outside(host=chosen.host, port=chosen.port, ssl=tls_context(chosen))
    await run(outside, chosen, control_routes(outside), lambda: f"ready {outside.url}")


if __name__ == "__main__":
    asyncio.run(main())
