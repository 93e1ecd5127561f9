"""The subscription to events is renewed in time, whatever the gateway grants."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from custom_components.homeport.gateway import Igd, events
from tests.fakes.igd import FakeIgd
from tests.fakes.reply import Reply

from .listening import DEADLINE, Listening, listening, until


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
    [
        *("Second-0", "Second--5", "Second-infinite", "infinite", "", "Second-1", "Second-soon"),
        *("Second-10000000000", "Second-", f"Second-{'9' * 5000}", "second-1800", "1800"),
    ],
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
        await until(lambda: listener.sid not in {first, ""})
        before = listener.hints
        await fake.set_wan_address("11.22.33.99")
        assert listener.hints > before
