"""An echoip prober is believed only when it answers exactly what was asked."""

from ipaddress import ip_address
import json
from typing import Any

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside import echoip
from custom_components.homeport.outside.bound_session import bound_session
from custom_components.homeport.outside.echoip import EchoipProber, parse_answer
from custom_components.homeport.outside.errors import (
    OtherAddress,
    OutsideBusy,
    OutsideInvalid,
    OutsideUnreachable,
)
from custom_components.homeport.outside.exchange import MAX_BODY, parse_json
from custom_components.homeport.outside.prober import Answer, Limit, Outcome, ProbeTransport
from tests.fakes.outside import Outside
from tests.fakes.reply import Reply
from tests.fuzz import fuzz

from .probing import LOOPBACK, NOT_AN_ANSWER, allow_loopback, json_reply, listening, question

G = ip_address("11.22.33.44")
PORT = 8123
GOOD: dict[str, Any] = {"ip": LOOPBACK, "port": PORT, "reachable": True}


@pytest.fixture(autouse=True)
def _loopback(_nothing_left: None, monkeypatch: pytest.MonkeyPatch) -> None:
    allow_loopback(monkeypatch)


async def probe(outside: Outside, port: int = PORT, path: str = "", **more: Any) -> Answer:
    prober = EchoipProber(bound_session, f"{outside.url}{path}")
    return await prober.check(question(port, **more))


async def test_it_says_whether_a_connection_was_accepted(
    outside: Outside, unused_tcp_port: int
) -> None:
    async with listening() as port:
        assert await probe(outside, port) == Answer(Outcome.ACCEPTED)
    assert await probe(outside, unused_tcp_port) == Answer(Outcome.UNREACHABLE)
    assert [seen.path for seen in outside.requests] == [f"/port/{port}", f"/port/{unused_tcp_port}"]


async def test_it_dials_the_address_that_the_question_is_asked_from(outside: Outside) -> None:
    async with listening("127.0.0.7") as port:
        source = ip_address("127.0.0.7")
        answer = await probe(outside, port, address="127.0.0.7", source=source)
        assert answer.outcome is Outcome.ACCEPTED
        with pytest.raises(OtherAddress):
            await probe(outside, port, address="127.0.0.7")
        with pytest.raises(OtherAddress):
            await probe(outside, port, source=source)


async def test_it_knows_both_families() -> None:
    async with Outside(host="::1") as outside, listening("::1") as port:
        assert (await probe(outside, port, address="::1")).outcome is Outcome.ACCEPTED


async def test_it_may_live_below_a_path(outside: Outside) -> None:
    with pytest.raises(OutsideInvalid):  # the fake knows no such path
        await probe(outside, path="/echoip/")
    outside.reachable = True
    assert (await probe(outside, path="/")).outcome is Outcome.ACCEPTED


async def test_a_password_in_its_address_is_neither_sent_nor_kept(outside: Outside) -> None:
    url = outside.url.replace("//", "//me:secret@")
    prober = EchoipProber(bound_session, f"{url}/?key=secret")
    assert prober.key == f"echoip {outside.url}/"


async def test_udp_is_not_asked_for(outside: Outside) -> None:
    with pytest.raises(OutsideInvalid):
        await probe(outside, transport=ProbeTransport.UDP)
    assert outside.requests == []


@pytest.mark.parametrize(
    ("url", "limit"),
    [
        ("https://ifconfig.co", Limit(1, 60)),
        ("http://IFCONFIG.co/", Limit(1, 60)),
        ("https://ifconfig.co.example", Limit(10, 6)),
        ("http://192.168.1.5:8080", Limit(10, 6)),
    ],
)
def test_the_strict_limit_is_that_of_one_service(url: str, limit: Limit) -> None:
    assert EchoipProber(bound_session, url).limit == limit


@pytest.mark.parametrize(
    "ip", ["11.22.33.45", "", "2001:db8::1", "::ffff:127.0.0.1", "127.0.0.1 ", None, 2130706433, []]
)
async def test_another_address_than_ours_is_not_believed(outside: Outside, ip: object) -> None:
    outside.prober = json_reply(GOOD | {"ip": ip})
    with pytest.raises(OtherAddress) as caught:
        await probe(outside)
    assert caught.value.translation_key == "outside_other_address"


