"""check-host.net is believed as far as its nodes agree, and only about what was asked."""

from collections.abc import AsyncIterator
import errno
from ipaddress import ip_address
import json
from typing import Any

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside import check_host
from custom_components.homeport.outside.bound_session import bound_session
from custom_components.homeport.outside.check_host import (
    CheckHostProber,
    parse_result,
    parse_start,
)
from custom_components.homeport.outside.errors import (
    OtherAddress,
    OutsideBusy,
    OutsideInvalid,
    OutsideUnreachable,
)
from custom_components.homeport.outside.exchange import parse_json
from custom_components.homeport.outside.prober import Answer, Outcome, ProbeTransport
from tests.fakes.probers.check_host import CheckHost
from tests.fakes.probers.dial import ACCEPTED, NEVER
from tests.fakes.reply import Reply
from tests.fuzz import fuzz

from .probing import LOOPBACK, NOT_AN_ANSWER, json_reply, listening, question

G = ip_address("11.22.33.44")
STARTED: dict[str, Any] = {"ok": 1, "request_id": "4f96", "nodes": {"a": ["xx"], "b": [], "c": []}}
OPEN: dict[str, Any] = {"address": LOOPBACK, "time": 0.02}


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_host, "PAUSE", 0.02)


@pytest.fixture
async def service() -> AsyncIterator[CheckHost]:
    async with CheckHost() as started:
        yield started


async def probe(service: CheckHost, port: int = 8123, **more: Any) -> Answer:
    return await CheckHostProber(bound_session, service.url).check(question(port, **more))


async def test_its_nodes_really_knock(service: CheckHost, unused_tcp_port: int) -> None:
    async with listening() as port:
        assert await probe(service, port) == Answer(Outcome.ACCEPTED)
    assert await probe(service, unused_tcp_port) == Answer(Outcome.REFUSED)
    assert service.requests[0].target == f"/check-tcp?host=127.0.0.1:{port}&max_nodes=3"


@pytest.mark.parametrize(
    ("met", "outcome"),
    [
        ([ACCEPTED, ACCEPTED, errno.ETIMEDOUT], Outcome.ACCEPTED),
        ([errno.ECONNREFUSED, errno.ETIMEDOUT, errno.ETIMEDOUT], Outcome.REFUSED),
        ([errno.ETIMEDOUT] * 3, Outcome.TIMED_OUT),
        ([errno.ETIMEDOUT], Outcome.TIMED_OUT),
        ([errno.EHOSTUNREACH] * 3, Outcome.UNREACHABLE),
        ([errno.EHOSTUNREACH, errno.ETIMEDOUT], Outcome.UNREACHABLE),
    ],
)
async def test_what_its_nodes_have_met(
    service: CheckHost, met: list[int | None], outcome: Outcome
) -> None:
    service.met = met
    assert await probe(service) == Answer(outcome)


@pytest.mark.parametrize(
    "met",
    [[ACCEPTED], [ACCEPTED, errno.ETIMEDOUT, errno.ETIMEDOUT], [ACCEPTED, errno.ECONNREFUSED]],
)
async def test_one_node_that_was_let_in_proves_nothing(
    service: CheckHost, met: list[int | None]
) -> None:
    service.met = met
    with pytest.raises(OutsideInvalid):
        await probe(service)


@pytest.mark.parametrize(
    ("met", "outcome"),
    [
        ([ACCEPTED, NEVER, ACCEPTED], Outcome.ACCEPTED),
        ([NEVER, errno.ECONNREFUSED, NEVER], Outcome.REFUSED),
    ],
)
async def test_a_node_that_never_answers_holds_nothing_up_for_long(
    service: CheckHost, monkeypatch: pytest.MonkeyPatch, met: list[int | None], outcome: Outcome
) -> None:
    monkeypatch.setattr(check_host, "TIMEOUT", 0.5)
    service.met = met
    assert await probe(service) == Answer(outcome)


@pytest.mark.parametrize("reply", [None, Reply(hang=True)])
async def test_nodes_that_never_answer_say_nothing(
    service: CheckHost, monkeypatch: pytest.MonkeyPatch, reply: Reply | None
) -> None:
    monkeypatch.setattr(check_host, "TIMEOUT", 0.3)
    service.met = [NEVER] * 3
    if reply:
        service.replies["result"] = reply
    with pytest.raises(OutsideUnreachable):
        await probe(service)


async def test_one_that_hangs_says_nothing(
    service: CheckHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_host, "TIMEOUT", 0.2)
    service.replies["start"] = Reply(hang=True)
    with pytest.raises(OutsideUnreachable):
        await probe(service)


@pytest.mark.parametrize("more", [{"address": "::1"}, {"transport": ProbeTransport.UDP}])
async def test_it_is_not_asked_what_it_cannot_do(service: CheckHost, more: dict[str, Any]) -> None:
    with pytest.raises(OutsideInvalid):
        await probe(service, **more)
    assert service.requests == []


