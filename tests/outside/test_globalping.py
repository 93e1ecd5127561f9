"""Globalping is believed as far as its probes agree, and only about a TCP connection."""

from collections.abc import AsyncIterator
from contextlib import suppress
import errno
from ipaddress import ip_address
import json
from pathlib import Path
import ssl
from typing import Any

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside import globalping
from custom_components.homeport.outside.bound_session import bound_session
from custom_components.homeport.outside.errors import (
    OtherAddress,
    OutsideBusy,
    OutsideInvalid,
    OutsideUnreachable,
)
from custom_components.homeport.outside.exchange import parse_json
from custom_components.homeport.outside.globalping import (
    GlobalpingProber,
    parse_result,
    parse_start,
)
from custom_components.homeport.outside.prober import Answer, Outcome, ProbeTransport
from tests.fakes.probers.dial import ACCEPTED, NEVER
from tests.fakes.probers.globalping import ID, Globalping
from tests.fakes.reply import Reply
from tests.fuzz import fuzz
from tests.lab.tls import Authority

from .probing import NOT_AN_ANSWER, allow_loopback, listening, question

G = ip_address("11.22.33.44")
PORT = 8123
ASKED = question(PORT, str(G))
REPLIED: dict[str, Any] = {
    "status": "finished",
    "rawOutput": "",
    "resolvedAddress": str(G),
    "timings": [{"rtt": 20.5}],
    "stats": {"rcv": 1, "loss": 0},
}
LOST = REPLIED | {"timings": [{"rtt": -1}], "stats": {"rcv": 0, "loss": 100}}
FAILED: dict[str, Any] = {"status": "failed", "timings": [], "stats": {"rcv": None}}
MEASURED: dict[str, Any] = {
    "id": ID,
    "type": "ping",
    "target": str(G),
    "status": "finished",
    "measurementOptions": {"protocol": "TCP", "port": PORT, "packets": 1},
    "results": [{"probe": {}, "result": REPLIED}],
}


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(globalping, "PAUSE", 0.02)


@pytest.fixture
async def service() -> AsyncIterator[Globalping]:
    async with Globalping() as started:
        yield started


async def probe(service: Globalping, port: int = PORT, **more: Any) -> Answer:
    return await GlobalpingProber(bound_session, service.url).check(question(port, **more))


def found(result: object) -> list[Outcome]:
    """Return what is read from the result of one probe."""
    measured = MEASURED | {"results": [{"probe": {}, "result": result}]}
    finished, outcomes = parse_result(measured, ID, ASKED)
    assert finished
    return outcomes


async def test_its_probes_really_knock(service: Globalping, unused_tcp_port: int) -> None:
    async with listening() as port:
        assert await probe(service, port) == Answer(Outcome.ACCEPTED)
    assert await probe(service, unused_tcp_port) == Answer(Outcome.REFUSED)
    assert service.requests[0].body == {
        "type": "ping",
        "target": "127.0.0.1",
        "limit": 3,
        "inProgressUpdates": False,
        "measurementOptions": {"protocol": "TCP", "port": port, "packets": 1},
    }


@pytest.mark.usefixtures("_nothing_left")
async def test_it_knows_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_loopback(monkeypatch)
    async with Globalping(host="::1") as service, listening("::1") as port:
        assert await probe(service, port, address="::1") == Answer(Outcome.ACCEPTED)
        assert service.requests[0].body["target"] == "::1"


async def test_the_default_port_is_not_in_the_answer(service: Globalping) -> None:
    service.met = [ACCEPTED] * 3
    assert await probe(service, 80) == Answer(Outcome.ACCEPTED)
    service.said_port = 80
    with pytest.raises(OutsideInvalid):
        await probe(service)


@pytest.mark.parametrize(
    ("met", "outcome"),
    [
        ([ACCEPTED, ACCEPTED, errno.ETIMEDOUT], Outcome.ACCEPTED),
        ([ACCEPTED, errno.ENETUNREACH, ACCEPTED], Outcome.ACCEPTED),
        ([errno.ECONNREFUSED, errno.ETIMEDOUT, errno.ETIMEDOUT], Outcome.REFUSED),
        ([errno.ETIMEDOUT] * 3, Outcome.TIMED_OUT),
        ([errno.EHOSTUNREACH] * 3, Outcome.UNREACHABLE),
    ],
)
async def test_what_its_probes_have_met(
    service: Globalping, met: list[int | None], outcome: Outcome
) -> None:
    service.met = met
    assert await probe(service) == Answer(outcome)


async def test_one_probe_that_was_let_in_proves_nothing(service: Globalping) -> None:
    service.met = [ACCEPTED, errno.ETIMEDOUT, errno.ETIMEDOUT]
    with pytest.raises(OutsideInvalid):
        await probe(service)


