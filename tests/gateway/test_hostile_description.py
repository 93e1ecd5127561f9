"""A description that means ill, or is none: a clear error, soon, and nobody else is asked."""

from collections.abc import AsyncIterator, Callable
import gzip
import time
import tracemalloc

import aiohttp
from async_upnp_client.const import HttpRequest
import pytest

from custom_components.homeport.gateway import GatewayError, GatewayUnreachable, Igd, igd, requester
from custom_components.homeport.gateway.errors import (
    AnswerTooLarge,
    ForeignUrl,
    InvalidAnswer,
    NoWanService,
    Redirected,
)
from tests.fakes.reply import Reply

from .strange import HEAD, WANPPP1, Service, Strange, description, scpd, xml

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
        pytest.param(Reply(status=404), GatewayUnreachable, "gateway_unreachable", id="404"),
        pytest.param(Reply.html_error(), GatewayUnreachable, "gateway_unreachable", id="500"),
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
            *(InvalidAnswer, "gateway_invalid"),
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
    async with Strange({"/scpd": reply}) as strange:
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
    for url in (f"{other.url}/x", f"//127.0.0.2:{other.port}/x"):
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


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(scpd().replace("ui2", "colour"), id="unknown type"),
        pytest.param(
            scpd().replace("<relatedStateVariable>", "<relatedStateVariable>No"), id="no variable"
        ),
        pytest.param(scpd().replace("<dataType>string</dataType>", ""), id="no type"),
    ],
)
async def test_a_service_that_contradicts_itself(session: aiohttp.ClientSession, text: str) -> None:
    async with Strange({"/scpd": xml(text)}) as strange:
        assert type(await refusal(session, strange)) is InvalidAnswer


@pytest.mark.parametrize("reply", [xml("no XML"), xml(f"{HEAD}<scpd/>"), xml("")])
async def test_a_service_that_says_nothing_of_itself_can_do_nothing(
    session: aiohttp.ClientSession, reply: Reply
) -> None:
    async with Strange({"/scpd": reply}) as strange:
        gateway = await Igd.connect(session, strange.location)
        with pytest.raises(GatewayError) as caught:
            await gateway.wan_status()
        assert caught.value.translation_key == "upnp_401"


async def test_silence_ends_in_time(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requester, "TIMEOUT", 0.1)
    async with Strange({"/desc.xml": Reply(hang=True)}) as strange:
        assert type(await refusal(session, strange)) is GatewayUnreachable
        assert strange.asked == ["GET /desc.xml"]


async def test_a_description_without_end_ends_in_time(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part comes in time, all of them together would take for ever."""
    monkeypatch.setattr(igd, "_DESCRIBE_TIMEOUT", 0.3)
    answers = {
        "/desc.xml": xml(description(*(Service(scpd=f"/slow/{n}") for n in range(1000)))),
        **{f"/slow/{n}": Reply(body=scpd(), delay=0.05) for n in range(1000)},
    }
    async with Strange(answers) as strange:
        began = time.monotonic()
        assert type(await refusal(session, strange)) is GatewayUnreachable
        assert time.monotonic() - began < 10
        assert len(strange.asked) < 100