async def test_another_address_is_not_believed(service: CheckHost) -> None:
    service.met, service.said_address = [ACCEPTED] * 3, "11.22.33.99"
    with pytest.raises(OtherAddress):
        await probe(service)


@pytest.mark.parametrize("step", ["start", "result"])
@pytest.mark.parametrize("reply", [each for each in NOT_AN_ANSWER if each.id != "an empty object"])
async def test_nonsense_is_no_answer(service: CheckHost, step: str, reply: Reply) -> None:
    service.replies[step] = reply
    with pytest.raises(OutsideInvalid):
        await probe(service)


@pytest.mark.parametrize("step", ["start", "result"])
async def test_it_may_want_to_be_asked_less_often(service: CheckHost, step: str) -> None:
    service.replies[step] = Reply(status=429, headers={"Retry-After": "30"})
    with pytest.raises(OutsideBusy) as caught:
        await probe(service)
    assert caught.value.retry_after == 30


@pytest.mark.parametrize(
    "change",
    [
        {"ok": 0},
        {"ok": None},
        {"ok": "1"},
        {"request_id": None},
        {"request_id": ""},
        {"request_id": 29},
        {"request_id": "../nodes"},
        {"request_id": "a" * 65},
        {"request_id": "\u0661"},
        {"nodes": {}},
        {"nodes": ["a"]},
        {"nodes": None},
        {"nodes": {str(number): [] for number in range(17)}},
    ],
)
async def test_what_starts_no_check(service: CheckHost, change: dict[str, Any]) -> None:
    service.replies["start"] = json_reply(STARTED | change)
    with pytest.raises(OutsideInvalid):
        await probe(service)
    assert [asked.step for asked in service.requests] == ["start"]


@pytest.mark.parametrize(
    "node",
    [
        pytest.param([], id="nothing"),
        pytest.param(OPEN, id="not in a list"),
        pytest.param([OPEN, OPEN], id="two"),
        pytest.param([None], id="null in a list"),
        pytest.param([True], id="true"),
        pytest.param([{}], id="neither"),
        pytest.param([OPEN | {"error": "Connection timed out"}], id="both"),
        pytest.param([{"time": 0.02}], id="no address"),
        pytest.param([{"address": LOOPBACK}], id="no time"),
        pytest.param([OPEN | {"time": "0.02"}], id="time as text"),
        pytest.param([OPEN | {"time": True}], id="time as bool"),
        pytest.param([{"address": LOOPBACK, "timeout": 1}], id="what UDP has"),
        pytest.param([{"error": 1}], id="error as number"),
        pytest.param([[1, 0.13, "Moved Permanently", "301"]], id="what HTTP has"),
    ],
)
def test_what_no_node_says(node: object) -> None:
    good = {"a": [OPEN], "b": [OPEN], "c": [OPEN]}
    assert parse_result(good, ["a", "b", "c"], ip_address(LOOPBACK)) == [Outcome.ACCEPTED] * 3
    with pytest.raises(OutsideInvalid):
        parse_result(good | {"c": node}, ["a", "b", "c"], ip_address(LOOPBACK))


def test_only_the_nodes_of_the_check_count() -> None:
    said = {"a": None, "x": [OPEN], "y": [OPEN]}
    assert parse_result(said, ["a", "b"], ip_address(LOOPBACK)) == []


VALUES = st.sampled_from([str(G), 0.02, True, None, "Connection refused", 1, "timed out", "x"])
NODES = st.none() | st.lists(
    VALUES | st.dictionaries(st.sampled_from(["address", "time", "error"]), VALUES), max_size=2
)
STARTS = st.dictionaries(
    st.sampled_from([*STARTED, "x"]), VALUES | st.dictionaries(st.text(max_size=2), VALUES)
)
RESULTS = st.dictionaries(st.sampled_from(["a", "b", "c", "x"]), NODES | VALUES)


@fuzz
@given((STARTS | RESULTS).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200))
@example(json.dumps(STARTED).encode())
@example(json.dumps({"a": [{"address": str(G), "time": 1}], "b": [{"error": "refused"}]}).encode())
def test_any_answer(body: bytes) -> None:
    try:
        started = parse_start(parse_json(body))
        assert started.nodes == tuple(json.loads(body)["nodes"])
        assert started.id.isascii()
    except OutsideInvalid:
        pass
    try:
        outcomes = parse_result(parse_json(body), ["a", "b", "c"], G)
    except OtherAddress, OutsideInvalid:
        return
    said = json.loads(body)
    named = [node for node in "abc" if (said.get(node) or [{}])[0].get("address") == str(G)]
    assert outcomes.count(Outcome.ACCEPTED) <= len(named)
