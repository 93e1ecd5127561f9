"""A server that stands for every prober at once, and says whatever it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
import json
import re
import socket
from ssl import SSLContext
from typing import Any

from aiohttp import web

from tests.fakes.reply import Reply

NODES = "a.node.example", "b.node.example", "c.node.example"
_PORT = re.compile(r"\d+$", re.ASCII)


class Kind(StrEnum):
    """Which prober is asked."""

    OWN = "own"
    ECHOIP = "echoip"
    CHECK_HOST = "check_host"
    GLOBALPING = "globalping"
    PORTCHECKER = "portchecker"


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that does not end: `piece` again and again, with `pause` seconds between."""

    piece: bytes
    pause: float = 0.0


type Lie = Callable[[Any], Reply | Stream | Any]
"""Makes an answer of what a good one would be, which it may change: JSON, or how to say it."""


def accepted(kind: Kind, address: str, port: int) -> Any:
    """Return what a prober of a kind says where a connection was accepted, in its last answer."""
    match kind:
        case Kind.OWN:
            asked = {"transport": "tcp", "address": address, "port": port}
            return {**asked, "outcome": "accepted", "nonce": False}
        case Kind.ECHOIP:
            return {"ip": address, "port": port, "reachable": True}
        case Kind.CHECK_HOST:
            return {node: [{"address": address, "time": 0.02}] for node in NODES}
        case Kind.PORTCHECKER:
            check = [{"port": port, "status": True}]
            return {"error": False, "msg": None, "check": check, "host": address}
    result = {
        "status": "finished",
        "rawOutput": f"Reply from {address} on port {port}: tcp_conn=1\n",
        "resolvedAddress": address,
        "timings": [{"rtt": 20.5}],
        "stats": {"total": 1, "rcv": 1, "drop": 0, "loss": 0},
    }
    return {
        "id": f"m{port}",
        "type": "ping",
        "target": address,
        "status": "finished",
        "measurementOptions": {"protocol": "TCP", "port": port, "packets": 1},
        "results": [{"probe": {"country": "XX"}, "result": deepcopy(result)} for _ in NODES],
    }


def refused(kind: Kind, address: str, port: int) -> Any:
    """Return what it says where a connection was not accepted."""
    said = accepted(kind, address, port)
    match kind:
        case Kind.OWN:
            said["outcome"] = "timed_out"
        case Kind.ECHOIP:
            said["reachable"] = False
        case Kind.CHECK_HOST:
            return {node: [{"error": "Connection timed out"}] for node in NODES}
        case Kind.PORTCHECKER:
            said["check"][0]["status"] = False
        case Kind.GLOBALPING:
            for each in said["results"]:
                each["result"] |= {"timings": [{"rtt": -1}], "stats": {"rcv": 0}}
    return said


class Liar:
    """Answers by the port that it is asked about.

    - `address`: what it says that was dialled
    - `lies`: by port; what is asked about no such port is told `otherwise`, a last answer
    - `asked`: the kind and the port of every question, when its last answer is due
    - `tokens`: the tokens that were sent
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.lies: dict[int, Lie] = {}
        self.otherwise: Callable[[Kind, str, int], Any] = refused
        self.asked: list[tuple[Kind, int]] = []
        self.tokens: set[str] = set()
        self._closing = asyncio.Event()

    @asynccontextmanager
    async def serve(self, sock: socket.socket, ssl: SSLContext | None) -> AsyncIterator[None]:
        """Serve at a listening socket."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.SockSite(runner, sock, ssl_context=ssl).start()
            yield
        finally:
            self._closing.set()
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        body = json.loads(text) if text else {}
        token = request.headers.get("Authorization")
        self.tokens |= {token.removeprefix("Bearer ")} if token else set()
        where = request.path.rsplit("/", 2)
        match where[-2], where[-1]:
            case _, "check-tcp":
                port = _port(request.query["host"])
                return web.json_response(
                    {"ok": 1, "request_id": f"m{port}", "nodes": dict.fromkeys(NODES, None)}
                )
            case _, "measurements":
                port = body["measurementOptions"].get("port", 80)
                return web.json_response({"id": f"m{port}"}, status=202)
            case _, "query":
                return await self._last(request, Kind.PORTCHECKER, body["ports"][0])
            case _, "check":
                return await self._last(request, Kind.OWN, body["port"])
            case "check-result", last:
                return await self._last(request, Kind.CHECK_HOST, _port(last))
            case "measurements", last:
                return await self._last(request, Kind.GLOBALPING, _port(last))
            case "port", last:
                return await self._last(request, Kind.ECHOIP, _port(last))
            case "portal", last:  # a captive portal's page, for whoever lets it lead there
                kind = Kind(request.query["kind"])
                return web.json_response(accepted(kind, self.address, _port(last)))
        return web.json_response({}, status=404)

    async def _last(self, request: web.Request, kind: Kind, port: int) -> web.StreamResponse:
        self.asked.append((kind, port))
        lie = self.lies.get(port)
        said = lie(accepted(kind, self.address, port)) if lie else None
        if lie is None:
            said = self.otherwise(kind, self.address, port)
        if isinstance(said, Reply):
            location = said.headers.get("Location", "").format(kind=kind.value, port=port)
            if location:
                said = Reply.redirect(location)
            return await said.send(request, self._closing)
        if not isinstance(said, Stream):
            return web.json_response(said)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        with suppress(ConnectionError):  # who asked has had enough
            while not self._closing.is_set():
                await response.write(said.piece)
                await asyncio.sleep(said.pause)
        return response


def _port(text: str) -> int:
    found = _PORT.search(text)
    return int(found[0]) if found else 0
