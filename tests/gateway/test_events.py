"""Events are hints: they come at once, can be forged without harm, and end when they should."""

import asyncio
import io
import logging
import socket
import time

import aiohttp
import pytest

from custom_components.homeport.gateway import Igd
from tests.fakes.igd import FakeIgd
from tests.fakes.reply import Reply

from .listening import NOTIFY, listening

BODY = (
    '<e:propertyset xmlns:e="urn:schemas-upnp-org:event-1-0"><e:property>'
    "<ExternalIPAddress>11.22.33.99</ExternalIPAddress></e:property></e:propertyset>"
)


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
        status = await (await Igd.connect(session, fake.location)).wan_status()
        assert str(status.address) == "11.22.33.44"


async def test_strangers_cannot_fill_the_memory(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with listening(session, fake) as listener:
        before = listener.hints
        large = BODY.replace("11.22.33.99", "x" * 20_000)
        answers = [await listener.send(large, SID=f"uuid:{number}") for number in range(300)]
        assert set(answers) == {412}
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


async def test_the_encoding_that_is_said_does_not_matter(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with listening(session, fake) as listener:
        before = listener.hints
        kind = {"Content-Type": "text/xml; charset=klingon"}
        assert await listener.send(BODY, SID=listener.sid, **kind) == 200
        assert listener.hints == before + 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"NT": "upnp:other"}, 412), ({"NTS": "ssdp:alive"}, 412), ({"SID": ""}, 412)],
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
        assert await listener.send(io.BytesIO(b" " * 2_000_000), SID=listener.sid) == 413
        assert listener.hints == before


async def test_whoever_keeps_a_connection_open_delays_nothing(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with listening(session, fake) as listener:
        port = listener.port
        _, silent = await asyncio.open_connection("127.0.0.1", port)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = "".join(f"{name}: {value}\r\n" for name, value in NOTIFY.items())
        writer.write(f"NOTIFY / HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 9\r\n\r\n<".encode())
        await writer.drain()
        began = time.monotonic()
        await listener.events.stop()
        assert time.monotonic() - began < 4
        writer.close()
        silent.close()


async def test_whoever_connects_while_we_stop_is_closed_too(
    session: aiohttp.ClientSession, fake: FakeIgd, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(session, fake) as listener:
        port = listener.port
        late = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        await listener.events.stop(lost=True)
        for sock in late:
            sock.close()
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
