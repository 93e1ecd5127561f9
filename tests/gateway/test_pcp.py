"""PCP is asked within its time, and only the gateway is believed."""

import asyncio
from ipaddress import IPv4Address, IPv6Address
import socket
import struct
import time

import pytest
import pytest_socket

from custom_components.homeport.gateway import datagram
from custom_components.homeport.gateway.errors import (
    GatewayUnreachable,
    InvalidAnswer,
    PcpRefused,
)
from custom_components.homeport.gateway.model import Transport
from custom_components.homeport.gateway.pcp import Announced, PcpClient

from .router import GATEWAY, router

NONCE = bytes(range(12))
OTHER = IPv4Address("192.168.77.20")
WAN = IPv4Address("11.22.33.1")


def answered(
    request: bytes,
    result: int = 0,
    *,
    lifetime: int = 600,
    port: int = 18123,
    epoch: int = 7,
) -> bytes:
    """Answer a request as a gateway does."""
    head = struct.pack("!BBBBII12x", 2, 0x80 | request[1], 0, result, lifetime, epoch)
    body = request[24:42] + port.to_bytes(2) + bytes(10) + b"\xff\xff" + WAN.packed
    return head + (body if request[1] else b"")


async def open_port(client: PcpClient, *, exact: bool = False) -> object:
    return await client.map(Transport.TCP, 8123, 18123, 3600, NONCE, exact=exact)


@pytest.fixture
def client(socket_enabled: None) -> PcpClient:
    return PcpClient(GATEWAY, within=1.0)


async def test_what_is_granted(monkeypatch: pytest.MonkeyPatch, client: PcpClient) -> None:
    async with router(monkeypatch, lambda request: [answered(request)]) as gateway:
        before = asyncio.get_running_loop().time()
        mapping = await client.map(Transport.TCP, 8123, 18123, 3600, NONCE)
    assert (mapping.external_address, mapping.external_port) == (WAN, 18123)
    assert (mapping.lifetime, mapping.epoch.seconds) == (600, 7)
    assert before <= mapping.epoch.at <= asyncio.get_running_loop().time()
    assert len(gateway.requests) == 1


