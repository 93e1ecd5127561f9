"""A simulated home with a router, an outside and a dynamic DNS service, all on 127.0.0.1."""

from argparse import ArgumentParser
import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from ipaddress import ip_address
import json
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.command import control_post, wait_for_end
from tests.fakes.dyndns2 import Dyndns2
from tests.fakes.igd import FakeIgd, Identity
from tests.fakes.outside import Outside, accepts
from tests.fakes.server import Page
from tests.fakes.stun import StunServer

HOST = "127.0.0.1"
GAME_TEXT = "Welcome to the game server.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPorts:
    """Where the parts of the home listen; 0 takes a free port."""

    igd: int = 0
    outside: int = 0
    stun: int = 0
    dyndns2: int = 0
    game: int = 0
    control: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFacts:
    """What a program needs to know to use the home."""

    location: str
    echo_url: str
    prober_url: str
    stun_server: str
    dyndns2_url: str
    hostname: str
    username: str
    password: str
    game_host: str
    game_port: int
    control_url: str


class DemoHome:
    """The whole home as an asynchronous context manager; no packet leaves the loopback.

    Its internet sees callers at the router's WAN address. A port counts as reachable there when
    the router has a TCP mapping for it and the mapping's target accepts a connection.
    """

    def __init__(
        self,
        *,
        ports: DemoPorts | None = None,
        wan_address: str = "11.22.33.44",
        hostname: str = "home.homeport.example",
        username: str = "demo",
        password: str = "demo",
    ) -> None:
        """Credentials are those of the dynamic DNS service."""
        ports = ports or DemoPorts()
        self.igd = FakeIgd(
            host=HOST,
            port=ports.igd,
            wan_address=wan_address,
            identity=Identity(friendly_name="Demo router", model="Demo router"),
            forward=True,
        )
        self.outside = Outside(host=HOST, port=ports.outside)
        self.outside.ip = wan_address or None
        self.outside.reachable = self._reachable
        self.stun = StunServer(host=HOST, port=ports.stun)
        self.stun.address = wan_address or None
        self.dyndns2 = Dyndns2(
            host=HOST,
            port=ports.dyndns2,
            users={username: password},
            hostnames={hostname: username},
        )
        self.game = Page([web.get("/", _welcome)], host=HOST, port=ports.game)
        self.control = Page(self._controls(), host=HOST, port=ports.control)
        self._hostname = hostname
        self._username = username
        self._password = password
        self._stack = AsyncExitStack()

    @property
    def facts(self) -> DemoFacts:
        """Addresses and credentials; ports are right after entering."""
        return DemoFacts(
            location=self.igd.location,
            echo_url=f"{self.outside.url}/ip",
            prober_url=self.outside.url,
            stun_server=f"{HOST}:{self.stun.port}",
            dyndns2_url=self.dyndns2.update_url,
            hostname=self._hostname,
            username=self._username,
            password=self._password,
            game_host=HOST,
            game_port=self.game.port,
            control_url=self.control.url,
        )

    async def set_wan_address(self, address: str) -> None:
        """Give the router another WAN address, "" for none; the outside sees the same."""
        self.outside.ip = address or None
        self.stun.address = address or None
        self.outside.down = self.stun.down = not address
        await self.igd.set_wan_address(address)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for part in (self.igd, self.outside, self.stun, self.dyndns2, self.game, self.control):
                await stack.enter_async_context(part)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _reachable(self, _: str, port: int) -> bool:
        entry = self.igd.table.get(("TCP", port, ""))
        if entry is None or not ip_address(entry.internal_client).is_loopback:
            return False
        return await accepts(entry.internal_client, entry.internal_port)

    def _controls(self) -> list[web.RouteDef]:
        async def wan_address(body: str) -> None:
            await self.set_wan_address(body.strip())

        async def state(_: web.Request) -> web.Response:
            table = [asdict(entry) for entry in self.igd.table.values()]
            return web.json_response({"table": table, "records": self.dyndns2.records})

        return [control_post("/wan-address", wan_address), web.get("/state", state)]


async def _welcome(_: web.Request) -> web.Response:
    return web.Response(text=GAME_TEXT)


async def main() -> None:
    """Run until SIGTERM or SIGINT; prints the facts as one line of JSON when ready."""
    options = ArgumentParser(prog="python -m tests.fakes.demo", description="A simulated home.")
    options.add_argument("--wan-address", default="11.22.33.44")
    for part in asdict(DemoPorts()):
        options.add_argument(f"--{part}-port", type=int, default=0)
    chosen = vars(options.parse_args())
    ports = DemoPorts(**{part: chosen[f"{part}_port"] for part in asdict(DemoPorts())})
    async with DemoHome(ports=ports, wan_address=chosen["wan_address"]) as home:
        await wait_for_end(json.dumps(asdict(home.facts)))


if __name__ == "__main__":
    asyncio.run(main())
