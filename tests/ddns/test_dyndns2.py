"""dyndns2 against a real HTTP server on loopback that answers what a table says."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.homeport.ddns import (
    PROVIDERS,
    Answer,
    AuthRefused,
    Blocked,
    ConfigRefused,
    DdnsError,
    Target,
    Unavailable,
    dyndns2,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

SPEC = PROVIDERS["dyndns2"]
HOST = "home.example.org"
USER = "user@example.org"
PASSWORD = "s3cret/p&ss wörd"
IPV4 = Target(ipv4=IPv4Address("192.0.2.10"))
IPV6 = Target(ipv6=IPv6Address("2001:db8::10"))
BOTH = Target(ipv4=IPv4Address("192.0.2.10"), ipv6=IPv6Address("2001:db8::10"))


class Service:
    """Answers every request in the same way, and remembers them."""

    def __init__(self) -> None:
        self.status = 200
        self.body: str | bytes = "good 192.0.2.10"
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        self.cut = False
        self.requests: list[web.Request] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        await asyncio.sleep(self.delay)
        if self.cut and request.transport is not None:
            request.transport.abort()
        body = self.body.encode() if isinstance(self.body, str) else self.body
        return web.Response(status=self.status, body=body, headers=self.headers)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        service.url = str(server.make_url("/"))
        yield service


async def send(
    service: Service, target: Target = IPV4, password: str = PASSWORD, path: str = ""
) -> Answer:
    values = {"server": service.url + path, "username": USER, "password": password}
    assert SPEC.validate(HOST, values) == {}
    async with aiohttp.ClientSession(headers={"User-Agent": "Homeport/test"}) as session:
        provider = await SPEC.create(session, values)
        return await provider.update(HOST, target)


async def refused(service: Service, target: Target = IPV4, **values: str) -> DdnsError:
    """Send, expect an error, and check that it gives nothing away."""
    with pytest.raises(DdnsError) as caught:
        await send(service, target, **values)
    for text in (str(caught.value), repr(caught.value), caught.value.reply):
        assert PASSWORD not in text
        assert USER not in text
        assert "127.0.0.1:" not in text
        assert "myip=" not in text
    assert len(caught.value.reply) <= 200
    assert caught.value.__cause__ is None
    assert len(service.requests) == 1
    return caught.value


@pytest.mark.parametrize(
    ("target", "myip"),
    [(IPV4, "192.0.2.10"), (IPV6, "2001:db8::10"), (BOTH, "192.0.2.10,2001:db8::10")],
)
async def test_what_is_asked(service: Service, target: Target, myip: str) -> None:
    await send(service, target)
    (request,) = service.requests
    assert request.method == "GET"
    assert request.path == "/nic/update"
    assert dict(request.query) == {"hostname": HOST, "myip": myip}
    assert request.headers["User-Agent"] == "Homeport/test"
    scheme, _, basic = request.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert b64decode(basic).decode() == f"{USER}:{PASSWORD}"


async def test_an_own_path_and_query_are_kept(service: Service) -> None:
    await send(service, path="v3/update?system=a%26b#x")
    (request,) = service.requests
    assert request.path == "/v3/update"
    assert dict(request.query) == {"system": "a&b", "hostname": HOST, "myip": "192.0.2.10"}


@pytest.mark.parametrize(
    ("body", "changed", "reply"),
    [
        ("good 192.0.2.10", True, "good 192.0.2.10"),
        ("good", True, "good"),
        ("GOOD 192.0.2.10\r\n", True, "GOOD 192.0.2.10"),
        ("nochg 192.0.2.10", False, "nochg 192.0.2.10"),
        (
            "good 192.0.2.10\nnochg 2001:db8::10\n",
            True,
            "good 192.0.2.10 nochg 2001:db8::10",
        ),
        ("nochg\n\nnochg\n", False, "nochg nochg"),
    ],
)
async def test_success(service: Service, body: str, changed: bool, reply: str) -> None:
    service.body = body
    assert await send(service, BOTH) == Answer(changed, reply)


HALF_AN_HOUR = 1800


@pytest.mark.parametrize(
    ("body", "kind", "retry_after"),
    [
        ("badauth", AuthRefused, None),
        ("BADAUTH", AuthRefused, None),
        ("!donator", ConfigRefused, None),
        ("!active", ConfigRefused, None),
        ("!yours", ConfigRefused, None),
        ("badsys", ConfigRefused, None),
        ("nohost", ConfigRefused, None),
        ("notfqdn", ConfigRefused, None),
        ("numhost", ConfigRefused, None),
        ("abuse", Blocked, None),
        ("badagent", Blocked, None),
        ("911", Unavailable, HALF_AN_HOUR),
        ("dnserr", Unavailable, HALF_AN_HOUR),
        ("servererror", Unavailable, HALF_AN_HOUR),
        # The service ignored the address.
        ("good 127.0.0.1", ConfigRefused, None),
        ("good 192.0.2.10,127.0.0.1", ConfigRefused, None),
        # The worst line decides, wherever it stands.
        ("good 192.0.2.10\nnohost", ConfigRefused, None),
        ("dnserr\ngood 192.0.2.10", Unavailable, HALF_AN_HOUR),
        ("911\nnohost", ConfigRefused, None),
        ("nohost\nbadauth\nabuse", Blocked, None),
        ("nohost\nbadauth\n911", AuthRefused, None),
        # Only the first word of a line is a code.
        ("nochg good badauth", None, None),
        ("sorry, badauth", Unavailable, None),
        # Nothing that anybody has defined.
        ("", Unavailable, None),
        (" \r\n ", Unavailable, None),
        ("<!DOCTYPE html>\n<title>good</title>", Unavailable, None),
        ("good 192.0.2.10\n<html>", Unavailable, None),
        ("goodness", Unavailable, None),
        (b"\xff\xfe\x00", Unavailable, None),
    ],
)
async def test_return_codes(
    service: Service, body: str | bytes, kind: type[DdnsError] | None, retry_after: float | None
) -> None:
    service.body = body
    if kind is None:
        await send(service)
        return
    error = await refused(service)
    assert type(error) is kind
    assert getattr(error, "retry_after", None) == retry_after


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "retry_after"),
    [
        (401, "badauth", {}, AuthRefused, None),
        (401, "good 192.0.2.10", {}, AuthRefused, None),
        (403, "badauth", {}, AuthRefused, None),
        (403, "abuse", {}, Blocked, None),
        (403, "<html>" * 100, {}, ConfigRefused, None),
        (404, "good 192.0.2.10", {}, ConfigRefused, None),
        (400, "notfqdn", {}, ConfigRefused, None),
        (202, "good 192.0.2.10", {}, Unavailable, None),
        (408, "", {}, Unavailable, None),
        (429, "", {"Retry-After": "120"}, Unavailable, 120),
        (429, "", {}, Unavailable, HALF_AN_HOUR),
        (429, "", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, Unavailable, HALF_AN_HOUR),
        (429, "", {"Retry-After": "9" * 400}, Unavailable, HALF_AN_HOUR),
        (429, "", {"Retry-After": "-5"}, Unavailable, HALF_AN_HOUR),
        (500, "good 192.0.2.10", {}, Unavailable, HALF_AN_HOUR),
        (502, "<html>", {}, Unavailable, None),
        (503, "911", {}, Unavailable, HALF_AN_HOUR),
        (503, "", {"Retry-After": "7"}, Unavailable, 7),
        (301, "good", {"Location": "/elsewhere"}, ConfigRefused, None),
        (308, "", {"Location": "http://192.0.2.1/"}, ConfigRefused, None),
        (302, "good", {"Location": "/elsewhere"}, Unavailable, None),
        (307, "", {"Location": "/elsewhere"}, Unavailable, None),
    ],
)
async def test_the_status_comes_before_the_body(
    *,
    service: Service,
    status: int,
    body: str,
    headers: dict[str, str],
    kind: type[DdnsError],
    retry_after: float | None,
) -> None:
    service.status, service.body, service.headers = status, body, headers
    error = await refused(service)
    assert type(error) is kind
    assert error.reply.startswith(f"HTTP {status}")
    assert getattr(error, "retry_after", None) == retry_after


@pytest.mark.parametrize(
    "echo",
    [
        PASSWORD,
        "s3cret%2Fp%26ss%20w%C3%B6rd",
        "s3cret/p%26ss%20w%C3%B6rd",
        "s3cret%2Fp%26ss+w%C3%B6rd",
        "s3cret/p&amp;ss wörd",
        "dXNlckBleGFtcGxlLm9yZzpzM2NyZXQvcCZzcyB3w7ZyZA==",
    ],
)
async def test_an_echoed_password_is_removed(service: Service, echo: str) -> None:
    service.body = f"badauth {echo} for {USER}"
    error = await refused(service)
    assert error.reply == "badauth *** for ***"
    service.requests.clear()
    service.body = f"nochg {echo}"
    assert await send(service) == Answer(changed=False, reply="nochg ***")


async def test_a_huge_body_is_not_read(service: Service) -> None:
    service.body = b"good 192.0.2.10\n" * 1024 + b"\n"
    error = await refused(service)
    assert isinstance(error, Unavailable)
    assert "16 KiB" in error.reply
    service.body = b"good 192.0.2.10\n" * 1024
    assert (await send(service)).changed


async def test_a_slow_service(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dyndns2, "_TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    service.delay = 0.5
    error = await refused(service)
    assert isinstance(error, Unavailable)
    assert "Timeout" in error.reply


async def test_a_broken_connection_is_not_asked_again(
    service: Service, unused_tcp_port: int
) -> None:
    service.cut = True
    assert (await refused(service)).reply == "ServerDisconnectedError"
    service.requests.clear()
    service.url = f"http://127.0.0.1:{unused_tcp_port}/"
    with pytest.raises(Unavailable) as caught:
        await send(service)
    assert str(caught.value) == "ClientConnectorError"


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({}, {}),
        ({"server": "dyn.example.org"}, {}),
        ({"server": "http://localhost:8080/update"}, {}),
        ({"server": "http://127.0.0.1"}, {}),
        ({"server": "http://[::1]:8080"}, {}),
        ({"server": ""}, {"server": "required"}),
        ({"server": "http://dyn.example.org"}, {"server": "https_required"}),
        ({"server": "http://127.0.0.1.example.org"}, {"server": "https_required"}),
        ({"server": "http://192.168.1.1"}, {"server": "https_required"}),
        ({"server": "ftp://dyn.example.org"}, {"server": "invalid_url"}),
        ({"server": "https://"}, {"server": "invalid_url"}),
        ({"server": "https://[]@"}, {"server": "invalid_url"}),
        ({"server": "https://a:b:c"}, {"server": "invalid_url"}),
        ({"server": "https://dyn.example.org:99999"}, {"server": "invalid_url"}),
        ({"server": "https://me:pw@dyn.example.org"}, {"server": "credentials_in_url"}),
        ({"server": "https://me@dyn.example.org"}, {"server": "credentials_in_url"}),
        ({"username": " "}, {"username": "required"}),
        ({"username": "a:b"}, {"username": "invalid_username"}),
        ({"password": ""}, {"password": "required"}),
    ],
)
def test_what_the_form_accepts(values: dict[str, str], errors: dict[str, str]) -> None:
    fields = {"server": "https://dyn.example.org", "username": "u", "password": "p", **values}
    assert SPEC.validate(HOST, fields) == errors
    assert SPEC.validate("home", fields) == {**errors, "hostname": "invalid_hostname"}


async def test_a_url_that_was_never_checked_is_an_error_of_the_room() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ConfigRefused):
            await SPEC.create(session, {"server": "http://dyn.example.org"})


def test_what_is_secret_and_what_is_asked_again() -> None:
    assert SPEC.secrets == {"password"}
    assert [field.key for field in SPEC.reauth_fields] == ["username", "password"]
