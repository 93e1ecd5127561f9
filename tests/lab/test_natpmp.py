"""A real gateway opens and closes by NAT-PMP, and what it opens can be reached from outside."""

import asyncio
from ipaddress import IPv4Address
import statistics
import time

import pytest

from custom_components.homeport.gateway.epoch import Epoch, natpmp_lost_state
from custom_components.homeport.gateway.errors import GatewayUnreachable, NatPmpRefused
from custom_components.homeport.gateway.model import Transport
from custom_components.homeport.gateway.natpmp import NatPmpAddress, NatPmpClient

from . import home as base
from .access_line import within
from .build import Lab
from .fixtures import MakeLab
from .home import MINIUPNPD, NET, ROUTER, WAN
from .traffic import MIRROR_PORT, ask_tcp, ask_udp, closed, mirror

GATEWAY = IPv4Address(ROUTER)
TCP, UDP = Transport.TCP, Transport.UDP


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab) -> Lab:
    return make_lab(base.home(MINIUPNPD))


def test_tcp_and_udp_open_and_close(lab: Lab) -> None:
    async def story() -> None:
        client = NatPmpClient(GATEWAY)
        async with mirror(lab["lan"]):
            for protocol in (TCP, UDP):
                mapping = await client.map(protocol, MIRROR_PORT, 18123, 600)
                assert (mapping.external_port, mapping.lifetime) == (18123, 600)
            assert (await ask_tcp(lab["net"], WAN, 18123)).address == NET
            assert (await ask_udp(lab["net"], WAN, 18123)).address == NET
            for protocol in (TCP, UDP):
                await client.unmap(protocol, MIRROR_PORT)
            assert await closed(lab["net"], WAN, 18123)
            with pytest.raises(TimeoutError):
                await ask_udp(lab["net"], WAN, 18123, within=0.3)
            # Once more: what is not there is no error.
            await client.unmap(TCP, MIRROR_PORT)

    within(lab["lan"], story())


def test_the_address(lab: Lab) -> None:
    async def story() -> None:
        said = await NatPmpClient(GATEWAY).external_address(within=1)
        assert str(said.address) == WAN

    within(lab["lan"], story())


def test_a_taken_port_is_replaced_by_another(lab: Lab) -> None:
    async def story() -> None:
        client = NatPmpClient(GATEWAY)
        assert (await client.map(TCP, 8201, 18201, 600)).external_port == 18201
        assert (await client.map(TCP, 8202, 18201, 600)).external_port != 18201
        for port in (8201, 8202):
            await client.unmap(TCP, port)

    within(lab["lan"], story())


def test_a_lease_ends_by_itself(lab: Lab) -> None:
    async def story() -> None:
        async with mirror(lab["lan"]):
            assert (await NatPmpClient(GATEWAY).map(TCP, MIRROR_PORT, 18203, 10)).lifetime == 10
            began = time.monotonic()
            assert (await ask_tcp(lab["net"], WAN, 18203)).address == NET
            while not await closed(lab["net"], WAN, 18203, within=0.2):
                assert time.monotonic() - began < 20
                await asyncio.sleep(0.1)
            assert time.monotonic() - began > 8

    within(lab["lan"], story())


def test_a_restart_is_seen_in_the_epoch(lab: Lab) -> None:
    async def epoch(client: NatPmpClient) -> Epoch:
        said = await client.external_address()
        assert said.epoch is not None
        return said.epoch

    async def story() -> None:
        client = NatPmpClient(GATEWAY)
        before = first = await epoch(client)
        while before.seconds < 4:
            await asyncio.sleep(0.2)
            before = await epoch(client)
        assert not natpmp_lost_state(first, before)
        lab.restart(MINIUPNPD)
        assert natpmp_lost_state(before, await epoch(client))

    within(lab["lan"], story())


def test_a_gateway_that_is_down_is_known_at_once(lab: Lab) -> None:
    async def story() -> None:
        client, began = NatPmpClient(GATEWAY), time.monotonic()
        with pytest.raises(GatewayUnreachable):
            await client.external_address()
        with pytest.raises(GatewayUnreachable):
            await client.map(TCP, 8204, 18204, 600)
        assert time.monotonic() - began < 0.5

    lab.stop(MINIUPNPD)
    try:
        within(lab["lan"], story())
    finally:
        lab.start(MINIUPNPD)


def test_a_shared_wan_address_is_none(make_lab: MakeLab) -> None:
    lab = make_lab(base.reserved(MINIUPNPD))

    async def story() -> None:
        client = NatPmpClient(GATEWAY)
        assert await client.external_address() == NatPmpAddress(None, None)
        with pytest.raises(NatPmpRefused) as refused:
            await client.map(TCP, 8205, 18205, 600)
        assert refused.value.translation_key == "natpmp_3"

    within(lab["lan"], story())


def test_how_long_it_takes(lab: Lab) -> None:
    async def story() -> None:
        client, taken = NatPmpClient(GATEWAY), []
        for port in range(20000, 20010):
            began = time.perf_counter()
            await client.map(TCP, port, port, 600)
            taken.append((time.perf_counter() - began) * 1000)
        print(  # noqa: T201
            f"\nNAT-PMP map: {statistics.median(taken):.1f} ms, at most {max(taken):.1f} ms"
        )
        for port in range(20000, 20010):
            await client.unmap(TCP, port)

    within(lab["lan"], story())
