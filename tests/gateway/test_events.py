"""Events are hints: they come at once, can be forged without harm, and end when they should."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import logging
import time

import aiohttp
import pytest

from custom_components.homeport.gateway import Igd, events
from custom_components.homeport.gateway.events import Events
from tests.fakes.igd import FakeIgd
from tests.fakes.reply import Reply

DEADLINE = 5.0
NOTIFY = {"NT": "upnp:event", "NTS": "upnp:propchange", "SID": "uuid:forged", "SEQ": "0"}
BODY = (
    '<e:propertyset xmlns:e="urn:schemas-upnp-org:event-1-0"><e:property>'
    "<ExternalIPAddress>11.22.33.99</ExternalIPAddress></e:property></e:propertyset>"
)


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

    def _hint(self) -> None:
        self.hints += 1

    @property
    def sid(self) -> str:
        """The subscription's id, which is known to nobody but the gateway."""
        [sid] = self.events._server.event_handler._subscriptions
        return sid

    async def send(self, body: str | bytes, method: str = "NOTIFY", **headers: str) -> int:
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


async def test_a_change_of_the_address_is_hinted_at_once(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with listening(session, fake) as listener:
        before = listener.hints
        await fake.set_wan_address("11.22.33.99")
        assert listener.hints == before + 1


async def test_stopping_ends_the_subscription_on_the_gateway(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with listening(session, fake) as listener:
        assert fake.subscriptions == 1
        hints = listener.hints
    assert fake.subscriptions == 0
    assert not listener.events.subscribed
    await fake.set_wan_address("11.22.33.99")
    assert listener.hints == hints


async def test_stopping_what_is_lost_asks_nobody(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with listening(session, fake) as listener:
        fake.events = Reply(hang=True)
        began = time.monotonic()
        await listener.events.stop(lost=True)
        assert time.monotonic() - began < 1
        assert fake.subscriptions == 1


async def test_a_forged_event_is_a_hint_and_nothing_more(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with listening(session, fake) as listener:
        before = listener.hints
        assert await listener.send(BODY, SID=listener.sid) == 200
        assert listener.hints == before + 1
        status = await listener.events._igd.wan_status()
        assert str(status.address) == "11.22.33.44"


async def test_strangers_cannot_fill_the_memory(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with listening(session, fake) as listener:
        before = listener.hints
        large = BODY.replace("11.22.33.99", "x" * 20_000)
        answers = [await listener.send(large, SID=f"uuid:{number}") for number in range(300)]
        assert len(listener.events._server.event_handler._backlog) <= 4
        assert answers[-1] == 412
        assert listener.hints == before
        await fake.set_wan_address("11.22.33.99")
        assert listener.hints == before + 1


JUNK: dict[str, bytes] = {
    "empty": b"",
    "text": b"router",
    "cut off": BODY[:-5].encode(),
    "entities": Reply.entity_bomb().body.encode(),  # type: ignore[union-attr]
    "bytes": b"\xff\xfe\x00\x80",
    "null": BODY.encode() + b"\0<",
}


@pytest.mark.parametrize("what", JUNK)
async def test_a_bad_event_is_refused_quietly(
    session: aiohttp.ClientSession,
    fake: FakeIgd,
    caplog: pytest.LogCaptureFixture,
    what: str,
) -> None:
    async with listening(session, fake) as listener:
        before = listener.hints
        caplog.clear()
        assert await listener.send(JUNK[what], SID=listener.sid) == 400
        assert listener.hints == before
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_an_encoding_that_does_not_exist_is_refused_quietly(
    session: aiohttp.ClientSession, fake: FakeIgd, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(session, fake) as listener:
        kind = {"Content-Type": "text/xml; charset=klingon"}
        assert await listener.send(BODY, SID=listener.sid, **kind) == 400
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"NT": "upnp:other"}, 412), ({"NTS": "ssdp:alive"}, 412), ({"SID": ""}, 200)],
)
async def test_what_is_no_event_hints_at_nothing(
    session: aiohttp.ClientSession, fake: FakeIgd, headers: dict[str, str], status: int
) -> None:
    async with listening(session, fake) as listener:
        before = listener.hints
        assert await listener.send(BODY, **({"SID": listener.sid} | headers)) == status
        assert await listener.send(BODY, method="GET") == 405
        assert listener.hints == before


async def test_an_event_that_is_too_large_is_refused(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with listening(session, fake) as listener:
        before = listener.hints
        assert await listener.send(b" " * 2_000_000, SID=listener.sid) == 413
        assert listener.hints == before


class Granting(FakeIgd):
    """Grants its own time, and counts what it is asked."""

    granted = "Second-2"
    asked = 0

    async def _subscribe(self, request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        type(self).asked += 1
        sid = request.headers.get("SID", "uuid:granted")
        return aiohttp.web.Response(headers={"SID": sid, "TIMEOUT": self.granted})


@pytest.fixture
async def granting() -> AsyncIterator[Granting]:
    async with Granting() as started:
        Granting.asked = 0
        yield started


async def test_the_subscription_is_renewed_before_it_ends(
    session: aiohttp.ClientSession, granting: Granting, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def fast(delay: float) -> None:
        waits.append(delay)
        await sleep(0.01)

    monkeypatch.setattr(events.asyncio, "sleep", fast)
    granting.granted = "Second-100"
    listener = Listening(session, await Igd.connect(session, granting.location))
    await listener.events.start()
    async with asyncio.timeout(DEADLINE):
        while granting.asked < 3:
            await sleep(0.005)
    await listener.events.stop(lost=True)
    assert waits
    assert all(60 <= delay <= 90 for delay in waits if delay >= 1)


@pytest.mark.parametrize(
    "granted",
    ["Second-0", "Second--5", "Second-infinite", "infinite", "", "Second-1", "Second-10000000000"],
)
async def test_whatever_time_is_granted_it_is_not_asked_without_pause(
    session: aiohttp.ClientSession, granting: Granting, granted: str
) -> None:
    granting.granted = granted
    async with listening(session, granting, subscribed=False) as listener:
        await until(lambda: listener.events.subscribed)
        await asyncio.sleep(0.2)
        assert granting.asked == 1


@pytest.mark.parametrize(
    "granted", ["Second-soon", "Second-", f"Second-{'9' * 30}", f"Second-{'9' * 5000}"]
)
async def test_a_time_that_is_none_is_no_subscription(
    session: aiohttp.ClientSession, granting: Granting, granted: str
) -> None:
    granting.granted = granted
    async with listening(session, granting, subscribed=False) as listener:
        await until(lambda: granting.asked)
        await asyncio.sleep(0.05)
        assert not listener.events.subscribed
        assert listener.events._keeping is not None
        assert not listener.events._keeping.done()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=412),
        Reply.html_error(),
        Reply(status=200),
        Reply(drop=True),
        Reply.redirect("http://127.0.0.2/"),
    ],
)
async def test_a_gateway_without_events_is_asked_again_later(
    session: aiohttp.ClientSession,
    fake: FakeIgd,
    monkeypatch: pytest.MonkeyPatch,
    reply: Reply,
) -> None:
    monkeypatch.setattr(events, "_RETRY", 0.05)
    fake.events = reply
    async with listening(session, fake, subscribed=False) as listener:
        await asyncio.sleep(0.1)
        assert not listener.events.subscribed
        fake.events = None
        await until(lambda: listener.events.subscribed)
        await until(lambda: listener.hints)


async def test_a_gateway_that_forgot_the_subscription_gets_a_new_one(
    session: aiohttp.ClientSession, fake: FakeIgd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_RENEW_AT", 1 / 1800)  # the fake grants what is asked for
    async with listening(session, fake) as listener:
        first = listener.sid
        fake._service("connection")._subscribers.clear()
        await until(lambda: listener.sid != first)
        before = listener.hints
        await fake.set_wan_address("11.22.33.99")
        assert listener.hints > before
