"""The hosted probers dial for real, also as programs of their own, and can be scripted."""

import asyncio

import aiohttp
import pytest

from tests.fakes.probers.check_host import CheckHost
from tests.fakes.probers.dial import NEVER
from tests.fakes.program import Start


async def test_a_portchecker_as_a_program(start: Start, http: aiohttp.ClientSession) -> None:
    started = await start("tests.fakes.probers.portchecker", "--control-port", "0")
    _, url, _, control = started.line.split()
    port = int(url.rpartition(":")[2])

    async def query() -> object:
        asked = {"host": "127.0.0.1", "ports": [port]}
        async with http.post(f"{url}/api/query", json=asked) as answer:
            return (await answer.json())["check"]

    async def override(script: dict[str, object]) -> int:
        async with http.post(f"{control}/override", json=script) as answer:
            return answer.status

    assert await query() == [{"port": port, "status": True}]
    assert await override({"met": [111], "said_port": 1}) == 204
    assert await query() == [{"port": 1, "status": False}]
    assert await override({"colour": 1}) == 400
    assert await override({"replies": {"query": {"body": '{"check": 1}'}}}) == 204
    async with http.post(f"{url}/api/query", json={}) as answer:
        assert await answer.text() == '{"check": 1}'
    assert await override({"replies": {"query": None}, "said_port": None}) == 204
    assert await query() == [{"port": port, "status": False}]
    async with http.get(f"{control}/requests") as answer:
        assert [seen["step"] for seen in await answer.json()] == ["query"] * 4
    async with asyncio.timeout(5):
        assert await started.end() == 0


@pytest.mark.parametrize("name", ["check_host", "globalping"])
async def test_the_others_as_programs(start: Start, name: str) -> None:
    started = await start(f"tests.fakes.probers.{name}")
    assert started.line.startswith("ready http://127.0.0.1:")
    async with asyncio.timeout(5):
        assert await started.end() == 0


async def test_check_host_shows_people_a_page(http: aiohttp.ClientSession) -> None:
    async with CheckHost() as service:
        url = f"{service.url}/check-tcp?host=127.0.0.1:1"
        async with http.get(url) as answer:
            assert answer.content_type == "text/html"
        service.met = [NEVER]
        async with http.get(url, headers={"Accept": "application/json"}) as answer:
            started = await answer.json()
        async with http.get(f"{service.url}/check-result/{started['request_id']}") as answer:
            assert list((await answer.json()).values()) == [None]
        async with http.get(f"{service.url}/check-result/another") as answer:
            assert answer.status == 404