async def test_a_probe_that_cannot_knock_is_none(service: Globalping) -> None:
    service.met = [errno.ENETUNREACH] * 3
    with pytest.raises(OutsideUnreachable):
        await probe(service)


async def test_a_probe_that_never_answers_holds_nothing_up_for_long(
    service: Globalping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(globalping, "TIMEOUT", 0.5)
    service.met = [ACCEPTED, NEVER, ACCEPTED]
    assert await probe(service) == Answer(Outcome.ACCEPTED)
    service.met = [NEVER] * 3
    with pytest.raises(OutsideUnreachable):
        await probe(service)


@pytest.mark.parametrize("step", ["start", "result"])
async def test_one_that_hangs_says_nothing(
    service: Globalping, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(globalping, "TIMEOUT", 0.3)
    service.replies[step] = Reply(hang=True)
    with pytest.raises(OutsideUnreachable):
        await probe(service)


async def test_udp_is_not_asked_for(service: Globalping) -> None:
    with pytest.raises(OutsideInvalid):
        await probe(service, transport=ProbeTransport.UDP)
    assert service.requests == []


async def test_another_address_is_not_believed(service: Globalping) -> None:
    service.met, service.said_address = [ACCEPTED] * 3, "11.22.33.99"
    with pytest.raises(OtherAddress):
        await probe(service)


@pytest.mark.parametrize("step", ["start", "result"])
@pytest.mark.parametrize("reply", NOT_AN_ANSWER)
async def test_nonsense_is_no_answer(service: Globalping, step: str, reply: Reply) -> None:
    service.replies[step] = reply
    with pytest.raises(OutsideInvalid):
        await probe(service)


@pytest.mark.parametrize("step", ["start", "result"])
async def test_it_may_want_to_be_asked_less_often(service: Globalping, step: str) -> None:
    service.replies[step] = Reply(status=429, headers={"X-RateLimit-Reset": "1800"})
    with pytest.raises(OutsideBusy) as caught:
        await probe(service)
    assert caught.value.retry_after == 1800


@pytest.mark.parametrize("measurement", [None, "", 7, "../limits", "a/b", "a" * 65, "\u0661", []])
def test_what_starts_no_measurement(measurement: object) -> None:
    with pytest.raises(OutsideInvalid):
        parse_start({"id": measurement, "probesCount": 3})


@pytest.mark.parametrize(
    "change",
    [
        {"id": "another"},
        {"id": None},
        {"type": "http"},
        {"status": None},
        {"results": None},
        {"results": {}},
        {"results": [None]},
        {"results": [{"probe": {}}]},
        {"results": [{"result": []}]},
        {"results": [{"result": REPLIED}] * 4},
        {"measurementOptions": None},
        {"measurementOptions": {"port": PORT}},
        {"measurementOptions": {"protocol": "ICMP", "port": PORT}},
        {"measurementOptions": {"protocol": "TCP"}},
        {"measurementOptions": {"protocol": "TCP", "port": 8124}},
        {"measurementOptions": {"protocol": "TCP", "port": "8123"}},
    ],
)
def test_the_result_of_something_else(change: dict[str, Any]) -> None:
    assert parse_result(MEASURED, ID, ASKED) == (True, [Outcome.ACCEPTED])
    with pytest.raises(OutsideInvalid):
        parse_result(MEASURED | change, ID, ASKED)


@pytest.mark.parametrize("target", ["11.22.33.99", "home.example", None])
def test_another_target(target: object) -> None:
    with pytest.raises(OtherAddress):
        parse_result(MEASURED | {"target": target}, ID, ASKED)


def test_it_is_over_when_it_is_no_longer_in_progress() -> None:
    assert parse_result(MEASURED | {"status": "in-progress"}, ID, ASKED)[0] is False
    assert parse_result(MEASURED | {"status": "timed-out"}, ID, ASKED)[0] is True


@pytest.mark.parametrize(
    ("result", "outcomes"),
    [
        (REPLIED, [Outcome.ACCEPTED]),
        (LOST, [Outcome.TIMED_OUT]),
        (LOST | {"timings": []}, [Outcome.TIMED_OUT]),
        (FAILED | {"rawOutput": "PING\nconnect ECONNREFUSED 11.22.33.44:80"}, [Outcome.REFUSED]),
        (FAILED | {"rawOutput": "PING\nconnect EHOSTUNREACH ::1:80"}, [Outcome.UNREACHABLE]),
        (FAILED | {"rawOutput": "connect ETIMEDOUT 11.22.33.44:80"}, [Outcome.TIMED_OUT]),
        (FAILED | {"rawOutput": "connect ENETUNREACH ::1:80 - Local (:::0)"}, []),
        (FAILED | {"rawOutput": "connect ECONNREFUSED\nconnect EHOSTUNREACH"}, []),
        (FAILED | {"rawOutput": "Test failed. Please try again."}, []),
        (FAILED | {"rawOutput": "The probe disconnected: ECONNREFUSED"}, []),
        (FAILED | {"rawOutput": None}, []),
        (FAILED, []),
        (REPLIED | {"status": "in-progress"}, []),
        (REPLIED | {"status": "offline"}, []),
        (REPLIED | {"status": ["finished"]}, []),
        (REPLIED | {"status": "failed"}, []),
    ],
)
def test_what_a_probe_has_met(result: dict[str, Any], outcomes: list[Outcome]) -> None:
    assert found(result) == outcomes


@pytest.mark.parametrize(
    "change",
    [
        {"stats": None},
        {"stats": {}},
        {"stats": {"rcv": None}},
        {"stats": {"rcv": True}},
        {"stats": {"rcv": 1.0}},
        {"stats": {"rcv": 2}},
        {"stats": {"rcv": 0}},
        {"timings": None},
        {"timings": []},
        {"timings": [None]},
        {"timings": [{}]},
        {"timings": [{"rtt": "20"}]},
        {"timings": [{"rtt": True}]},
        {"timings": [{"rtt": -1}]},
        {"timings": [{"rtt": float("nan")}]},
        {"timings": [{"rtt": 20}, {"rtt": 20}]},
    ],
)
def test_a_reply_that_is_not_certain_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(OutsideInvalid):
        found(REPLIED | change)


@pytest.mark.parametrize("address", ["11.22.33.99", None, "", 1])
def test_a_probe_that_knocked_elsewhere(address: object) -> None:
    with pytest.raises(OtherAddress):
        found(REPLIED | {"resolvedAddress": address})


async def test_the_token_goes_over_https_only(
    service: Globalping, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(issued.certificate, issued.key)
    trust = ssl.create_default_context(cafile=str(authority.bundle))
    caplog.set_level("DEBUG")

    async with Globalping(ssl=server) as secure:
        prober = GlobalpingProber(
            lambda *where: bound_session(*where, ssl=trust), secure.url, token="hunter2"
        )
        await prober.check(question(PORT))
        assert {asked.authorization for asked in secure.requests} == {"Bearer hunter2"}
        secure.replies["result"] = Reply(drop=True)
        with pytest.raises(OutsideUnreachable) as caught:
            await prober.check(question(PORT))
    assert caught.value.__cause__ is None
    assert "hunter2" not in f"{caught.value!r} {prober.key} {prober!r} {caplog.text}"

    await GlobalpingProber(bound_session, service.url, token="hunter2").check(question(PORT))
    assert {asked.authorization for asked in service.requests} == {None}


VALUES = st.sampled_from([str(G), ID, PORT, "TCP", "finished", "failed", 1, 0, -1, True, None, 2.5])
PARTS = (
    st.sampled_from([REPLIED, LOST, FAILED])
    | st.dictionaries(st.sampled_from([*REPLIED, "rtt", "rcv"]), VALUES, max_size=4)
    | VALUES
)
RESULTS = st.dictionaries(st.sampled_from(["probe", "result"]), PARTS) | VALUES


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Draw a good answer with some of it changed."""
    said = dict(MEASURED)
    for name in draw(st.lists(st.sampled_from([*MEASURED, "x"]), max_size=2)):
        said[name] = draw(VALUES | PARTS | st.lists(RESULTS, max_size=4))
    result = dict(draw(st.sampled_from([REPLIED, LOST, FAILED])))
    for name in draw(st.lists(st.sampled_from([*REPLIED, "x"]), max_size=2)):
        result[name] = draw(VALUES | PARTS | st.lists(PARTS, max_size=2))
    if draw(st.booleans()):
        said["results"] = [{"result": result}]
    return json.dumps(said).encode()


@fuzz
@given(answers() | st.binary(max_size=200))
@example(json.dumps(MEASURED).encode())
def test_any_answer(body: bytes) -> None:
    with suppress(OutsideInvalid):
        parse_start(parse_json(body))
    try:
        _, outcomes = parse_result(parse_json(body), ID, ASKED)
    except OtherAddress, OutsideInvalid:
        return
    said = json.loads(body)
    assert (said["id"], said["target"]) == (ID, str(G))
    assert said["measurementOptions"]["port"] == PORT
    results = [each["result"] for each in said["results"]]
    finished = [each for each in results if each.get("status") == "finished"]
    replied = [each for each in finished if each["stats"]["rcv"] == 1]
    assert outcomes.count(Outcome.ACCEPTED) <= len(replied)
    assert len(outcomes) <= len(results)
