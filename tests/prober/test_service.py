"""Over HTTP: who may ask, what is answered, and that nobody else is ever dialled."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from ipaddress import ip_address

import aiohttp
import pytest

from prober import service
from prober.config import Token, digest_of

from .asking import CALLER, SECRET, Start, as_proxy, ask, check

NONCE = bytes(range(16))
FOREIGN = "127.0.0.99"


@dataclass
class Listener:
    """A port that is open at every address of this machine, and whom it was reached at."""

    port: int = 0
    met: list[str] = field(default_factory=list)


@pytest.fixture
async def listener(socket_enabled: None) -> AsyncIterator[Listener]:
    listener = Listener()

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener.met.append(writer.get_extra_info("sockname")[0])
        writer.write(NONCE)
        writer.close()

    async with await asyncio.start_server(meet, "0.0.0.0", 0) as server:
        listener.port = server.sockets[0].getsockname()[1]
        yield listener


async def test_it_knocks_at_the_caller(
    start: Start, http: aiohttp.ClientSession, listener: Listener
) -> None:
    said = await check(http, await start(), listener.port, nonce=NONCE.hex())
    assert said.status == 200
    assert 0 <= said.json.pop("seconds") < 5
    assert said.json == {
        "address": CALLER,
        "transport": "tcp",
        "port": listener.port,
        "outcome": "accepted",
        "nonce": True,
    }
    assert listener.met == [CALLER]


async def test_it_says_what_it_met(
    start: Start, http: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    prober = await start()
    for transport in "tcp", "udp":
        said = await check(http, prober, unused_tcp_port, transport=transport, nonce=NONCE.hex())
        assert (said.json["outcome"], said.json["nonce"]) == ("refused", False)


async def test_echoips_forms(
    start: Start, http: aiohttp.ClientSession, listener: Listener, unused_tcp_port: int
) -> None:
    prober = await start()
    assert (await ask(http, prober, "/")).json == f"{CALLER}\n"
    assert (await ask(http, prober, "/json")).json == {"ip": CALLER}
    for port, reachable in (listener.port, True), (unused_tcp_port, False):
        said = await ask(http, prober, f"/port/{port}")
        assert said.json == {"ip": CALLER, "port": port, "reachable": reachable}
    for port in "0", "65536", "x", "-1", "1.0", "%2580":
        assert (await ask(http, prober, f"/port/{port}")).status == 400
    assert listener.met == [CALLER]


LIES = {
    "Forwarded": f"for={FOREIGN};proto=https;host={FOREIGN}",
    "Host": FOREIGN,
    "X-Forwarded-Host": FOREIGN,
    "X-Real-IP": FOREIGN,
    "X-Client-IP": FOREIGN,
    "Client-IP": FOREIGN,
    "True-Client-IP": FOREIGN,
    "CF-Connecting-IP": FOREIGN,
    "Fastly-Client-IP": FOREIGN,
    "X-Original-Forwarded-For": FOREIGN,
    "X-Cluster-Client-IP": FOREIGN,
    "Via": FOREIGN,
    "Referer": f"https://{FOREIGN}/",
    "X-HTTP-Method-Override": "GET",
}


@pytest.mark.parametrize("name", LIES)
async def test_no_header_makes_it_dial_another(
    start: Start, http: aiohttp.ClientSession, listener: Listener, name: str
) -> None:
    headers = as_proxy() | {name: LIES[name]}
    prober = await start()
    said = await check(http, prober, listener.port, headers=headers)
    assert (said.status, said.json["address"]) == (200, CALLER)
    said = await ask(http, prober, f"/port/{listener.port}?ip={FOREIGN}", headers=headers)
    assert said.json["ip"] == CALLER
    assert listener.met == [CALLER] * 2


async def test_what_a_caller_forwards_for_itself_is_not_believed(
    start: Start, http: aiohttp.ClientSession, listener: Listener
) -> None:
    """A proxy adds whom it has seen at the end."""
    headers = as_proxy(f"{FOREIGN}, {CALLER}")
    said = await check(http, await start(), listener.port, headers=headers)
    assert said.json["address"] == CALLER
    assert listener.met == [CALLER]


@pytest.mark.parametrize(
    "address", [FOREIGN, "127.0.0.1", "::ffff:127.0.0.99", "::1", "2a00:77::1", "10.0.0.1"]
)
async def test_another_address_is_not_dialled_and_the_seen_one_is_said(
    start: Start, http: aiohttp.ClientSession, listener: Listener, address: str
) -> None:
    said = await check(http, await start(), listener.port, address=address)
    assert said.status == 200
    assert (said.json["address"], said.json["outcome"]) == (CALLER, None)
    assert listener.met == []


@pytest.mark.parametrize(
    "question",
    [
        {"port": 0},
        {"port": "80"},
        {"port": 80.0},
        {"port": True},
        {"host": FOREIGN},
        {"ip": FOREIGN},
        {"address": [FOREIGN]},
        {"address": 2130706531},
        {"name": FOREIGN},
        {"name": "localhost."},
        {"address": "fe80::1%lo"},
    ],
    ids=str,
)
async def test_a_question_that_is_none_dials_nobody(
    start: Start, http: aiohttp.ClientSession, listener: Listener, question: dict[str, object]
) -> None:
    body = {"transport": "tcp", "port": listener.port} | question
    said = await ask(http, await start(), "/v1/check", json=body)
    assert (said.status, said.json) == (400, {"error": "bad_request"})
    assert listener.met == []


async def test_a_name_is_the_tokens_own(
    start: Start, http: aiohttp.ClientSession, listener: Listener
) -> None:
    asked: list[tuple[str, int]] = []

    async def resolve(hostname: str, version: int) -> list[object]:
        asked.append((hostname, version))
        return [ip_address("127.0.0.7")]

    tokens = (Token(digest_of(SECRET), {"home": "home.example.net"}), Token(digest_of("other")))
    prober = await start(tokens=tokens, resolve=resolve)
    said = await check(http, prober, listener.port, name="home")
    assert (said.json["address"], said.json["outcome"]) == ("127.0.0.7", "accepted")
    said = await check(http, prober, listener.port, name="home", address=FOREIGN)
    assert (said.json["address"], said.json["outcome"]) == (CALLER, None)
    assert asked == [("home.example.net", 4)] * 2
    headers = as_proxy(Authorization="Bearer other")
    for name in "home", "else":
        said = await check(http, prober, listener.port, headers=headers, name=name)
        assert (said.status, said.json) == (403, {"error": "unknown_name"})
    assert listener.met == ["127.0.0.7"]


async def test_a_name_that_changes_its_mind_is_dialled_as_it_was_checked(
    start: Start, http: aiohttp.ClientSession, listener: Listener
) -> None:
    """DNS rebinding: the second answer would be another host."""
    answers = iter(["127.0.0.7", FOREIGN, FOREIGN])

    async def resolve(hostname: str, version: int) -> list[object]:
        return [ip_address(next(answers))]

    allowed = {ip_address(CALLER), ip_address("127.0.0.7")}
    prober = await start(resolve=resolve, is_allowed=allowed.__contains__)
    assert (await check(http, prober, listener.port, name="home")).status == 200
    said = await check(http, prober, listener.port, name="home")
    assert (said.status, said.json) == (403, {"error": "address_refused"})
    assert listener.met == ["127.0.0.7"]


@pytest.mark.parametrize(
    "caller",
    [
        *("127.0.0.1", "10.0.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254"),
        *("fe80::1", "fd00::1", "::1", "::ffff:127.0.0.1"),
        *("2002:7f00:1::1", "64:ff9b::7f00:1", "2001:0:7f00:1::1"),
    ],
)
async def test_who_is_not_on_the_internet_is_refused(
    start: Start, http: aiohttp.ClientSession, listener: Listener, caller: str
) -> None:
    """As everybody is behind a proxy that says the wrong thing."""
    prober = await start(is_allowed=service.is_allowed)
    for path in "/", "/json", f"/port/{listener.port}":
        said = await ask(http, prober, path, headers=as_proxy(caller))
        assert said.status == 403
        assert said.json["error"] in ("caller_refused", "proxy")
    said = await check(http, prober, listener.port, headers=as_proxy(caller))
    assert said.status == 403
    assert listener.met == []


async def test_its_own_public_address_is_refused(
    start: Start, http: aiohttp.ClientSession, listener: Listener
) -> None:
    async def resolve(hostname: str, version: int) -> list[object]:
        return [ip_address(FOREIGN)]

    prober = await start(own_addresses=frozenset({ip_address(FOREIGN)}), resolve=resolve)
    said = await check(http, prober, listener.port, headers=as_proxy(FOREIGN))
    assert (said.status, said.json) == (403, {"error": "caller_refused"})
    said = await check(http, prober, listener.port, name="home")
    assert (said.status, said.json) == (403, {"error": "address_refused"})
    assert listener.met == []


WRONG = {
    "none": {},
    "wrong": {"Authorization": "Bearer wrong"},
    "empty": {"Authorization": "Bearer "},
    "Basic": {"Authorization": f"Basic {SECRET}"},
    "no scheme": {"Authorization": SECRET},
    "a digest": {"Authorization": f"Bearer {digest_of(SECRET)}"},
    "more": {"Authorization": f"Bearer {SECRET} "[:-1] + "x"},
    "in a cookie": {"Cookie": f"token={SECRET}"},
    "bytes": {"Authorization": "Bearer \udcff\udcfe"},
}


@pytest.mark.parametrize("kind", WRONG)
async def test_without_the_token_nothing_is_said(
    start: Start, http: aiohttp.ClientSession, listener: Listener, kind: str
) -> None:
    headers = {name: each for name, each in as_proxy().items() if name != "Authorization"}
    prober = await start()
    for path in "/", "/json", f"/port/{listener.port}", f"/json?token={SECRET}":
        said = await ask(http, prober, path, headers=headers | WRONG[kind])
        assert (said.status, said.json) == (401, {"error": "token"})
        assert said.headers["WWW-Authenticate"] == "Bearer"
    said = await check(http, prober, listener.port, headers=headers | WRONG[kind])
    assert said.status == 401
    assert listener.met == []


@pytest.mark.parametrize("proto", [None, "http", "HTTPS", "https, http", ""])
async def test_a_token_over_plain_http_is_refused(
    start: Start, http: aiohttp.ClientSession, listener: Listener, proto: str | None
) -> None:
    headers = {name: each for name, each in as_proxy().items() if name != "X-Forwarded-Proto"}
    headers |= {} if proto is None else {"X-Forwarded-Proto": proto}
    said = await check(http, await start(), listener.port, headers=headers)
    assert (said.status, said.json) == (403, {"error": "https_only"})
    said = await check(http, await start(proxies=()), listener.port, headers=as_proxy())
    assert (said.status, said.json) == (403, {"error": "https_only"})
    assert listener.met == []
