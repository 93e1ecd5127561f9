"""portchecker.io is believed only when it answers exactly what was asked."""

from collections.abc import AsyncIterator
import errno
from ipaddress import ip_address
import json
from typing import Any

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside import portchecker
from custom_components.homeport.outside.bound_session import bound_session
from custom_components.homeport.outside.errors import (
    OtherAddress,
    OutsideBusy,
    OutsideInvalid,
    OutsideUnreachable,
)
from custom_components.homeport.outside.exchange import parse_json
from custom_components.homeport.outside.portchecker import PortcheckerProber, parse_answer
from custom_components.homeport.outside.prober import Answer, Outcome, ProbeTransport
from tests.fakes.probers.portchecker import Portchecker
from tests.fakes.reply import Reply
from tests.fuzz import fuzz

from .probing import LOOPBACK, NOT_AN_ANSWER, json_reply, listening, question

G = ip_address("11.22.33.44")
PORT = 8123
CHECK: dict[str, Any] = {"port": PORT, "status": True}
GOOD: dict[str, Any] = {"error": False, "msg": None, "check": [CHECK], "host": LOOPBACK}


@pytest.fixture
async def service() -> AsyncIterator[Portchecker]:
    async with Portchecker() as started:
        yield started


async def probe(service: Portchecker, port: int = PORT, **more: Any) -> Answer:
    return await PortcheckerProber(bound_session, service.url).check(question(port, **more))


async def test_it_says_whether_a_connection_was_accepted(
    service: Portchecker, unused_tcp_port: int
) -> None:
    async with listening() as port:
        assert await probe(service, port) == Answer(Outcome.ACCEPTED)
    # Refused or silent: it does not tell.
    assert await probe(service, unused_tcp_port) == Answer(Outcome.UNREACHABLE)
    service.met = [errno.ETIMEDOUT]
    assert await probe(service) == Answer(Outcome.UNREACHABLE)
    assert service.requests[0].body == {"host": LOOPBACK, "ports": [port]}


@pytest.mark.parametrize("more", [{"address": "::1"}, {"transport": ProbeTransport.UDP}])
async def test_it_is_not_asked_what_it_cannot_do(
    service: Portchecker, more: dict[str, Any]
) -> None:
    with pytest.raises(OutsideInvalid):
        await probe(service, **more)
    assert service.requests == []


@pytest.mark.parametrize("host", ["11.22.33.45", "", "localhost", None, 1])
async def test_another_host_than_ours_is_not_believed(service: Portchecker, host: object) -> None:
    service.replies["query"] = json_reply(GOOD | {"host": host})
    with pytest.raises(OtherAddress):
        await probe(service)


async def test_it_may_lie_about_the_port(service: Portchecker) -> None:
    service.said_port = 80
    async with listening() as port:
        with pytest.raises(OutsideInvalid):
            await probe(service, port)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([CHECK], id="the bare list"),
        pytest.param({"check": [CHECK]}, id="the checks alone"),
        pytest.param({"error": None, "check": [CHECK], "host": LOOPBACK}, id="error null"),
        pytest.param(GOOD | {"more": [1]}, id="more than is known"),
    ],
)
async def test_the_forms_of_other_versions(service: Portchecker, answer: object) -> None:
    service.replies["query"] = json_reply(answer)
    assert await probe(service) == Answer(Outcome.ACCEPTED)


@pytest.mark.parametrize(
    "reply",
    [
        *NOT_AN_ANSWER,
        pytest.param(json_reply(GOOD | {"error": True, "msg": "no"}), id="an error"),
        pytest.param(json_reply(GOOD | {"error": "no"}), id="an error in words"),
        pytest.param(json_reply(GOOD | {"check": []}), id="no check"),
        pytest.param(json_reply(GOOD | {"check": [CHECK, CHECK]}), id="two checks"),
        pytest.param(json_reply(GOOD | {"check": CHECK}), id="not a list"),
        pytest.param(json_reply(GOOD | {"check": [True]}), id="not an object"),
        pytest.param(json_reply(GOOD | {"check": [CHECK | {"port": 80}]}), id="another port"),
        pytest.param(json_reply(GOOD | {"check": [CHECK | {"port": "8123"}]}), id="port as text"),
        pytest.param(json_reply(GOOD | {"check": [CHECK | {"status": 1}]}), id="status as 1"),
        pytest.param(json_reply(GOOD | {"check": [CHECK | {"status": "open"}]}), id="as text"),
        pytest.param(json_reply(GOOD | {"check": [{"port": PORT}]}), id="no status"),
        pytest.param(json_reply(GOOD | {"check": [{"status": True}]}), id="no port"),
    ],
)
async def test_nonsense_is_no_answer(service: Portchecker, reply: Reply) -> None:
    service.replies["query"] = reply
    with pytest.raises(OutsideInvalid):
        await probe(service)
    assert len(service.requests) == 1


async def test_it_may_want_to_be_asked_less_often(service: Portchecker) -> None:
    service.replies["query"] = Reply(status=429, headers={"Retry-After": "30"})
    with pytest.raises(OutsideBusy) as caught:
        await probe(service)
    assert caught.value.retry_after == 30


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(drop=True)])
async def test_one_that_does_not_answer(
    service: Portchecker, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setattr(portchecker, "TIMEOUT", 0.1)
    service.replies["query"] = reply
    with pytest.raises(OutsideUnreachable):
        await probe(service)


VALUES = st.sampled_from([str(G), PORT, float(PORT), str(PORT), 1, True, False, None, "true"])
CHECKS = st.dictionaries(st.sampled_from(["port", "status", "x"]), VALUES | st.integers())
ANSWERS = st.dictionaries(
    st.sampled_from([*GOOD, "x"]), VALUES | CHECKS | st.lists(CHECKS, max_size=2), max_size=4
) | st.lists(CHECKS, max_size=2)


@fuzz
@given(ANSWERS.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200))
@example(json.dumps(GOOD | {"host": str(G)}).encode())
def test_any_answer(body: bytes) -> None:
    try:
        accepted = parse_answer(parse_json(body), G, PORT)
    except OtherAddress, OutsideInvalid:
        return
    said = json.loads(body)
    [check] = said["check"] if isinstance(said, dict) else said
    assert (check["port"], check["status"]) == (PORT, accepted)
    assert (type(check["port"]), type(check["status"])) == (int, bool)
