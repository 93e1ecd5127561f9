"""A gateway is found by its address alone, and only at that address."""

import _socket
import asyncio
from collections.abc import AsyncIterator, Callable
import socket

import pytest

from custom_components.homeport.gateway import GatewayNotFound, discover, find_location
from custom_components.homeport.gateway.resolve import resolve
from tests.fakes.igd import Connection, FakeIgd


class Answerer(asyncio.DatagramProtocol):
    """Answers searches with what it is given."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.silent = 0
        self.searches: list[bytes] = []
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.searches.append(data)
        assert self.transport is not None
        if len(self.searches) > self.silent:
            for answer in self.answers:
                self.transport.sendto(answer, addr)


@pytest.fixture
async def answerer(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Answerer]:
    """Listen on 127.0.0.1 for searches; the waits are short."""
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        Answerer, local_addr=("127.0.0.1", 0)
    )
    monkeypatch.setattr(discover, "_SSDP_PORT", transport.get_extra_info("sockname")[1])
    monkeypatch.setattr(discover, "_WAIT", 0.05)
    yield protocol
    transport.close()


def found(location: str) -> bytes:
    return (
        "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT:\r\n"
        "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
        f"USN: uuid:1::urn:x\r\nLOCATION: {location}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("connection", [Connection.WANIP1, Connection.WANPPP1])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_gateway_is_found_by_address_and_by_name(
    monkeypatch: pytest.MonkeyPatch, host: str, connection: Connection
) -> None:
    async with FakeIgd(ssdp_port=0, connection=connection) as fake:
        monkeypatch.setattr(discover, "_SSDP_PORT", fake.ssdp_port)
        assert await find_location(host) == fake.location


async def test_a_gateway_of_version_2_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeIgd(ssdp_port=0, connection=Connection.WANIP2) as fake:
        monkeypatch.setattr(discover, "_SSDP_PORT", fake.ssdp_port)
        assert await find_location("127.0.0.1") == fake.location


async def test_a_lost_search_is_repeated(answerer: Answerer) -> None:
    answerer.answers = [found("http://127.0.0.1/desc.xml")]
    answerer.silent = 2
    assert await find_location("127.0.0.1") == "http://127.0.0.1/desc.xml"
    assert len(answerer.searches) == 3
    assert b"ST:urn:schemas-upnp-org:device:InternetGatewayDevice:1" in answerer.searches[0]


async def test_silence_is_nothing_found(answerer: Answerer) -> None:
    with pytest.raises(GatewayNotFound) as caught:
        await find_location("127.0.0.1")
    assert caught.value.translation_key == "gateway_not_found"
    assert len(answerer.searches) == 3


async def test_a_closed_port_is_nothing_found(
    monkeypatch: pytest.MonkeyPatch, unused_udp_port_factory: Callable[[], int]
) -> None:
    monkeypatch.setattr(discover, "_SSDP_PORT", unused_udp_port_factory())
    monkeypatch.setattr(discover, "_WAIT", 0.05)
    with pytest.raises(GatewayNotFound):
        await find_location("127.0.0.1")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(found("http://127.0.0.2/desc.xml"), id="another host"),
        pytest.param(found("http://[::1]/desc.xml"), id="IPv6 loopback"),
        pytest.param(found("http://localhost/desc.xml"), id="a name"),
        pytest.param(found("http://127.0.0.1:99999/desc.xml"), id="no port"),
        pytest.param(found("http://[127.0.0.1/desc.xml"), id="no URL"),
        pytest.param(found("http://[]@/desc.xml"), id="no host"),
        pytest.param(found(""), id="empty"),
        pytest.param(b"HTTP/1.1 200 OK\r\nST: x\r\n\r\n", id="no location"),
        pytest.param(b"", id="an empty packet"),
        pytest.param(b"\xff\x00\xfe" * 300, id="junk"),
        pytest.param(
            b"NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nLOCATION: http://127.0.0.1/\r\n\r\n",
            id="an announcement",
        ),
    ],
)
async def test_an_answer_that_leads_elsewhere_is_ignored(answerer: Answerer, answer: bytes) -> None:
    answerer.answers = [answer]
    with pytest.raises(GatewayNotFound):
        await find_location("127.0.0.1")
    answerer.answers = [answer, found("http://127.0.0.1/d"), found("http://127.0.0.1/later")]
    assert await find_location("127.0.0.1") == "http://127.0.0.1/d"


@pytest.mark.parametrize("host", ["..", "a" * 300, "\u00e4" * 300, "a\0b", "::1"])
async def test_what_can_be_no_host(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """None of these gets as far as a name server."""
    monkeypatch.setattr(socket, "getaddrinfo", _socket.getaddrinfo)
    with pytest.raises(GatewayNotFound):
        await find_location(host)


async def test_a_literal_address_is_not_looked_up() -> None:
    assert await resolve("192.0.2.1") == "192.0.2.1"


async def test_no_route_is_nothing_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "_WAIT", 0.05)
    with pytest.raises(GatewayNotFound):
        await find_location("255.255.255.255")  # a broadcast address, which may not be sent to
