"""A check can leave from a certain address, and over one family."""

from ipaddress import ip_address
from pathlib import Path
import ssl

import aiohttp
import pytest
from yarl import URL

from custom_components.homeport.outside.bound_session import bound_session
from custom_components.homeport.outside.errors import OutsideUnreachable
from custom_components.homeport.outside.exchange import exchange
from custom_components.homeport.outside.family import Family
from tests.fakes.outside import Outside
from tests.lab.tls import Authority

from .probing import allow_loopback


@pytest.fixture(autouse=True)
def _loopback(_nothing_left: None, monkeypatch: pytest.MonkeyPatch) -> None:
    allow_loopback(monkeypatch)


async def seen(outside: Outside, family: Family, source: str | None = None, host: str = "") -> str:
    url = URL(f"{outside.url}/json")
    async with bound_session(family, ip_address(source) if source else None) as session:
        said = await exchange(session, url.with_host(host) if host else url, 2)
    assert isinstance(said, dict)
    return str(said["ip"])


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.7"])
async def test_it_leaves_from_the_address_that_is_given(outside: Outside, source: str) -> None:
    assert await seen(outside, 4, source) == source


async def test_it_connects_over_one_family_only() -> None:
    async with Outside(host="::") as outside:
        assert await seen(outside, 4, host="localhost") == "127.0.0.1"
        assert await seen(outside, 6, "::1", host="::1") == "::1"


@pytest.mark.parametrize("source", ["11.22.33.44", "::1"])
async def test_an_address_that_cannot_be_left_from_is_no_connection(
    outside: Outside, source: str
) -> None:
    with pytest.raises(OutsideUnreachable):
        await seen(outside, 4, source)
    assert outside.requests == []


async def test_it_says_who_asks(outside: Outside) -> None:
    async with bound_session(4, None, user_agent="Somebody/1") as session:
        await exchange(session, URL(f"{outside.url}/json"), 2)
    assert [request.user_agent for request in outside.requests] == ["Somebody/1"]


async def test_it_trusts_whom_it_is_told_to(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(issued.certificate, issued.key)
    trust = ssl.create_default_context(cafile=str(authority.bundle))
    async with Outside(ssl=server) as outside:
        url = URL(f"{outside.url}/json")
        async with bound_session(4, None, ssl=trust) as session:
            assert await exchange(session, url, 2) == {"ip": "127.0.0.1"}
        async with bound_session(4, None) as session:
            with pytest.raises(OutsideUnreachable):
                await exchange(session, url, 2)


async def test_nothing_is_left_open(outside: Outside) -> None:
    async with bound_session(4, None) as session:
        await exchange(session, URL(f"{outside.url}/json"), 2)
    assert session.closed
    assert isinstance(session.cookie_jar, aiohttp.DummyCookieJar)
