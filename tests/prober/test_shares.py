"""Over HTTP: everybody has a share, and no more."""

import asyncio

import aiohttp
import pytest

from prober import service
from prober.config import Token, digest_of

from .asking import SECRET, Start, as_proxy, ask, check


async def test_an_address_has_a_share(
    start: Start, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PER_ADDRESS", (3, 1000.0))
    prober = await start()
    for _ in range(3):
        assert (await ask(http, prober)).status == 200
    said = await ask(http, prober)
    assert (said.status, said.json) == (429, {"error": "limit"})
    assert 990 < int(said.headers["Retry-After"]) <= 1000
    # Without the token as well: it cannot be tried out.
    headers = as_proxy(Authorization="Bearer wrong")
    assert (await ask(http, prober, headers=headers)).status == 429
    assert (await ask(http, prober, headers=as_proxy("127.0.0.6"))).status == 200


async def test_a_network_has_one_share(
    start: Start, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PER_ADDRESS", (2, 1000.0))
    prober = await start()
    callers = "2a00:77:0:1::1", "2a00:77:0:1::2", "2a00:77:0:1:f::3", "2a00:77:0:2::1"
    said = [(await ask(http, prober, headers=as_proxy(each))).status for each in callers]
    assert said == [200, 200, 429, 200]


async def test_a_token_has_a_share(
    start: Start, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PER_TOKEN", (3, 1000.0))
    prober = await start(tokens=(Token(digest_of(SECRET)), Token(digest_of("other"))))
    callers = [f"127.0.0.{each}" for each in range(5, 9)]
    said = [(await ask(http, prober, headers=as_proxy(each))).status for each in callers]
    assert said == [200, 200, 200, 429]
    other = as_proxy("127.0.0.8", Authorization="Bearer other")
    assert (await ask(http, prober, headers=other)).status == 200


async def test_only_so_many_are_dialled_at_once(
    start: Start, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled, go = asyncio.Semaphore(0), asyncio.Event()

    async def dial(*_: object) -> service.Met:
        dialled.release()
        await go.wait()
        return service.Met(service.Outcome.ACCEPTED)

    monkeypatch.setattr(service, "dial", dial)
    monkeypatch.setattr(service, "DIALS", 2)
    prober = await start()
    waiting = [asyncio.create_task(check(http, prober, 80)) for _ in range(2)]
    for _ in waiting:
        await dialled.acquire()
    said = await check(http, prober, 80)
    assert (said.status, said.json) == (429, {"error": "busy"})
    assert said.headers["Retry-After"] == "5"
    go.set()
    assert [(await each).status for each in waiting] == [200, 200]
    assert (await check(http, prober, 80)).status == 200
