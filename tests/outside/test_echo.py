"""An address is taken from an echo only when it can be one of the internet's."""

import asyncio
import gzip
from ipaddress import IPv4Address, IPv6Address
import json

import aiohttp
import pytest

from custom_components.homeport.outside import (
    OutsideError,
    OutsideInvalid,
    OutsideUnreachable,
    echo,
    public_address,
)
from tests.fakes.outside import Outside
from tests.fakes.reply import Reply

G = IPv4Address("11.22.33.44")


async def ask(http: aiohttp.ClientSession, outside: Outside, path: str = "/ip") -> IPv4Address:
    return (await public_address(http, [f"{outside.url}{path}"], 4)).address


@pytest.mark.parametrize("path", ["/", "/ip", "/json", "/cdn-cgi/trace"])
async def test_the_address_is_read_in_every_form(
    outside: Outside, http: aiohttp.ClientSession, path: str
) -> None:
    outside.ip = str(G)
    assert await ask(http, outside, path) == G
    assert [seen.path for seen in outside.requests] == [path]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("11.22.33.44", id="bare"),
        pytest.param("\r\n 11.22.33.44\r\n\r\n", id="white space around"),
        pytest.param('{"ip":"11.22.33.44"}', id="JSON"),
        pytest.param('\n{"ip": "11.22.33.44", "country": {"a": [1]}}\n', id="JSON with more"),
        pytest.param("fl=1f2\nh=h\nip=11.22.33.44\nuag=a=b <c>\nkex=\n", id="key=value"),
        pytest.param("ip=11.22.33.44", id="key=value alone"),
        pytest.param(gzip.compress(b"11.22.33.44"), id="compressed"),
    ],
)
async def test_good_answers(
    outside: Outside, http: aiohttp.ClientSession, body: str | bytes
) -> None:
    headers = {"Content-Encoding": "gzip"} if isinstance(body, bytes) else {}
    outside.echo = Reply(body=body, headers=headers)
    assert await ask(http, outside) == G


BAD_TEXTS = {
    "empty": "",
    "white space": " \r\n",
    "HTML": "<html><body>11.22.33.44</body></html>",
    "two addresses": "11.22.33.44\n11.22.33.45",
    "text around it": "Your address is 11.22.33.44",
    "IPv6": "2001:db8::1",
    "mapped": "::ffff:11.22.33.44",
    "leading zero": "11.22.33.044",
    "three parts": "11.22.33",
    "a number": "185999660",
    "a prefix": "11.22.33.44/32",
    "a port": "11.22.33.44:80",
    "digits of another script": "\uff11\uff11.22.33.44",
    "private": "192.168.1.1",
    "shared": "100.64.0.1",
    "DS-Lite": "192.0.0.2",
    "loopback": "127.0.0.1",
    "link-local": "169.254.1.1",
    "multicast": "224.0.0.251",
    "documentation": "203.0.113.1",
    "no address": "0.0.0.0",
    "broadcast": "255.255.255.255",
    "JSON string": '"11.22.33.44"',
    "JSON list": '["11.22.33.44"]',
    "JSON without ip": '{"address": "11.22.33.44"}',
    "JSON ip null": '{"ip": null}',
    "JSON ip number": '{"ip": 185999660}',
    "JSON ip bool": '{"ip": true}',
    "JSON ip list": '{"ip": ["11.22.33.44"]}',
    "JSON ip nested": '{"ip": {"ip": "11.22.33.44"}}',
    "JSON ip empty": '{"ip": ""}',
    "JSON ip private": '{"ip": "10.0.0.1"}',
    "JSON broken": '{"ip": "11.22.33.44"',
    "JSON with something after it": '{"ip": "11.22.33.44"} {}',
    "lines without ip": "h=h\nts=11.22.33.44",
    "lines with two": "ip=11.22.33.44\nip=11.22.33.44",
    "lines with an empty ip": "ip=\nh=h",
    "lines with a private ip": "ip=10.0.0.1\nh=h",
    "lines with space around": "ip = 11.22.33.44",
    "lines, and one without a key": "ip=11.22.33.44\n=\n",
    "lines, and one without a value": "ip=11.22.33.44\nh\n",
    "lines, and an empty one": "h=h\n\nip=11.22.33.44",
    "HTML with lines": '<html lang="en">\nip=11.22.33.44\n</html>',
    "JSON very deep": '{"ip":' * 600,
    "JSON lists very deep": json.dumps("{") + "[" * 4000,
}


