"""The dynamic DNS service: what nsupdate.info and Dyn answer, asked over HTTP."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.fakes.dyndns2 import Dyndns2
from tests.fakes.reply import Reply

NAME = "home.homeport.example"
GOOD = aiohttp.encode_basic_auth("ada", "secret")


@pytest.fixture
async def service() -> AsyncIterator[Dyndns2]:
    async with Dyndns2(
        users={"ada": "secret", "bob": "other"},
        hostnames={NAME: "ada", "second.homeport.example": "ada", "bob.homeport.example": "bob"},
    ) as started:
        yield started


class Client:
    def __init__(self, http: aiohttp.ClientSession, service: Dyndns2) -> None:
        self._http = http
        self._service = service

    async def update(
        self,
        myip: str | None,
        hostname: str = NAME,
        auth: str | None = GOOD,
        agent: str = "Homeport test",
    ) -> tuple[int, str]:
        query = {"hostname": hostname} | ({} if myip is None else {"myip": myip})
        headers = {"User-Agent": agent}
        if auth is not None:
            headers["Authorization"] = auth
        url = self._service.update_url
        async with self._http.get(url, params=query, headers=headers) as answer:
            return answer.status, await answer.text()


@pytest.fixture
def client(http: aiohttp.ClientSession, service: Dyndns2) -> Client:
    return Client(http, service)


async def test_the_answers_of_nsupdate_info(client: Client, service: Dyndns2) -> None:
    both = "192.0.2.10,2001:db8::10"
    assert await client.update(both) == (200, f"good {both}")
    assert await client.update(both) == (200, f"nochg {both}")
    assert await client.update("192.0.2.11,2001:db8::10") == (
        200,
        "good 192.0.2.11\nnochg 2001:db8::10",
    )
    assert await client.update("2001:db8::12") == (200, "good 2001:db8::12")
    assert service.records == {NAME: {"A": "192.0.2.11", "AAAA": "2001:db8::12"}}
    assert await client.update(None) == (200, "good 127.0.0.1")


async def test_dyn_deletes_the_family_that_is_not_named(http: aiohttp.ClientSession) -> None:
    async with Dyndns2(
        users={"ada": "secret"}, hostnames={NAME: "ada"}, deletes_omitted=True
    ) as service:
        client = Client(http, service)
        await client.update("192.0.2.10,2001:db8::10")
        await client.update("192.0.2.11")
        assert service.records == {NAME: {"A": "192.0.2.11"}}


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ((NAME, aiohttp.encode_basic_auth("ada", "wrong"), "x"), (401, "badauth")),
        ((NAME, aiohttp.encode_basic_auth("eve", ""), "x"), (401, "badauth")),
        ((NAME, None, "x"), (401, "badauth")),
        (("other.homeport.example", GOOD, "x"), (200, "nohost")),
        (("bob.homeport.example", GOOD, "x"), (200, "!yours")),
        (("home", GOOD, "x"), (200, "notfqdn")),
        ((NAME, GOOD, ""), (200, "badagent")),
    ],
)
async def test_refusals_change_nothing(
    client: Client,
    service: Dyndns2,
    request_: tuple[str, str | None, str],
    answer: tuple[int, str],
) -> None:
    assert await client.update("192.0.2.10", *request_) == answer
    assert not service.records
    assert (service.requests[0].status, service.requests[0].body) == answer


async def test_an_address_that_is_none_is_refused(client: Client, service: Dyndns2) -> None:
    assert await client.update("192.0.2.300") == (200, "dnserr")
    assert not service.records


async def test_several_names_get_a_line_each(client: Client, service: Dyndns2) -> None:
    names = f"{NAME},nobody.homeport.example,second.homeport.example"
    assert await client.update("192.0.2.10", names) == (
        200,
        "good 192.0.2.10\nnohost\ngood 192.0.2.10",
    )
    assert set(service.records) == {NAME, "second.homeport.example"}


async def test_scripted_answers_come_first(client: Client, service: Dyndns2) -> None:
    service.script = ["911", Reply.html_error(500)]
    service.always = "abuse"
    assert await client.update("192.0.2.10") == (200, "911")
    assert (await client.update("192.0.2.10"))[0] == 500
    for _ in range(2):
        assert await client.update("192.0.2.10") == (200, "abuse")
    service.always = "badauth"
    assert await client.update("192.0.2.10") == (401, "badauth")
    assert not service.records
    service.always = None
    assert await client.update("192.0.2.10") == (200, "good 192.0.2.10")


async def test_requests_are_noted_without_the_password(client: Client, service: Dyndns2) -> None:
    await client.update("192.0.2.10")
    [noted] = service.requests
    assert (noted.hostname, noted.myip, noted.user) == (NAME, "192.0.2.10", "ada")
    assert (noted.user_agent, noted.status, noted.body) == (
        "Homeport test",
        200,
        "good 192.0.2.10",
    )
    assert "secret" not in repr(noted)


async def test_changes_are_reported_once(http: aiohttp.ClientSession) -> None:
    seen: list[tuple[str, str | None, str | None]] = []

    async def note(hostname: str, a: str | None, aaaa: str | None) -> None:
        seen.append((hostname, a, aaaa))

    async with Dyndns2(users={"ada": "secret"}, hostnames={NAME: "ada"}, on_change=note) as service:
        client = Client(http, service)
        for myip in ("192.0.2.10", "192.0.2.10", "2001:db8::10"):
            await client.update(myip)
    assert seen == [(NAME, "192.0.2.10", None), (NAME, "192.0.2.10", "2001:db8::10")]
