"""NAT-PMP is asked within its time, and only the gateway is believed."""

from ipaddress import IPv4Address
import struct
import time

import pytest

from custom_components.homeport.gateway.errors import (
    GatewayUnreachable,
    InvalidAnswer,
    NatPmpRefused,
)
from custom_components.homeport.gateway.model import Transport
from custom_components.homeport.gateway.natpmp import NatPmpAddress, NatPmpClient

from .router import GATEWAY, router

WAN = IPv4Address("11.22.33.1")


def answered(
    request: bytes, result: int = 0, *, port: int = 18123, lifetime: int = 600, address: bytes = b""
) -> bytes:
    """Answer a request as a gateway does."""
    head = struct.pack("!BBHI", 0, 0x80 | request[1], result, 7)
    if request[1] == 0:
        return head + (address or WAN.packed)
    return head + request[4:6] + struct.pack("!HI", port, lifetime)


@pytest.fixture
def client(socket_enabled: None) -> NatPmpClient:
    return NatPmpClient(GATEWAY, within=1.0)


async def test_the_address(monkeypatch: pytest.MonkeyPatch, client: NatPmpClient) -> None:
    async with router(monkeypatch, lambda request: [answered(request)], lose=1) as gateway:
        said = await client.external_address()
    assert said.address == WAN
    assert said.epoch is not None
    assert said.epoch.seconds == 7
    assert gateway.requests == [b"\0\0", b"\0\0"]


async def test_no_address(monkeypatch: pytest.MonkeyPatch, client: NatPmpClient) -> None:
    async with router(monkeypatch, lambda request: [answered(request, address=bytes(4))]):
        assert (await client.external_address()).address is None
    async with router(monkeypatch, lambda request: [answered(request, 3)]):
        assert await client.external_address() == NatPmpAddress(None, None)


@pytest.mark.parametrize("code", range(1, 6))
async def test_a_refusal(monkeypatch: pytest.MonkeyPatch, client: NatPmpClient, code: int) -> None:
    async with router(monkeypatch, lambda request: [answered(request, code)]):
        with pytest.raises(NatPmpRefused) as refused:
            await client.map(Transport.TCP, 8123, 18123, 3600)
        assert refused.value.translation_key == f"natpmp_{code}"
        if code != 3:
            with pytest.raises(NatPmpRefused):
                await client.external_address()


async def test_what_is_granted(monkeypatch: pytest.MonkeyPatch, client: NatPmpClient) -> None:
    async with router(monkeypatch, lambda request: [answered(request, port=18125)]) as gateway:
        mapping = await client.map(Transport.TCP, 8123, 18123, 3600)
    assert (mapping.external_port, mapping.lifetime, mapping.epoch.seconds) == (18125, 600, 7)
    assert [each.hex() for each in gateway.requests] == ["00020000" + "1fbb46cb" + "00000e10"]


@pytest.mark.parametrize("wrong", [{"port": 0}, {"lifetime": 0}])
async def test_nothing_granted_is_no_mapping(
    monkeypatch: pytest.MonkeyPatch, client: NatPmpClient, wrong: dict[str, int]
) -> None:
    async with router(monkeypatch, lambda request: [answered(request, **wrong)]):
        with pytest.raises(InvalidAnswer):
            await client.map(Transport.TCP, 8123, 18123, 3600)


async def test_a_lifetime_of_years_is_a_day(
    monkeypatch: pytest.MonkeyPatch, client: NatPmpClient
) -> None:
    async with router(monkeypatch, lambda request: [answered(request, lifetime=0xFFFFFFFF)]):
        assert (await client.map(Transport.UDP, 8123, 18123, 3600)).lifetime == 86400


async def test_deleting(monkeypatch: pytest.MonkeyPatch, client: NatPmpClient) -> None:
    deleted = lambda request: [answered(request, port=0, lifetime=0)]  # noqa: E731
    async with router(monkeypatch, deleted) as gateway:
        await client.unmap(Transport.UDP, 8123)
    assert [each.hex() for each in gateway.requests] == ["00010000" + "1fbb0000" + "00000000"]


async def test_the_answer_to_something_else_is_none(
    monkeypatch: pytest.MonkeyPatch, client: NatPmpClient
) -> None:
    def answer(request: bytes) -> list[bytes]:
        other = request[:4] + b"\0\x50" + request[6:]
        return [b"", b"\0", answered(other, port=6666), answered(b"\0\0"), answered(request)]

    async with router(monkeypatch, answer):
        assert (await client.map(Transport.TCP, 8123, 18123, 3600)).external_port == 18123


async def test_silence_ends(monkeypatch: pytest.MonkeyPatch, client: NatPmpClient) -> None:
    async with router(monkeypatch) as gateway:
        began = time.monotonic()
        with pytest.raises(GatewayUnreachable):
            await client.external_address(within=0.4)
        assert 0.39 < time.monotonic() - began < 0.6
    assert len(gateway.requests) == 2


async def test_nothing_is_sent_that_opens_or_closes_everything(
    monkeypatch: pytest.MonkeyPatch, client: NatPmpClient
) -> None:
    async with router(monkeypatch, lambda request: [answered(request)]) as gateway:
        with pytest.raises(ValueError, match="not a port"):
            await client.map(Transport.TCP, 0, 18123, 3600)
        with pytest.raises(ValueError, match="not a lifetime"):
            await client.map(Transport.TCP, 8123, 18123, 0)
        with pytest.raises(ValueError, match="not a port"):
            await client.unmap(Transport.TCP, 0)
    assert gateway.requests == []


async def test_pcp_alone_is_no_nat_pmp(
    monkeypatch: pytest.MonkeyPatch, client: NatPmpClient
) -> None:
    other = lambda request: [bytes((2, 0x80 | request[1], 0, 1)) + bytes(20)]  # noqa: E731
    async with router(monkeypatch, other) as gateway:
        with pytest.raises(NatPmpRefused) as refused:
            await client.external_address()
    assert refused.value.code == 1
    assert len(gateway.requests) == 1
