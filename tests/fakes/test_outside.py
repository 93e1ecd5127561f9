"""The outside, asked as the integration asks it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
import ssl

import aiohttp
import pytest

from tests.fakes.outside import Outside, Seen
from tests.fakes.reply import Reply
from tests.lab.tls import Authority


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with Outside() as started:
        yield started


@pytest.fixture
async def open_port() -> AsyncIterator[int]:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("path", ["/", "/ip"])
async def test_the_echo_says_the_callers_address(
    outside: Outside, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(f"{outside.url}{path}", headers={"User-Agent": "me"}) as answer:
        assert await answer.text() == "127.0.0.1\n"
        assert answer.content_type == "text/plain"
    assert outside.requests == [Seen(path, "127.0.0.1", "me")]


async def test_the_echo_says_it_as_json(outside: Outside, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{outside.url}/json") as answer:
        assert await answer.json() == {"ip": "127.0.0.1"}


async def test_an_ipv4_caller_is_named_without_prefix_on_a_socket_for_both(
    http: aiohttp.ClientSession,
) -> None:
    async with Outside(host="::") as outside:
        url = f"http://127.0.0.1:{outside.port}/ip"
        async with http.get(url) as answer:
            text = await answer.text()
    assert text == "127.0.0.1\n"


async def test_the_prober_really_dials(
    outside: Outside, http: aiohttp.ClientSession, open_port: int, unused_tcp_port: int
) -> None:
    for port, reachable in ((open_port, True), (unused_tcp_port, False)):
        async with http.get(f"{outside.url}/port/{port}") as answer:
            assert await answer.json() == {
                "ip": "127.0.0.1",
                "port": port,
                "reachable": reachable,
            }


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "%C2%B2"])
async def test_the_prober_refuses_what_is_no_port(
    outside: Outside, http: aiohttp.ClientSession, port: str
) -> None:
    async with http.get(f"{outside.url}/port/{port}") as answer:
        assert answer.status == 400


async def test_answers_can_be_scripted(
    outside: Outside, http: aiohttp.ClientSession, open_port: int
) -> None:
    asked: list[tuple[str, int]] = []

    async def verdict(ip: str, port: int) -> bool:
        asked.append((ip, port))
        return False

    async def probe() -> dict[str, object]:
        async with http.get(f"{outside.url}/port/{open_port}") as answer:
            found: dict[str, object] = await answer.json()
            return found

    outside.ip = "10.0.0.1"
    async with http.get(f"{outside.url}/ip") as answer:
        assert await answer.text() == "10.0.0.1\n"
    assert await probe() == {"ip": "10.0.0.1", "port": open_port, "reachable": True}
    outside.prober_ip = "11.22.33.99"
    outside.reachable = False
    assert await probe() == {"ip": "11.22.33.99", "port": open_port, "reachable": False}
    outside.reachable = verdict
    assert (await probe())["reachable"] is False
    assert asked == [("127.0.0.1", open_port)]


async def test_nonsense_and_silence_can_be_scripted_apart(
    outside: Outside, http: aiohttp.ClientSession
) -> None:
    outside.prober = Reply.html_error(200)
    async with http.get(f"{outside.url}/port/80") as answer:
        assert answer.content_type == "text/html"
    async with http.get(f"{outside.url}/ip") as answer:
        assert await answer.text() == "127.0.0.1\n"
    outside.prober, outside.echo = None, Reply(status=429, headers={"Retry-After": "60"})
    async with http.get(f"{outside.url}/json") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
    outside.down = True
    for path in ("/ip", "/json", "/port/80"):
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(f"{outside.url}{path}")
    outside.down, outside.echo = False, None
    async with http.get(f"{outside.url}/ip") as answer:
        assert answer.status == 200


async def test_it_speaks_https(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(issued.certificate, issued.key)
    trust = ssl.create_default_context(cafile=str(authority.bundle))
    async with Outside(ssl=server) as outside:
        assert outside.url.startswith("https://")
        async with http.get(f"{outside.url}/ip", ssl=trust) as answer:
            assert await answer.text() == "127.0.0.1\n"