CHANGES = [
    pytest.param({"port": 8124}, id="another port"),
    pytest.param({"port": "8123"}, id="port as text"),
    pytest.param({"port": 8123.0}, id="port as float"),
    pytest.param({"port": True}, id="port as bool"),
    pytest.param({"port": None}, id="port null"),
    pytest.param({"port": [8123]}, id="port as list"),
    pytest.param({"reachable": "true"}, id="reachable as text"),
    pytest.param({"reachable": 1}, id="reachable as 1"),
    pytest.param({"reachable": 0}, id="reachable as 0"),
    pytest.param({"reachable": None}, id="reachable null"),
    pytest.param({"reachable": {}}, id="reachable as object"),
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_value_of_another_type_is_no_answer(
    outside: Outside, change: dict[str, Any]
) -> None:
    outside.prober = json_reply(GOOD | change)
    with pytest.raises(OutsideInvalid):
        await probe(outside)


async def test_true_is_not_port_1(outside: Outside) -> None:
    outside.prober = json_reply(GOOD | {"port": True})
    with pytest.raises(OutsideInvalid):
        await probe(outside, 1)


@pytest.mark.parametrize("missing", GOOD)
async def test_an_incomplete_answer_is_none(outside: Outside, missing: str) -> None:
    outside.prober = json_reply({name: GOOD[name] for name in GOOD if name != missing})
    with pytest.raises(OutsideInvalid):
        await probe(outside)


@pytest.mark.parametrize(
    "reply",
    [
        *NOT_AN_ANSWER,
        pytest.param(json_reply([GOOD]), id="a list"),
        pytest.param(json_reply(GOOD, status=503), id="503"),
        pytest.param(Reply(body=json.dumps(GOOD)[:-1]), id="cut off"),
        pytest.param(Reply(body=json.dumps(GOOD) + "x"), id="something after it"),
        pytest.param(Reply(body=json.dumps(GOOD) + " " * MAX_BODY), id="longer than it may be"),
    ],
)
async def test_nonsense_is_no_answer(outside: Outside, reply: Reply) -> None:
    outside.prober = reply
    with pytest.raises(OutsideInvalid):
        await probe(outside)
    assert len(outside.requests) == 1


async def test_a_captive_portal_is_not_followed(outside: Outside) -> None:
    async with Outside(host="127.0.0.2") as portal:
        portal.prober = json_reply(GOOD)
        outside.prober = Reply.redirect(f"{portal.url}/port/8123")
        with pytest.raises(OutsideInvalid):
            await probe(outside)
        assert portal.requests == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "60"}, 60),
        ({"X-RateLimit-Reset": "3599"}, 3599),
        ({"Retry-After": "7", "X-RateLimit-Reset": "9"}, 7),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "\u0667"}, None),
    ],
)
async def test_it_may_want_to_be_asked_less_often(
    outside: Outside, headers: dict[str, str], seconds: int | None
) -> None:
    outside.prober = Reply(status=429, headers=headers, body=json.dumps(GOOD))
    with pytest.raises(OutsideBusy) as caught:
        await probe(outside)
    assert caught.value.retry_after == seconds


async def test_a_prober_that_is_down_says_nothing(outside: Outside, unused_tcp_port: int) -> None:
    outside.down = True
    with pytest.raises(OutsideUnreachable):
        await probe(outside)
    nobody = EchoipProber(bound_session, f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(OutsideUnreachable) as caught:
        await nobody.check(question(PORT))
    assert caught.value.__cause__ is None  # it would have the address in its text
    assert LOOPBACK not in str(caught.value)


async def test_an_answer_has_to_come_in_time(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(echoip, "TIMEOUT", 0.1)
    outside.prober = Reply(hang=True)
    with pytest.raises(OutsideUnreachable):
        await probe(outside)


VALUES: st.SearchStrategy[object] = st.sampled_from(
    [str(G), "::ffff:11.22.33.44", PORT, float(PORT), str(PORT), True, False, None, 1, "true", []]
) | st.text(max_size=9)
ANSWERS = st.dictionaries(st.sampled_from([*GOOD, ""]), VALUES, max_size=4).map(json.dumps)


@fuzz
@given(ANSWERS.map(str.encode) | st.binary(max_size=200))
@example(json.dumps(GOOD | {"ip": str(G)}).encode())
def test_any_answer(body: bytes) -> None:
    try:
        reachable = parse_answer(parse_json(body), G, PORT)
    except OtherAddress, OutsideInvalid:
        return
    said = json.loads(body)
    assert {name: said[name] for name in GOOD} == {
        "ip": str(G),
        "port": PORT,
        "reachable": reachable,
    }
    assert (type(said["port"]), type(reachable)) == (int, bool)
