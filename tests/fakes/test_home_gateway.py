"""The home gateway's page answers as a script tag would have it, also as a program."""

import json

import aiohttp

from tests.fakes.home_gateway import HomeGateway
from tests.fakes.program import Start
from tests.fakes.reply import Reply

PATH = "/enabler.ipv4/check?callback=show"


async def read(http: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with http.get(f"{url}{PATH}") as answer:
        return answer.status, await answer.text()


async def test_it_calls_the_function_that_was_asked_for(http: aiohttp.ClientSession) -> None:
    async with HomeGateway() as gateway:
        gateway.status = "OFF"
        status, text = await read(http, gateway.url)
        assert (status, text[:5], text[-2:]) == (200, "show(", ");")
        said = {"name": "v6プラス", "version": "1.0.0", "status": "OFF"}
        assert json.loads(text[5:-2]) == said
        gateway.reply = Reply(status=404)
        assert await read(http, gateway.url) == (404, "")
        asked = [(request.path, request.host) for request in gateway.requests]
        assert asked == [(PATH, f"127.0.0.1:{gateway.port}")] * 2


async def test_the_program(start: Start, http: aiohttp.ClientSession) -> None:
    options = ("--control-port", "0", "--status", "OFF", "--name", "OCN")
    started = await start("tests.fakes.home_gateway", *options)
    ready, url, word, control = started.line.split()
    assert (ready, word) == ("ready", "control")
    assert '"name": "OCN"' in (await read(http, url))[1]
    override = f"{control}/override"
    for asked, status in (
        ({"status": "ON"}, 204),
        ({"reply": {"status": 500}}, 204),
        ({"reply": None}, 204),
        ({"colour": "red"}, 400),
        ({"reply": {"colour": "red"}}, 400),
    ):
        async with http.post(override, json=asked) as answer:
            assert answer.status == status
    assert '"status": "ON"' in (await read(http, url))[1]
    async with http.get(f"{control}/requests") as answer:
        assert [request["path"] for request in await answer.json()] == [PATH, PATH]
    assert await started.end() == 0