async def test_the_sender_stands_in_the_request(
    monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> None:
    for source in (None, IPv4Address("127.0.0.5")):
        client = PcpClient(GATEWAY, source=source)
        async with router(monkeypatch, lambda request: [answered(request)]) as gateway:
            await open_port(client)
        sender = IPv4Address(gateway.callers[0][0])
        assert sender == (source or GATEWAY)
        assert gateway.requests[0][8:24] == bytes(10) + b"\xff\xff" + sender.packed


async def test_the_sender_stands_in_the_request_over_ipv6(
    monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> None:
    # The plugin lets connect to 127.0.0.1 only; what it has put there comes back after the test.
    monkeypatch.setattr(socket.socket, "connect", socket.socket.connect)
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"])
    loopback = IPv6Address("::1")
    async with router(monkeypatch, lambda request: [answered(request)], at=loopback) as gateway:
        await open_port(PcpClient(loopback))
    assert gateway.requests[0][8:24] == loopback.packed


async def test_a_lost_request_is_repeated(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient
) -> None:
    async with router(monkeypatch, lambda request: [answered(request)], lose=2) as gateway:
        began = time.monotonic()
        await open_port(client)
        # 0.25 s and 0.5 s, a tenth more or less.
        assert 0.67 < time.monotonic() - began < 0.95
    assert len(gateway.requests) == 3
    assert len(set(gateway.requests)) == len(set(gateway.callers)) == 1


async def test_a_slow_gateway_gets_more_time(
    monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> None:
    """What is repeated too early, it would do twice."""

    def answer(request: bytes) -> list[bytes]:
        later = lambda: gateway.send(answered(request), gateway.callers[-1])  # noqa: E731
        asyncio.get_running_loop().call_later(0.35, later)
        return []

    async with router(monkeypatch, answer) as gateway:
        client = PcpClient(GATEWAY)
        for requests in (2, 3, 4):
            await open_port(client)
            assert len(gateway.requests) == requests
        await asyncio.sleep(0.35)


async def test_requests_are_sent_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient
) -> None:
    asked: list[int] = []

    def answer(request: bytes) -> list[bytes]:
        asked.append(len(answers))
        return [answered(request)]

    async def ask(port: int) -> None:
        await client.map(Transport.TCP, port, port, 3600, NONCE)
        answers.append(port)

    answers: list[int] = []
    async with router(monkeypatch, answer):
        await asyncio.gather(*(ask(port) for port in range(8000, 8020)))
    assert asked == list(range(20))


async def test_silence_ends(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> None:
    async with router(monkeypatch) as gateway:
        began = time.monotonic()
        with pytest.raises(GatewayUnreachable):
            await open_port(PcpClient(GATEWAY, within=0.4))
        assert 0.39 < time.monotonic() - began < 0.6
        assert len(gateway.requests) == 2
        began = time.monotonic()
        assert await PcpClient(GATEWAY).probe(within=0.2) is None
        assert time.monotonic() - began < 0.4


async def test_where_nobody_listens_it_ends_at_once(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        monkeypatch.setattr(datagram, "PORT", sock.getsockname()[1])
    began = time.monotonic()
    with pytest.raises(GatewayUnreachable):
        await open_port(client)
    assert await client.probe() is None
    assert time.monotonic() - began < 0.2


@pytest.mark.parametrize(
    ("gateway", "source"),
    [
        (IPv6Address("fe80::1%unheard-of"), None),
        (GATEWAY, IPv4Address("192.0.2.99")),
        (GATEWAY, IPv6Address("::1")),
    ],
    ids=["no such interface", "not an own address", "another family"],
)
async def test_no_way_to_ask_is_unreachable(
    socket_enabled: None, gateway: IPv4Address, source: IPv4Address
) -> None:
    with pytest.raises(GatewayUnreachable):
        await open_port(PcpClient(gateway, source=source))


async def test_others_are_not_heard(monkeypatch: pytest.MonkeyPatch, client: PcpClient) -> None:
    """Neither what comes from another port, nor what answers something else."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rogue:
        rogue.bind(("127.0.0.1", 0))

        def answer(request: bytes) -> list[bytes]:
            rogue.sendto(answered(request, port=6666), gateway.callers[-1])
            forged = request[:24] + NONCE[::-1] + request[36:]
            return [b"", b"\x02\x81", answered(forged, port=6666), answered(request, port=18125)]

        async with router(monkeypatch, answer) as gateway:
            mapping = await client.map(Transport.TCP, 8123, 18123, 3600, NONCE)
    assert mapping.external_port == 18125


async def test_a_flood_stops_nothing(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> None:
    """Time goes on for everybody while there is always something to read."""

    def flood() -> None:
        for _ in range(50):
            gateway.send(b"\x02\x81" + bytes(60), gateway.callers[0])
        flooding.append(asyncio.get_running_loop().call_soon(flood))

    def begin(_: bytes) -> list[bytes]:
        if not flooding:
            flood()
        return []

    flooding: list[asyncio.Handle] = []
    async with router(monkeypatch, begin) as gateway:
        began = time.monotonic()
        with pytest.raises(GatewayUnreachable):
            await open_port(PcpClient(GATEWAY, within=0.5))
        assert time.monotonic() - began < 1.0
        flooding[-1].cancel()


@pytest.mark.parametrize("code", range(1, 14))
async def test_a_refusal(monkeypatch: pytest.MonkeyPatch, client: PcpClient, code: int) -> None:
    async with router(monkeypatch, lambda request: [answered(request, code, lifetime=30)]):
        with pytest.raises(PcpRefused) as refused:
            await open_port(client)
    assert refused.value.translation_key == f"pcp_{code}"
    assert refused.value.retry_after == 30


async def test_nothing_granted_is_no_mapping(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient
) -> None:
    async with router(monkeypatch, lambda request: [answered(request, port=0)]):
        with pytest.raises(InvalidAnswer):
            await open_port(client)


async def test_a_lifetime_of_years_is_a_day(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient
) -> None:
    async with router(monkeypatch, lambda request: [answered(request, lifetime=0xFFFFFFFF)]):
        mapping = await client.map(Transport.TCP, 8123, 18123, 3600, NONCE)
    assert mapping.lifetime == 86400


@pytest.mark.parametrize("code", [5, 6])
async def test_a_gateway_that_does_not_know_exactness_is_asked_without(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient, code: int
) -> None:
    def answer(request: bytes) -> list[bytes]:
        return [answered(request, 0 if len(request) == 60 else code, port=18125)]

    async with router(monkeypatch, answer) as gateway:
        mapping = await client.map(Transport.TCP, 8123, 18123, 3600, NONCE, exact=True)
    assert mapping.external_port == 18125
    assert [len(each) for each in gateway.requests] == [64, 60]


async def test_exactness_is_not_given_up_otherwise(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient
) -> None:
    async with router(monkeypatch, lambda request: [answered(request, 11)]) as gateway:
        with pytest.raises(PcpRefused):
            await open_port(client, exact=True)
    assert len(gateway.requests) == 1


async def test_another_host_may_be_refused(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient
) -> None:
    async with router(monkeypatch, lambda request: [answered(request, 5)]) as gateway:
        for exact in (False, True):
            with pytest.raises(PcpRefused) as refused:
                await client.map(Transport.TCP, 8123, 18123, 3600, NONCE, client=OTHER, exact=exact)
            assert refused.value.code == 5
    assert [len(each) for each in gateway.requests] == [80, 84, 80]


async def test_deleting(monkeypatch: pytest.MonkeyPatch, client: PcpClient) -> None:
    deleted = lambda request: [answered(request, lifetime=0, port=0)]  # noqa: E731
    async with router(monkeypatch, deleted) as gateway:
        await client.unmap(Transport.TCP, 8123, NONCE)
        await client.unmap(Transport.UDP, 8123, NONCE, client=OTHER)
    tcp, udp = gateway.requests
    assert tcp[4:8] == udp[4:8] == bytes(4)
    assert tcp[24:] == NONCE + bytes.fromhex("06000000" + "1fbb0000") + tcp[44:60]
    assert udp[60:] == bytes.fromhex("01000010") + bytes(10) + b"\xff\xff" + OTHER.packed


async def test_what_is_not_there_is_deleted(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient
) -> None:
    async with router(monkeypatch, lambda request: [answered(request, 8)]):
        await client.unmap(Transport.TCP, 8123, NONCE)


async def test_what_is_anothers_is_not_deleted(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient
) -> None:
    async with router(monkeypatch, lambda request: [answered(request, 2)]):
        with pytest.raises(PcpRefused) as refused:
            await client.unmap(Transport.TCP, 8123, NONCE)
    assert refused.value.translation_key == "pcp_2"


async def test_nothing_is_sent_that_opens_or_closes_everything(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient
) -> None:
    async with router(monkeypatch, lambda request: [answered(request)]) as gateway:
        with pytest.raises(ValueError, match="not a port"):
            await client.map(Transport.TCP, 0, 18123, 3600, NONCE)
        with pytest.raises(ValueError, match="not a lifetime"):
            await client.map(Transport.TCP, 8123, 18123, 0, NONCE)
        with pytest.raises(ValueError, match="not a port"):
            await client.unmap(Transport.TCP, 0, NONCE)
    assert gateway.requests == []


async def test_who_is_there(monkeypatch: pytest.MonkeyPatch, client: PcpClient) -> None:
    async with router(monkeypatch, lambda request: [answered(request, epoch=42)]):
        found = await client.probe()
    assert found is not None
    assert found.epoch is not None
    assert found.epoch.seconds == 42


async def test_a_gateway_that_refuses_to_say_is_there_all_the_same(
    monkeypatch: pytest.MonkeyPatch, client: PcpClient
) -> None:
    async with router(monkeypatch, lambda request: [answered(request, 4)]):
        assert await client.probe() == Announced(None)


async def test_nat_pmp_alone_is_no_pcp(monkeypatch: pytest.MonkeyPatch, client: PcpClient) -> None:
    other = lambda request: [bytes((0, 0x80 | request[1], 0, 1)) + bytes(4)]  # noqa: E731
    async with router(monkeypatch, other) as gateway:
        assert await client.probe() is None
        with pytest.raises(PcpRefused) as refused:
            await open_port(client)
    assert refused.value.code == 1
    assert len(gateway.requests) == 2
