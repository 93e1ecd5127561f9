"""Homeport's own prober is asked over HTTPS, and believed when it answers what was asked."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
import json
import ssl
from typing import Any

from aiohttp import web
from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside import own_prober
from custom_components.homeport.outside.bound_session import bound_session
from custom_components.homeport.outside.errors import (
    OtherAddress,
    OutsideBusy,
    OutsideError,
    OutsideInvalid,
    OutsideUnreachable,
)
from custom_components.homeport.outside.exchange import parse_json
from custom_components.homeport.outside.listener import listen
from custom_components.homeport.outside.own_prober import OwnProber, is_prober_url, parse_answer
from custom_components.homeport.outside.prober import Answer, Outcome, ProbeTransport
from custom_components.homeport.outside.refused import ProberRefused
from prober.config import Config, Token, digest_of
from prober.server import served
from prober.service import Service
from tests.fakes.reply import Reply
from tests.fakes.server import Page
from tests.fuzz import fuzz
from tests.lab.tls import Authority, Certificate

from .probing import LOOPBACK, NOT_AN_ANSWER, allow_loopback, json_reply, listening, question

PORT = 8123
NONCE = bytes(range(16))
SECRET = "a-secret-of-the-tests"
GOOD: dict[str, Any] = {
    "address": LOOPBACK,
    "transport": "tcp",
    "port": PORT,
    "outcome": "accepted",
    "nonce": False,
    "seconds": 0.012,
}


@pytest.fixture(autouse=True)
def _loopback(_nothing_left: None, monkeypatch: pytest.MonkeyPatch) -> None:
    allow_loopback(monkeypatch)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def files(authority: Authority) -> Certificate:
    return authority.issue(LOOPBACK, "::1")


@pytest.fixture(scope="module")
def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.bundle)


class Story:
    """A server that answers `reply`, and keeps what it was asked."""

    def __init__(self, page: Page, trust: ssl.SSLContext) -> None:
        self.page = page
        self.trust = trust
        self.reply = Reply()
        self.asked: list[tuple[dict[str, Any], str]] = []

    async def ask(self, url: str = "", name: str | None = None, **more: Any) -> Answer:
        prober = OwnProber(
            partial(bound_session, ssl=self.trust), url or self.page.url, SECRET, name
        )
        return await prober.check(question(PORT, **more))


@pytest.fixture
async def story(files: Certificate, trust: ssl.SSLContext) -> AsyncIterator[Story]:
    async def answer(request: web.Request) -> web.Response:
        said = await request.json()
        told.asked.append((said, request.headers["Authorization"]))
        return await told.reply.send(request, page.closing)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    page = Page([web.post("/v1/check", answer), web.post("/below/v1/check", answer)])
    page._ssl = context
    async with page:
        told = Story(page, trust)
        yield told


@asynccontextmanager
async def running(
    files: Certificate, trust: ssl.SSLContext, **names: str
) -> AsyncIterator[OwnProber]:
    """Run the prober itself, and let it dial this machine."""
    host = ip_address(LOOPBACK)
    config = Config((Token(digest_of(SECRET), names),), ((host, 0),), *files)

    async def resolve(hostname: str, version: int) -> list[Any]:
        return [ip_address("127.0.0.7")]

    service = Service(config, is_allowed=lambda address: address.is_loopback, resolve=resolve)
    async with served(config, service.app()) as [(_, port)]:
        name = next(iter(names), None)
        url = f"https://{LOOPBACK}:{port}"
        yield OwnProber(partial(bound_session, ssl=trust), url, SECRET, name)


@pytest.mark.parametrize("transport", ProbeTransport)
async def test_the_prober_itself_proves_a_port_of_ours(
    files: Certificate, trust: ssl.SSLContext, unused_tcp_port: int, transport: ProbeTransport
) -> None:
    port, address = unused_tcp_port, ip_address(LOOPBACK)
    asked = question(port, transport=transport, nonce=NONCE, source=address)
    async with running(files, trust) as prober:
        assert await prober.check(asked) == Answer(Outcome.REFUSED)
        async with listen(transport, address, port, lambda _: True, NONCE) as listener:
            assert await prober.check(asked) == Answer(Outcome.ACCEPTED, nonce_seen=True)
            assert listener.met == {address}


async def test_the_prober_itself_dials_who_asks_and_nobody_else(
    files: Certificate, trust: ssl.SSLContext
) -> None:
    async with running(files, trust) as prober, listening("127.0.0.7") as port:
        source = ip_address("127.0.0.7")
        answer = await prober.check(question(port, "127.0.0.7", source=source))
        assert answer == Answer(Outcome.ACCEPTED)
        with pytest.raises(OtherAddress):
            await prober.check(question(port, "127.0.0.7"))
        with pytest.raises(OtherAddress):
            await prober.check(question(port, source=source))


async def test_the_prober_itself_dials_what_a_name_leads_to(
    files: Certificate, trust: ssl.SSLContext
) -> None:
    async with running(files, trust, pppoe="h.example") as prober, listening("127.0.0.7") as port:
        assert await prober.check(question(port, "127.0.0.7")) == Answer(Outcome.ACCEPTED)
        with pytest.raises(OtherAddress):
            await prober.check(question(port, "127.0.0.8"))


async def test_what_is_asked(story: Story) -> None:
    story.reply = json_reply(GOOD)
    assert await story.ask() == Answer(Outcome.ACCEPTED)
    asked = {"transport": "tcp", "port": PORT, "address": LOOPBACK, "nonce": None}
    assert story.asked == [(asked, f"Bearer {SECRET}")]
    await story.ask(f"{story.page.url}/below/", nonce=NONCE, name="pppoe")
    assert story.asked[1][0] == asked | {"nonce": NONCE.hex(), "name": "pppoe"}


@pytest.mark.parametrize("outcome", Outcome)
async def test_every_outcome_is_handed_on(story: Story, outcome: Outcome) -> None:
    story.reply = json_reply(GOOD | {"outcome": outcome})
    assert await story.ask() == Answer(outcome)


@pytest.mark.parametrize("address", ["127.0.0.2", "11.22.33.44", "::1", "", "home", "127.0.0.01"])
async def test_another_address_than_ours_is_not_believed(story: Story, address: str) -> None:
    for outcome in "accepted", None:
        story.reply = json_reply(GOOD | {"address": address, "outcome": outcome})
        with pytest.raises(OtherAddress):
            await story.ask()


@pytest.mark.parametrize(
    "change",
    [
        *({"port": each} for each in (8124, "8123", 8123.0, True, None, [8123])),
        *({"transport": each} for each in ("udp", "TCP", "", None, 6)),
        *({"outcome": each} for each in (None, "open", "ACCEPTED", "", True, 1, ["accepted"], {})),
        *({"nonce": each} for each in (None, 1, "true", NONCE.hex(), [])),
        *({"address": each} for each in (None, 2130706433, True, [LOOPBACK])),
    ],
    ids=str,
)
async def test_a_value_that_does_not_fit_is_no_answer(
    story: Story, change: dict[str, object]
) -> None:
    story.reply = json_reply(GOOD | change)
    with pytest.raises(OutsideInvalid):
        await story.ask()


@pytest.mark.parametrize("missing", [name for name in GOOD if name != "seconds"])
async def test_an_incomplete_answer_is_none(story: Story, missing: str) -> None:
    story.reply = json_reply({name: value for name, value in GOOD.items() if name != missing})
    with pytest.raises(OutsideInvalid):
        await story.ask()


@pytest.mark.parametrize(
    ("nonce", "change"),
    [(None, {}), (NONCE, {"outcome": "timed_out"}), (NONCE, {"outcome": "refused"})],
)
async def test_a_nonce_that_cannot_have_been_seen_makes_the_answer_none(
    story: Story, nonce: bytes | None, change: dict[str, object]
) -> None:
    story.reply = json_reply(GOOD | {"nonce": True} | change)
    with pytest.raises(OutsideInvalid):
        await story.ask(nonce=nonce)


@pytest.mark.parametrize("reply", NOT_AN_ANSWER)
async def test_nonsense_is_no_answer(story: Story, reply: Reply) -> None:
    story.reply = reply
    with pytest.raises(OutsideInvalid):
        await story.ask()
    assert len(story.asked) == 1


async def test_a_prober_that_has_enough_says_until_when(story: Story) -> None:
    story.reply = json_reply({"error": "limit"}, status=429, headers={"Retry-After": "7"})
    with pytest.raises(OutsideBusy) as caught:
        await story.ask()
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("status", [400, 401, 403, 404, 503])
async def test_a_refusal_is_no_answer(story: Story, status: int) -> None:
    story.reply = json_reply(GOOD, status=status)
    with pytest.raises(OutsideInvalid, match=str(status)):
        await story.ask()


@pytest.mark.parametrize(
    ("status", "code", "name", "key"),
    [
        (401, "token", None, "prober_token"),
        (403, "caller_refused", None, "prober_caller"),
        (403, "address_refused", None, "prober_caller"),
        (403, "address_refused", "pppoe", "prober_name"),
        (403, "unknown_name", "pppoe", "prober_name"),
        (400, "name_unresolved", "pppoe", "prober_name"),
        (403, "https_only", None, "prober_proxy"),
        (403, "proxy", None, "prober_proxy"),
        (503, "no_route", None, "prober_no_route"),
        (400, "bad_request", None, "outside_invalid"),
        (401, "[x](http://example.net)", None, "outside_invalid"),
        (401, "", None, "outside_invalid"),
    ],
)
async def test_what_can_be_mended_is_said(
    story: Story, status: int, code: str, name: str | None, key: str
) -> None:
    story.reply = json_reply({"error": code}, status=status)
    with pytest.raises(OutsideError) as caught:
        await story.ask(name=name)
    assert caught.value.translation_key == key


async def test_the_prober_itself_says_that_the_token_is_wrong(
    files: Certificate, trust: ssl.SSLContext
) -> None:
    async with running(files, trust) as prober:
        prober._token = "not-this-one"
        with pytest.raises(ProberRefused) as caught:
            await prober.check(question(PORT))
    assert caught.value.translation_key == "prober_token"


async def test_an_answer_has_to_come_in_time(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_prober, "TIMEOUT", 0.2)
    story.reply = Reply(hang=True)
    with pytest.raises(OutsideUnreachable):
        await story.ask()


async def test_nobody_there_is_unreachable(story: Story, unused_tcp_port: int) -> None:
    with pytest.raises(OutsideUnreachable):
        await story.ask(f"https://{LOOPBACK}:{unused_tcp_port}")


async def test_a_certificate_of_nobody_is_not_trusted(story: Story) -> None:
    """A captive portal, or whoever sits on the way: the token is not shown to it."""
    story.trust = ssl.create_default_context()
    with pytest.raises(OutsideUnreachable) as caught:
        await story.ask()
    assert story.asked == []
    assert SECRET not in str(caught.value)


async def test_the_token_is_not_sent_in_the_clear(story: Story) -> None:
    with pytest.raises(OutsideInvalid):
        await story.ask(story.page.url.replace("https", "http"))
    assert story.asked == []


async def test_its_key_is_no_secret() -> None:
    prober = OwnProber(bound_session, f"https://u:{SECRET}@h.example/?t={SECRET}", SECRET)
    assert prober.key == "own https://h.example/"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://prober.example", True),
        ("https://prober.example/", True),
        ("https://prober.example:8443/below", True),
        ("https://11.22.33.2:8443", True),
        ("https://[2a00:77::2]", True),
        ("HTTPS://prober.example", True),
        ("http://prober.example", False),
        ("http://127.0.0.1:8443", False),
        ("prober.example", False),
        ("//prober.example", False),
        ("https://", False),
        ("https:///v1", False),
        ("https://:8443", False),
        ("https://h:0", False),
        ("https://h:99999", False),
        ("https://user@prober.example", False),
        ("https://user:secret@prober.example", False),
        ("https://prober.example/?token=secret", False),
        ("https://prober.example/#x", False),
        ("ftp://prober.example", False),
        ("", False),
        ("https://[::1", False),
        ("https://[]@", False),
        ("\x00", False),
    ],
)
def test_where_a_token_may_go(text: str, good: bool) -> None:
    assert is_prober_url(text) is good


@fuzz
@given(st.text(max_size=60) | st.text("htps:/[]@?#%.0a", max_size=40).map("https://".__add__))
def test_any_text_is_a_place_or_none(text: str) -> None:
    if is_prober_url(text):
        OwnProber(bound_session, text, SECRET)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([*Outcome, LOOPBACK, "tcp", "udp", PORT, float(PORT), str(PORT), ""])
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD]), inner),
    max_leaves=6,
)
NEARLY = st.fixed_dictionaries(
    {}, optional={name: st.just(value) | VALUES for name, value in GOOD.items()}
)


def _bodies() -> Iterator[st.SearchStrategy[bytes]]:
    yield st.binary(max_size=200)
    yield (VALUES | NEARLY).map(lambda value: json.dumps(value).encode())


@fuzz
@given(st.one_of(*_bodies()), st.sampled_from([None, NONCE]))
@example(json.dumps(GOOD | {"nonce": True}).encode(), NONCE)
@example(json.dumps(GOOD | {"port": float(PORT)}).encode(), None)
def test_any_body_is_the_answer_or_an_error(body: bytes, nonce: bytes | None) -> None:
    try:
        answer = parse_answer(parse_json(body), question(PORT, nonce=nonce))
    except OutsideError:
        return
    said = json.loads(body)
    assert (type(said["port"]), type(said["nonce"])) == (int, bool)
    assert {name: said[name] for name in ("address", "transport", "port")} == {
        name: GOOD[name] for name in ("address", "transport", "port")
    }
    assert answer == Answer(Outcome(said["outcome"]), said["nonce"])
    assert not answer.nonce_seen or (answer.outcome is Outcome.ACCEPTED and nonce)
