"""An NTT home gateway's status page, as other makers' routers ask for it.

Made from what is publicly known of it: `GET /enabler.ipv4/check?callback=NAME` on port 8888 is
answered without a login as JSONP, a call of that function with an object whose members are the
software's `name` and `version`, and its `status`, "ON" or "OFF".
"""

import asyncio
from dataclasses import dataclass
import json
from typing import override

from aiohttp import web

from tests.fakes.command import control_post, parser, run
from tests.fakes.reply import Reply
from tests.fakes.server import HttpFake


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that arrived: its path with the query, and its Host header."""

    path: str
    host: str


class HomeGateway(HttpFake):
    """Tells its state.

    - `status`, `name`, `version`: what it says
    - `reply`: a Reply instead of every answer
    - `requests`: what arrived
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Begin with the software switched on."""
        super().__init__(host=host, port=port)
        self.status = "ON"
        self.name = "v6プラス"
        self.version = "1.0.0"
        self.reply: Reply | None = None
        self.requests: list[Asked] = []

    @override
    def routes(self) -> list[web.RouteDef]:
        return [web.get("/enabler.ipv4/check", self._check)]

    async def _check(self, request: web.Request) -> web.Response:
        self.requests.append(Asked(request.path_qs, request.host))
        if self.reply is not None:
            return await self.reply.send(request, self.closing)
        said = {"name": self.name, "version": self.version, "status": self.status}
        callback = request.query.get("callback", "")
        return web.Response(
            text=f"{callback}({json.dumps(said, ensure_ascii=False)});",
            content_type="application/javascript",
        )


def control_routes(gateway: HomeGateway) -> list[web.RouteDef]:
    """Return the scripting interface.

    - POST /override: an object with any of status, name, version, and reply (null or the fields of
      Reply); what is not named stays
    - GET /requests: JSON
    """

    async def override_(body: str) -> None:
        asked = json.loads(body)
        if unknown := asked.keys() - {"status", "name", "version", "reply"}:
            message = f"unknown: {', '.join(sorted(unknown))}"
            raise ValueError(message)
        if asked.get("reply") is not None:
            asked["reply"] = Reply(**asked["reply"])
        for name, value in asked.items():
            setattr(gateway, name, value)

    async def requests(_: web.Request) -> web.Response:
        return web.json_response([{"path": a.path, "host": a.host} for a in gateway.requests])

    return [control_post("/override", override_), web.get("/requests", requests)]


async def main() -> None:
    """Run until SIGTERM or SIGINT."""
    options = parser("tests.fakes.home_gateway", "The status page of an NTT home gateway.")
    options.add_argument("--status", default="ON", help='"ON" or "OFF"')
    options.add_argument("--name", default="v6プラス", help="what the software is called")
    chosen = options.parse_args()
    gateway = HomeGateway(host=chosen.host, port=chosen.port)
    gateway.status, gateway.name = chosen.status, chosen.name
    await run(gateway, chosen, control_routes(gateway), lambda: f"ready {gateway.url}")


if __name__ == "__main__":
    asyncio.run(main())
