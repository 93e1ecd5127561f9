"""The server for events bears whatever the LAN sends it, and hears the gateway all the same."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
import resource
import time
import tracemalloc

import aiohttp
import pytest

from custom_components.homeport.gateway import events, notify
from custom_components.homeport.gateway.notify import NotifyServer
from tests.fakes.igd import FakeIgd

from .listening import DEADLINE, NOTIFY, listening, until

BODY = (
    b'<e:propertyset xmlns:e="urn:schemas-upnp-org:event-1-0"><e:property>'
    b"<ExternalIPAddress>11.22.33.99</ExternalIPAddress></e:property></e:propertyset>"
)


def request(sid: str, body: bytes = BODY) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in (NOTIFY | {"SID": sid}).items())
    return (
        f"NOTIFY /notify HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


class Flood:
    """Strangers that send events of subscriptions that are none, as fast as they are let."""

    def __init__(self, port: int, body: bytes = BODY) -> None:
        self.sent = 0
        self._port = port
        self._body = body
        self._tasks = [asyncio.create_task(self._send(number)) for number in range(50)]

    async def _send(self, number: int) -> None:
        data = request(f"uuid:{number}", self._body)
        while True:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(0.5):
                    reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                    try:
                        writer.write(data)
                        self.sent += 1
                        await reader.read()
                    finally:
                        writer.transport.abort()
            await asyncio.sleep(0)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def test_a_flood_costs_little_and_the_gateway_is_heard_after_it(
    session: aiohttp.ClientSession, fake: FakeIgd, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(session, fake) as listener:
        before = listener.hints
        tracemalloc.start()
        flood = Flood(listener.port, BODY + b" " * 20_000)
        slowest = 0.0
        end = time.monotonic() + 3
        while time.monotonic() < end:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            slowest = max(slowest, time.monotonic() - began)
        served = listener.events._server._served
        await flood.stop()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert served <= 200 + 50
        assert listener.hints == before
        assert peak < 30_000_000
        assert slowest < 1
        async with asyncio.timeout(DEADLINE):
            while listener.hints == before:
                await fake.set_wan_address("11.22.33.99")
        assert [record for record in caplog.records if record.levelname == "ERROR"] == []
        print(  # noqa: T201
            f"\nin 3 s: {flood.sent} sent, peak {peak / 1e6:.1f} MB,"
            f" slowest turn {slowest * 1000:.0f} ms,"
            f" resident at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
        )


async def test_ten_thousand_in_one_connection_are_one(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with listening(session, fake) as listener:
        before = listener.hints
        flood = request("uuid:0") + request(listener.sid) * 10_000
        tracemalloc.start()
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        with suppress(OSError):
            writer.write(flood)
            await asyncio.wait_for(writer.drain(), DEADLINE)
        await asyncio.sleep(0)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        writer.transport.abort()
        await fake.set_wan_address("11.22.33.99")
        assert listener.hints == before + 1
        assert peak < len(flood) + 30_000_000


async def test_whoever_holds_many_connections_is_let_go_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notify, "_MOST_CONNECTIONS", 8)
    monkeypatch.setattr(notify, "_CONNECTION_TIMEOUT", 0.5)
    heard: list[str] = []

    def on_notify(sid: str, _: bytes) -> HTTPStatus:
        heard.append(sid)
        return HTTPStatus.OK

    server = NotifyServer("127.0.0.1", on_notify)
    await server.start()
    try:
        port = int(server.callback_url.split(":")[2].partition("/")[0])
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(12)]
        await until(lambda: server._paused)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("uuid:gateway"))
        async with asyncio.timeout(DEADLINE):
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
        assert heard == ["uuid:gateway"]
        for _, each in [*silent, (reader, writer)]:
            each.close()
    finally:
        await server.stop()


async def test_a_body_that_drips_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "_BODY_TIMEOUT", 0.2)
    server = NotifyServer("127.0.0.1", lambda *_: HTTPStatus.OK)
    await server.start()
    try:
        port = int(server.callback_url.split(":")[2].partition("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("uuid:1")[:-5])
        async with asyncio.timeout(DEADLINE):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()
    finally:
        await server.stop()


async def test_it_can_be_stopped_while_it_does_not_listen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notify, "_MOST_A_SECOND", 1)
    server = NotifyServer("127.0.0.1", lambda *_: HTTPStatus.OK)
    await server.start()
    port = int(server.callback_url.split(":")[2].partition("/")[0])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    await until(lambda: server._paused)
    await server.stop()
    await server.stop()
    writer.close()


async def test_an_event_that_comes_before_its_id_is_known_is_told(
    session: aiohttp.ClientSession, fake: FakeIgd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some gateways send the first event before they answer."""
    made = events.subscribe
    answers: list[int] = []

    async with listening(session, fake, subscribed=False) as listener:

        async def early(*arguments: object) -> object:
            subscription = await made(*arguments)  # type: ignore[arg-type]
            for number in range(9):
                strange = await listener.send(BODY, SID=f"uuid:{number}") if number else 0
                answers.append(strange or await listener.send(BODY, SID=subscription.sid))
            return subscription

        monkeypatch.setattr(events, "subscribe", early)
        await listener.events.stop()
        listener.hints = 0
        fake._service("connection")._subscribers.clear()
        listener.events = events.Events(await _igd(session, fake), "127.0.0.1", listener._hint)
        await listener.events.start()
        await until(lambda: listener.hints)
        # The one of ours and three of strangers are kept; the gateway's own first event may be one.
        assert set(answers) == {200, 412}
        assert answers.count(200) <= 4


async def _igd(session: aiohttp.ClientSession, fake: FakeIgd) -> events.Igd:
    return await events.Igd.connect(session, fake.location)
