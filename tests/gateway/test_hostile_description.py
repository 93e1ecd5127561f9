"""A description that means ill, or is none: a clear error, soon, and nobody else is asked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
import gzip
import time
import tracemalloc
from typing import override

import aiohttp
from aiohttp import web
from async_upnp_client.const import HttpRequest
import pytest

from custom_components.homeport.gateway import GatewayError, GatewayUnreachable, Igd, requester
from custom_components.homeport.gateway.errors import (
    AnswerTooLarge,
    ForeignUrl,
    HttpRefused,
    InvalidAnswer,
    NoWanService,
    Redirected,
)
from tests.fakes.reply import Reply
from tests.fakes.server import HttpFake

from .strange import HEAD, WANPPP1, Service, Strange, description, xml

DTD = '<!DOCTYPE root SYSTEM "http://127.0.0.2/dtd">'
ENTITY = '<!DOCTYPE root [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
DEEP = "<device><deviceList>" * 9000 + "</deviceList></device>" * 9000


@pytest.fixture
async def other() -> AsyncIterator[Strange]:
    """Run a server on another host of the LAN, which must never be asked."""
    async with Strange(host="127.0.0.2") as started:
        yield started
        assert started.asked == []


async def refusal(session: aiohttp.ClientSession, strange: Strange) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await Igd.connect(session, strange.location)
    return caught.value


@pytest.mark.parametrize(
    ("reply", "error", "key"),
    [
        pytest.param(Reply(status=404), HttpRefused, "gateway_unreachable", id="404"),
        pytest.param(Reply.html_error(), HttpRefused, "gateway_unreachable", id="500"),
        pytest.param(Reply(drop=True), GatewayUnreachable, "gateway_unreachable", id="dropped"),
        pytest.param(Reply.html_error(200), InvalidAnswer, "gateway_invalid", id="HTML"),
        pytest.param(Reply(body="router"), InvalidAnswer, "gateway_invalid", id="not XML"),
        pytest.param(Reply(body=""), InvalidAnswer, "gateway_invalid", id="empty"),
        pytest.param(Reply(body=b"\xff\xfe\x00" * 9), InvalidAnswer, "gateway_invalid", id="junk"),
        pytest.param(xml(f"{HEAD}<root/>"), InvalidAnswer, "gateway_invalid", id="no device"),
        pytest.param(
            xml(description(Service())[:-9]), InvalidAnswer, "gateway_invalid", id="cut off"
        ),
        pytest.param(Reply.entity_bomb(), InvalidAnswer, "gateway_invalid", id="entity bomb"),
        pytest.param(
            xml(description(Service(), head=HEAD + ENTITY, name="&e;")),
            *(InvalidAnswer, "gateway_invalid"),
            id="external entity",
        ),
        pytest.param(
            xml(f'<root xmlns="urn:schemas-upnp-org:device-1-0">{DEEP}</root>'),
            *(NoWanService, "gateway_no_wan_service"),
            id="very deep",
        ),
        pytest.param(Reply.huge(), AnswerTooLarge, "gateway_too_large", id="10 MB"),
    ],
)
async def test_what_is_no_description(
    session: aiohttp.ClientSession, reply: Reply, error: type[GatewayError], key: str
) -> None:
    async with Strange({"/desc.xml": reply}) as strange:
        refused = await refusal(session, strange)
        assert (type(refused), refused.translation_key) == (error, key)
        # The client itself repeats a GET whose connection broke; that does no harm.
        assert strange.asked == ["GET /desc.xml"] * (2 if reply.drop else 1)


async def test_a_dtd_is_not_fetched(session: aiohttp.ClientSession, other: Strange) -> None:
    text = description(Service(), head=HEAD + DTD.replace("127.0.0.2", f"127.0.0.2:{other.port}"))
    async with Strange({"/desc.xml": xml(text)}) as strange:
        await Igd.connect(session, strange.location)
    # That `other` was not asked is what this is about; its fixture looks.


async def test_megabytes_in_a_few_compressed_bytes(session: aiohttp.ClientSession) -> None:
    bomb = gzip.compress(b" " * 200_000_000, compresslevel=1)
    reply = Reply(body=bomb, content_type="text/xml", headers={"Content-Encoding": "gzip"})
    async with Strange({"/desc.xml": reply}) as strange:
        tracemalloc.start()
        try:
            refused = await refusal(session, strange)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert type(refused) is AnswerTooLarge
    assert peak < 20_000_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(
    session: aiohttp.ClientSession, other: Strange, status: int
) -> None:
    reply = Reply(status=status, headers={"Location": other.location})
    async with Strange({"/desc.xml": reply}) as strange:
        assert type(await refusal(session, strange)) is Redirected
    async with Strange({"/control": reply}) as strange:
        gateway = await Igd.connect(session, strange.location)
        with pytest.raises(Redirected) as caught:
            await gateway.wan_status()
        assert caught.value.translation_key == "gateway_redirects"


FOREIGN: dict[str, Callable[[str], Service]] = {
    "control URL": lambda url: Service(control=url),
    "event URL": lambda url: Service(event=url),
    "SCPD URL": lambda url: Service(scpd=url),
}


@pytest.mark.parametrize("part", FOREIGN)
async def test_no_url_may_lead_to_another_host(
    session: aiohttp.ClientSession, other: Strange, part: str
) -> None:
    for url in (f"{other.url}/x", f"//127.0.0.2:{other.port}/x", "//[]@/x"):
        async with Strange({"/desc.xml": xml(description(FOREIGN[part](url)))}) as strange:
            refused = await refusal(session, strange)
            assert type(refused) is ForeignUrl
            assert refused.translation_key == "gateway_foreign_url"


async def test_a_service_elsewhere_does_not_hide_one_that_is_here(
    session: aiohttp.ClientSession, other: Strange
) -> None:
    services = Service(kind=WANPPP1, control=f"{other.url}/x"), Service()
    async with Strange({"/desc.xml": xml(description(*services))}) as strange:
        gateway = await Igd.connect(session, strange.location)
        assert gateway.service.service_type.endswith("WANIPConnection:1")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.2:{port}/", "http://127.0.0.1@127.0.0.2:{port}/", "https://127.0.0.1/"]
)
async def test_a_request_to_another_host_is_never_sent(
    session: aiohttp.ClientSession, other: Strange, url: str
) -> None:
    """Whatever the library makes of a description, this is the last gate."""
    guarded = requester.GuardedRequester(session, "127.0.0.1")
    with pytest.raises(ForeignUrl):
        await guarded.async_http_request(HttpRequest("GET", url.format(port=other.port), {}, None))


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/x", "https://127.0.0.1/x", "ftp:/x"])
async def test_a_control_url_that_leads_nowhere(session: aiohttp.ClientSession, url: str) -> None:
    async with Strange({"/desc.xml": xml(description(Service(control=url)))}) as strange:
        try:
            gateway = await Igd.connect(session, strange.location)
            with pytest.raises(GatewayError):
                await gateway.wan_status()
        except NoWanService, ForeignUrl:
            pass
        assert not any(asked.startswith("POST") for asked in strange.asked)


async def test_silence_ends_in_time(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requester, "TIMEOUT", 0.1)
    async with Strange({"/desc.xml": Reply(hang=True)}) as strange:
        assert type(await refusal(session, strange)) is GatewayUnreachable
        assert strange.asked == ["GET /desc.xml"]


class Drip(HttpFake):
    """Answers a byte at a time, for ever; counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__(host="127.0.0.1", port=0)
        self.asked = 0

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._answer)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        response = web.StreamResponse(headers={"Content-Type": "text/xml"})
        await response.prepare(request)
        with suppress(ConnectionError):
            while not self.closing.is_set():
                await response.write(b" ")
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.closing.wait(), 0.02)
        return response


async def test_an_answer_without_end_ends_in_time(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, all of them together would take for ever."""
    monkeypatch.setattr(requester, "TIMEOUT", 0.3)
    async with Drip() as drip:
        began = time.monotonic()
        with pytest.raises(GatewayUnreachable):
            await Igd.connect(session, f"{drip.url}/desc.xml")
        assert 0.2 < time.monotonic() - began < 2
        assert drip.asked == 1


class Flood(HttpFake):
    """Answers 200 MB, and counts what somebody has taken of it."""

    def __init__(self) -> None:
        super().__init__(host="127.0.0.1", port=0)
        self.sent = 0

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._answer)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/xml"})
        await response.prepare(request)
        with suppress(ConnectionError):
            while self.sent < 200_000_000:
                await response.write(b" " * 65_536)
                self.sent += 65_536
        return response


async def test_of_200_megabytes_little_is_read(session: aiohttp.ClientSession) -> None:
    async with Flood() as flood:
        tracemalloc.start()
        try:
            with pytest.raises(AnswerTooLarge):
                await Igd.connect(session, f"{flood.url}/desc.xml")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 10_000_000
        assert flood.sent < 20_000_000  # what the kernel's buffers took