@pytest.mark.parametrize("text", [pytest.param(t, id=name) for name, t in BAD_TEXTS.items()])
async def test_what_is_no_address_of_the_internet_is_refused(
    outside: Outside, http: aiohttp.ClientSession, text: str
) -> None:
    outside.echo = Reply(body=text)
    with pytest.raises(OutsideInvalid) as caught:
        await ask(http, outside)
    assert caught.value.translation_key == "outside_invalid"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply.huge(), id="10 MB"),
        pytest.param(Reply(body="11.22.33.44" + " " * 4096), id="a good one, and more than fits"),
        pytest.param(
            Reply(body=gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"}),
            id="50 MB, compressed",
        ),
        pytest.param(Reply(body=b"\x00\xff\xfe\x80" * 100), id="junk bytes"),
        pytest.param(Reply(body=b"11.22.33.44\xff"), id="an address and a junk byte"),
        pytest.param(Reply(status=429, body="11.22.33.44"), id="429"),
        pytest.param(Reply(status=404, body="11.22.33.44"), id="404"),
        pytest.param(Reply(status=204), id="no content"),
        pytest.param(Reply.html_error(500), id="500"),
    ],
)
async def test_answers_that_are_none(
    outside: Outside, http: aiohttp.ClientSession, reply: Reply
) -> None:
    outside.echo = reply
    with pytest.raises(OutsideInvalid):
        await ask(http, outside)
    assert len(outside.requests) == 1


async def test_an_answer_may_come_in_pieces(http: aiohttp.ClientSession) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n1", b"1.22.", b"33.44"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05)
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        seen = await public_address(http, [f"http://127.0.0.1:{port}/"], 4)
    assert seen.address == G


async def test_a_redirect_is_not_followed(outside: Outside, http: aiohttp.ClientSession) -> None:
    """As a captive portal would have it."""
    async with Outside(host="127.0.0.2") as portal:
        portal.ip = "11.22.33.99"
        outside.echo = Reply.redirect(f"{portal.url}/ip")
        with pytest.raises(OutsideInvalid):
            await ask(http, outside)
        assert portal.requests == []


async def test_a_connection_that_breaks_is_unreachable(
    outside: Outside, http: aiohttp.ClientSession
) -> None:
    outside.down = True
    with pytest.raises(OutsideUnreachable) as caught:
        await ask(http, outside)
    assert caught.value.translation_key == "outside_unreachable"


async def test_nobody_there_is_unreachable(
    http: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    with pytest.raises(OutsideUnreachable):
        await public_address(http, [f"http://127.0.0.1:{unused_tcp_port}/ip"], 4)


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(body="11.22.33.44", delay=30)])
async def test_an_answer_has_to_come_in_time(
    outside: Outside, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setattr(echo, "TIMEOUT", 0.1)
    outside.echo = reply
    with pytest.raises(OutsideUnreachable):
        await ask(http, outside)


SIX_BAD = {
    "IPv4": "11.22.33.44",
    "mapped": "::ffff:11.22.33.44",
    "a zone": "2a00:77::1%eth0",
    "link-local": "fe80::1",
    "unique local": "fd00::1",
    "documentation": "2001:db8::1",
    "loopback": "::1",
    "multicast": "ff0e::1",
    "none": "::",
    "brackets": "[2a00:77::1]",
    "a prefix": "2a00:77::1/64",
    "lines with IPv4": "ip=11.22.33.44",
    "JSON with IPv4": '{"ip": "11.22.33.44"}',
}


@pytest.mark.parametrize("text", [pytest.param(t, id=name) for name, t in SIX_BAD.items()])
def test_over_ipv6_only_ipv6_counts(text: str) -> None:
    with pytest.raises(OutsideInvalid):
        echo.read_address(text, 6)


@pytest.mark.parametrize(
    "text", ["2a00:77::1\n", '{"ip": "2a00:0077:0:0:0:0:0:1"}', "h=h\nip=2A00:77::1\n"]
)
def test_an_ipv6_address_is_read_however_it_is_written(text: str) -> None:
    assert echo.read_address(text, 6) == IPv6Address("2a00:77::1")


@pytest.mark.parametrize("url", ["", "no url", "http://", "http://127.0.0.1:99999/", "ftp://h/"])
async def test_a_url_that_is_none_is_an_error_of_the_outside(
    http: aiohttp.ClientSession, url: str
) -> None:
    with pytest.raises(OutsideError):
        await public_address(http, [url], 4)
