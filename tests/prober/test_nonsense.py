"""Over HTTP: what is no question is refused, and nothing that is sent gets into the log."""

import asyncio
import gzip
import json
import logging

import aiohttp
import pytest

from prober import service

from .asking import AUTHORIZATION, CALLER, SECRET, Start, as_proxy, ask, check

BODIES = {
    "huge": (b"x" * 1_000_000, 413),
    "empty": (b"", 400),
    "no JSON": (b"\xff\x00", 400),
    "deep": (b"[" * 1000, 400),
    "compressed": (gzip.compress(b" " * 50_000), 400),
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("encoding", [None, "gzip", "deflate"])
async def test_a_body_that_is_none_is_refused(
    start: Start, http: aiohttp.ClientSession, kind: str, encoding: str | None
) -> None:
    body, status = BODIES[kind]
    headers = as_proxy(Content_Type="application/json")
    headers |= {} if encoding is None else {"Content-Encoding": encoding}
    prober = await start()
    said = await ask(http, prober, "/v1/check", headers=headers, data=body)
    assert said.status == status
    assert said.json["error"] in ("bad_request", "too_large")
    assert (await ask(http, prober)).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/check", 405),
        ("POST", "/", 405),
        ("DELETE", "/v1/check", 405),
        ("GET", "/port", 404),
        ("GET", "/port/80/81", 404),
        ("GET", "/favicon.ico", 404),
        ("GET", "/v1/check/../../etc/passwd", 404),
    ],
)
async def test_what_it_does_not_know_is_said_as_json(
    start: Start, http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    prober = await start()
    async with http.request(method, f"{prober.url}{path}", headers=as_proxy()) as response:
        assert response.status == status
        assert set(await response.json()) == {"error"}


async def test_a_mistake_of_its_own_is_said_to_nobody(
    start: Start,
    http: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError(f"something about {CALLER}")

    monkeypatch.setattr(service, "dial", fail)
    said = await check(http, await start(), 80)
    assert (said.status, said.json) == (500, {"error": "internal"})
    assert "ZeroDivisionError in fail" in caplog.text
    assert CALLER not in caplog.text


def _raw(port: int) -> list[bytes]:
    """Return requests that are answered, refused, or none at all."""
    post = "POST /v1/check HTTP/1.1\r\nHost: h"
    head = "\r\n".join(f"{name}: {value}" for name, value in as_proxy().items())
    return [
        f"GET /json HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n".encode(),
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        f"GET /{CALLER} HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: {CALLER}\r\n\r\n".encode(),
        f"NONSENSE {CALLER}\r\n\r\n".encode(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        f"GET / HTTP/1.1\r\nHost: h\r\n{CALLER}\x00: x\r\n\r\n".encode(),
        f"GET /{'x' * 20_000} HTTP/1.1\r\n\r\n".encode(),
        f"{post}\r\n{head}\r\nContent-Length: -1\r\n\r\n".encode(),
        f"{post}\r\n{head}\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n".encode(),
    ]


async def test_the_log_names_nobody(
    start: Start, caplog: pytest.LogCaptureFixture, unused_tcp_port: int
) -> None:
    """Whatever is sent, at any level."""
    asyncio.get_running_loop().set_debug(False)  # as it is; then asyncio logs the test as well
    caplog.set_level(logging.DEBUG)
    prober = await start()
    for request in _raw(prober.port):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", prober.port, local_addr=("127.0.0.77", 0)
        )
        writer.write(request)
        writer.write_eof()
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()
    for said in CALLER, "127.0.0.77", SECRET, AUTHORIZATION["Authorization"]:
        assert said not in caplog.text


async def test_one_connection_is_for_one_question(
    start: Start, http: aiohttp.ClientSession
) -> None:
    said = await ask(http, await start())
    assert said.headers["Connection"] == "close"
    assert json.dumps(said.json) == f'{{"ip": "{CALLER}"}}'
