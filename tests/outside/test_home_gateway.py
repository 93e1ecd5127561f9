"""The home gateway's page is read as data, and nothing else is taken for it."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import IPv4Address
import json
import time

import aiohttp
from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside.home_gateway import (
    HomeGateway,
    home_gateway,
    parse_check,
)
from tests.fakes.home_gateway import HomeGateway as Page
from tests.fakes.reply import Reply
from tests.fuzz import fuzz

ADDRESS = IPv4Address("127.0.0.1")
ON = HomeGateway(on=True, name="v6プラス")


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with Page() as started:
        yield started


async def ask(http: aiohttp.ClientSession, page: Page) -> HomeGateway | None:
    return await home_gateway(http, ADDRESS, page.port)


async def test_the_state_is_read(http: aiohttp.ClientSession, page: Page) -> None:
    assert await ask(http, page) == ON
    page.status, page.name = "OFF", "OCNバーチャルコネクト"
    assert await ask(http, page) == HomeGateway(on=False, name="OCNバーチャルコネクト")


async def test_it_is_asked_under_its_own_name(http: aiohttp.ClientSession, page: Page) -> None:
    await ask(http, page)
    [asked] = page.requests
    assert asked.host == "ntt.setup:8888"
    assert asked.path == "/enabler.ipv4/check?callback=homeport"


GOOD = '{"name": "v6プラス", "version": "1", "status": "ON"}'
OTHERS = {
    "no JSONP": Reply(body=GOOD),
    "an error page": Reply.html_error(200),
    "a login": Reply(status=401, body=f"homeport({GOOD});"),
    "not found": Reply(status=404),
    "too much": Reply.huge(),
    "good, and more than fits": Reply(body=f"homeport({GOOD});".ljust(4100)),
    "a broken connection": Reply(drop=True),
    "junk": Reply(body=b"\x00\xff\xfe" * 50),
}


@pytest.mark.parametrize("reply", [pytest.param(reply, id=name) for name, reply in OTHERS.items()])
async def test_what_is_not_the_page(http: aiohttp.ClientSession, page: Page, reply: Reply) -> None:
    page.reply = reply
    assert await ask(http, page) is None


async def test_a_redirect_is_not_followed(http: aiohttp.ClientSession, page: Page) -> None:
    async with Page(host="127.0.0.2") as other:
        page.reply = Reply.redirect(f"{other.url}/enabler.ipv4/check?callback=homeport")
        assert await ask(http, page) is None
        assert other.requests == []


async def test_an_answer_has_to_come_in_time(
    http: aiohttp.ClientSession, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(home_gateway.__globals__, "TIMEOUT", 0.1)
    page.reply = Reply(hang=True)
    start = time.monotonic()
    assert await ask(http, page) is None
    assert time.monotonic() - start < 1


async def test_an_answer_may_come_in_pieces(http: aiohttp.ClientSession) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = f"homeport({GOOD})".encode()
        for piece in (b"HTTP/1.1 200 OK\r\n\r\n" + body[:9], body[9:30], body[30:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await home_gateway(http, ADDRESS, port) == ON


async def test_nobody_there(http: aiohttp.ClientSession, unused_tcp_port: int) -> None:
    assert await home_gateway(http, ADDRESS, unused_tcp_port) is None


@pytest.mark.parametrize(
    "text",
    [
        f"homeport({GOOD})",
        f"homeport({GOOD});",
        f"\r\n homeport({GOOD} ) ;\r\n",
        f"homeport( {GOOD})",
    ],
)
def test_forms_of_the_page(text: str) -> None:
    assert parse_check(text.encode()) == ON


def said(**members: object) -> str:
    return f"homeport({json.dumps({'name': 'v6plus', 'status': 'ON', **members})});"


PAGES = {
    "empty": "",
    "nothing called": "homeport();",
    "half a call": "homeport(",
    "another function": f"callback({GOOD});",
    "a longer name": f"homeporter({GOOD});",
    "a member of it": f"homeport.x({GOOD});",
    "something before": f"alert(1);homeport({GOOD});",
    "something after": f"homeport({GOOD});alert(1)",
    "two calls": f"homeport({GOOD});homeport({GOOD});",
    "two semicolons": f"homeport({GOOD});;",
    "two arguments": f"homeport({GOOD},{GOOD});",
    "an expression": 'homeport({"name": "x", "status": "O" + "N"});',
    "no quotes": 'homeport({name: "x", status: "ON"});',
    "a list": 'homeport(["ON"]);',
    "a string": 'homeport("ON");',
    "broken": 'homeport({"name": "x", "status": "ON");',
    "deep": f"homeport({'[' * 4000});",
    "deep objects": "homeport(" + '{"name":' * 500 + ");",
    "no status": 'homeport({"name": "x"});',
    "no name": 'homeport({"status": "ON"});',
    "small letters": said(status="on"),
    "another status": said(status="UNKNOWN"),
    "status true": said(status=True),
    "status a list": said(status=["ON"]),
    "status an object": said(status={}),
    "name a number": said(name=6),
    "name too long": said(name="x" * 65),
    "name with a line break": said(name="x\ny"),
    "name with an escape": said(name="\x1b[31mx"),
    "name that turns the text round": said(name="\u202ex"),
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in PAGES.items()])
def test_what_is_refused(text: str) -> None:
    assert parse_check(text.encode()) is None


def test_the_longest_name_and_none() -> None:
    assert parse_check(said(name="x" * 64).encode()) == HomeGateway(on=True, name="x" * 64)
    assert parse_check(said(name="", version=[1]).encode()) == HomeGateway(on=True, name="")


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=70) | st.just("ON")
OBJECTS = st.fixed_dictionaries(
    {}, optional={"name": VALUES, "status": VALUES | st.just("OFF"), "version": VALUES}
)
CALLS = st.builds(
    lambda before, value, after: f"{before}{json.dumps(value)}{after}".encode("utf-8", "replace"),
    st.sampled_from(["homeport(", "homeport (", " homeport(", "(", ""]) | st.text(max_size=12),
    OBJECTS | st.lists(OBJECTS, max_size=2) | VALUES,
    st.sampled_from([");", ")", ") ; ", ")));", "", ");x"]) | st.text("();\n", max_size=4),
)


@fuzz
@given(st.binary(max_size=100) | CALLS | st.binary(max_size=60).map(lambda b: b"homeport(%b)" % b))
@example(f"homeport({GOOD});".encode())
def test_any_page(body: bytes) -> None:
    found = parse_check(body)
    if found is not None:
        text = body.decode("utf-8", "replace").strip()
        assert text.startswith("homeport(")
        members = json.loads(text[9 : text.rindex(")")])
        assert (members["name"], members["status"]) == (found.name, "ON" if found.on else "OFF")
        assert len(found.name) <= 64
        assert found.name.isprintable()
