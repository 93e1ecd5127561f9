"""What the hosted probers have in common: an HTTP API with steps that can be scripted."""

from abc import abstractmethod
import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
import json
from ssl import SSLContext
from typing import Any, override

from aiohttp import web

from tests.fakes.command import add_tls, control_post, parser, run, tls_context
from tests.fakes.reply import Reply
from tests.fakes.server import HttpFake

from .dial import NEVER, dial


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that arrived, in order of arrival; `body` is None where there is none."""

    step: str
    target: str
    authorization: str | None
    body: Any


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the API: the name that it is scripted by, and what answers it."""

    name: str
    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.Response]]


class HostedProber(HttpFake):
    """A prober with nodes that dial whom they are told to.

    - `met`: by node, what it says that it met: an errno, ACCEPTED or NEVER; None really dials
    - `replies`: by step, a Reply instead of every answer
    - `said_address`, `said_port`: what answers say that was dialled, whatever was
    - `requests`: what arrived
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, ssl: SSLContext | None = None
    ) -> None:
        """With `ssl` it speaks HTTPS."""
        super().__init__(host=host, port=port, ssl=ssl)
        self.met: list[int | None] = [None, None, None]
        self.replies: dict[str, Reply] = {}
        self.said_address: str | None = None
        self.said_port: int | None = None
        self.requests: list[Asked] = []
        self._tasks: set[asyncio.Task[int]] = set()

    @abstractmethod
    def steps(self) -> list[Step]:
        """Return the requests that it knows."""

    @override
    def routes(self) -> list[web.RouteDef]:
        return [web.route(step.method, step.path, self._answers(step)) for step in self.steps()]

    @override
    async def started(self, stack: AsyncExitStack) -> None:
        await super().started(stack)
        stack.push_async_callback(self._end)

    def dialling(self, address: str, port: int, seconds: float) -> list[asyncio.Task[int]]:
        """Let every node begin to dial."""

        async def node(met: int | None) -> int:
            if met == NEVER:
                await self.closing.wait()
            return await dial(address, port, seconds) if met is None else met

        tasks = [asyncio.create_task(node(met)) for met in self.met]
        self._tasks.update(tasks)
        return tasks

    def _answers(self, step: Step) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            text = await request.text()
            authorization = request.headers.get("Authorization")
            body = json.loads(text) if text else None
            self.requests.append(Asked(step.name, request.path_qs, authorization, body))
            if reply := self.replies.get(step.name):
                return await reply.send(request, self.closing)
            return await step.handler(request)

        return handle

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def met_by(task: asyncio.Task[int]) -> int | None:
    """Return what a node has met; None while it has not answered."""
    return task.result() if task.done() else None


def control_routes(prober: HostedProber) -> list[web.RouteDef]:
    """Return the scripting interface.

    - POST /override: an object with any of met, said_address, said_port, and replies: by step, null
      or the fields of Reply; what is not named stays
    - GET /requests: JSON
    """

    async def override_(body: str) -> None:
        asked = json.loads(body)
        if unknown := asked.keys() - {"met", "said_address", "said_port", "replies"}:
            message = f"unknown: {', '.join(sorted(unknown))}"
            raise ValueError(message)
        for step, fields in asked.pop("replies", {}).items():
            with suppress(KeyError):
                del prober.replies[step]
            if fields is not None:
                prober.replies[step] = Reply(**fields)
        for name, value in asked.items():
            setattr(prober, name, value)

    async def requests(_: web.Request) -> web.Response:
        return web.json_response(
            [
                {"step": a.step, "target": a.target, "auth": a.authorization, "body": a.body}
                for a in prober.requests
            ]
        )

    return [control_post("/override", override_), web.get("/requests", requests)]


async def main(kind: type[HostedProber], module: str) -> None:
    """Run until SIGTERM or SIGINT."""
    options = parser(module, "A hosted prober.")
    add_tls(options)
    chosen = options.parse_args()
    prober = kind(host=chosen.host, port=chosen.port, ssl=tls_context(chosen))
    await run(prober, chosen, control_routes(prober), lambda: f"ready {prober.url}")
