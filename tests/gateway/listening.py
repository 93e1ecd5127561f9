"""Listening to a gateway's events, as the integration does, with everything to be seen."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
import io

import aiohttp
from yarl import URL

from custom_components.homeport.gateway import Igd
from custom_components.homeport.gateway.events import Events
from tests.fakes.igd import FakeIgd

DEADLINE = 5.0
NOTIFY = {"NT": "upnp:event", "NTS": "upnp:propchange", "SID": "uuid:forged", "SEQ": "0"}


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not met():
            await asyncio.sleep(0.005)


class Listening:
    """Events that count their hints, and the way to send one."""

    def __init__(self, http: aiohttp.ClientSession, igd: Igd) -> None:
        self.hints = 0
        self.events = Events(igd, "127.0.0.1", self._hint)
        self._http = http

    def _hint(self, _: Mapping[str, str]) -> None:
        self.hints += 1

    @property
    def sid(self) -> str:
        """The subscription's id, which is known to nobody but the gateway."""
        return self.events._subscription.sid if self.events._subscription else ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return URL(self.events._server.callback_url).port or 0

    async def send(
        self, body: str | bytes | io.BytesIO, method: str = "NOTIFY", **headers: str
    ) -> int:
        url = self.events._server.callback_url
        async with self._http.request(method, url, data=body, headers=NOTIFY | headers) as answer:
            return answer.status


@asynccontextmanager
async def listening(
    session: aiohttp.ClientSession, fake: FakeIgd, *, subscribed: bool = True
) -> AsyncIterator[Listening]:
    listener = Listening(session, await Igd.connect(session, fake.location))
    await listener.events.start()
    try:
        if subscribed:
            await until(lambda: listener.hints)  # the first event, with the present values
            await until(lambda: listener.events.subscribed)
        yield listener
    finally:
        await listener.events.stop()
