"""A prober is believed only when it answers exactly what was asked."""

from ipaddress import IPv4Address
import json
from typing import Any

import aiohttp
import pytest

from custom_components.homeport.outside import (
    EchoipProber,
    OtherAddress,
    OutsideInvalid,
    OutsideUnreachable,
    prober,
)
from tests.fakes.outside import Outside
from tests.fakes.reply import Reply

G = IPv4Address("11.22.33.44")
PORT = 8123
GOOD: dict[str, Any] = {"ip": "11.22.33.44", "port": PORT, "reachable": True}


async def probe(outside: Outside, http: aiohttp.ClientSession, path: str = "") -> bool:
    return await EchoipProber(http, f"{outside.url}{path}").accepts(PORT, G)


@pytest.mark.parametrize("accepted", [True, False])
async def test_the_answer_is_handed_on(
    outside: Outside, http: aiohttp.ClientSession, accepted: bool
) -> None:
    outside.ip, outside.reachable = str(G), accepted
    assert await probe(outside, http) is accepted
    assert [seen.path for seen in outside.requests] == ["/port/8123"]


async def test_it_may_live_below_a_path(outside: Outside, http: aiohttp.ClientSession) -> None:
    with pytest.raises(OutsideInvalid):  # the fake knows no such path
        await probe(outside, http, "/echoip/")
    outside.ip, outside.reachable = str(G), True
    assert await probe(outside, http, "/") is True


@pytest.mark.parametrize(
    "ip",
    ["11.22.33.45", "", "2001:db8::1", "::ffff:11.22.33.44", "11.22.33.44 ", None, 185999660, []],
)
async def test_another_address_than_ours_is_not_believed(
    outside: Outside, http: aiohttp.ClientSession, ip: object
) -> None:
    outside.prober = Reply(body=json.dumps(GOOD | {"ip": ip}))
    with pytest.raises(OtherAddress) as caught:
        await probe(outside, http)
    assert caught.value.translation_key == "outside_other_address"


@pytest.mark.parametrize(
    "change",
    [
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
    ],
)
async def test_a_value_of_another_type_is_no_answer(
    outside: Outside, http: aiohttp.ClientSession, change: dict[str, Any]
) -> None:
    outside.prober = Reply(body=json.dumps(GOOD | change))
    with pytest.raises(OutsideInvalid):
        await probe(outside, http)


async def test_true_is_not_port_1(outside: Outside, http: aiohttp.ClientSession) -> None:
    outside.prober = Reply(body=json.dumps(GOOD | {"port": True}))
    with pytest.raises(OutsideInvalid):
        await EchoipProber(http, outside.url).accepts(1, G)


@pytest.mark.parametrize("missing", GOOD)
async def test_an_incomplete_answer_is_none(
    outside: Outside, http: aiohttp.ClientSession, missing: str
) -> None:
    answer = {name: value for name, value in GOOD.items() if name != missing}
    outside.prober = Reply(body=json.dumps(answer))
    with pytest.raises(OutsideInvalid):
        await probe(outside, http)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(body=json.dumps([GOOD])), id="a list"),
        pytest.param(Reply(body="null"), id="null"),
        pytest.param(Reply(body="true"), id="true"),
        pytest.param(Reply(body='"reachable"'), id="a text"),
        pytest.param(Reply(body="NaN"), id="not a number"),
        pytest.param(Reply(body=json.dumps(GOOD)[:-1]), id="cut off"),
        pytest.param(Reply(body=json.dumps(GOOD) + "x"), id="something after it"),
        pytest.param(Reply(body="[" * 4096), id="very deep"),
        pytest.param(Reply(body=""), id="empty"),
        pytest.param(Reply(body=b"\xff\x00"), id="junk bytes"),
        pytest.param(Reply(body=json.dumps(GOOD), status=503), id="503"),
        pytest.param(Reply.html_error(200), id="HTML"),
        pytest.param(Reply.huge(), id="10 MB"),
        pytest.param(Reply(body=json.dumps(GOOD) + " " * 4096), id="longer than it may be"),
    ],
)
async def test_nonsense_is_no_answer(
    outside: Outside, http: aiohttp.ClientSession, reply: Reply
) -> None:
    outside.prober = reply
    with pytest.raises(OutsideInvalid):
        await probe(outside, http)
    assert len(outside.requests) == 1


async def test_a_captive_portal_is_not_followed(
    outside: Outside, http: aiohttp.ClientSession
) -> None:
    async with Outside(host="127.0.0.2") as portal:
        portal.prober = Reply(body=json.dumps(GOOD))
        outside.prober = Reply.redirect(f"{portal.url}/port/8123")
        with pytest.raises(OutsideInvalid):
            await probe(outside, http)
        assert portal.requests == []


async def test_a_prober_that_is_down_says_nothing(
    outside: Outside, http: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    outside.down = True
    with pytest.raises(OutsideUnreachable):
        await probe(outside, http)
    with pytest.raises(OutsideUnreachable):
        await EchoipProber(http, f"http://127.0.0.1:{unused_tcp_port}").accepts(PORT, G)


async def test_an_answer_has_to_come_in_time(
    outside: Outside, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prober, "TIMEOUT", 0.1)
    outside.prober = Reply(hang=True)
    with pytest.raises(OutsideUnreachable):
        await probe(outside, http)
