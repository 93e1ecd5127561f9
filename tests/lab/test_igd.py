"""A real gateway opens and closes by UPnP, and what it opens can be reached from outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import IPv4Address
import statistics
import time

import aiohttp
import pytest

from custom_components.homeport.gateway import (
    ActionRefused,
    Granted,
    Igd,
    NotPermitted,
    Opening,
    PortTaken,
    Transport,
    WanStatus,
)

from . import home as base
from .access_line import within
from .build import Lab
from .fixtures import MakeLab
from .home import LAN, MINIUPNPD, NET, SRV, WAN
from .traffic import MIRROR_PORT, ask_tcp, closed, mirror

OPENING = Opening(Transport.TCP, 18123, IPv4Address(LAN), MIRROR_PORT, "Homeport 1a2b3c4d")
KINDS = {
    "IGD:2": MINIUPNPD,
    "IGD:1": replace(MINIUPNPD, options=("force_igd_desc_v1=yes",)),
}


@pytest.fixture(scope="module", params=KINDS)
def lab(make_lab: MakeLab, request: pytest.FixtureRequest) -> Lab:
    return make_lab(base.home(KINDS[request.param]))


@pytest.fixture(scope="module")
def secure(make_lab: MakeLab) -> Lab:
    return make_lab(base.home(replace(MINIUPNPD, secure_mode=True)))


@asynccontextmanager
async def connected() -> AsyncIterator[Igd]:
    async with aiohttp.ClientSession() as session:
        yield await Igd.connect(session, MINIUPNPD.location)


def test_it_opens_reads_back_and_closes(lab: Lab) -> None:
    async def story() -> None:
        async with connected() as igd, mirror(lab["lan"]):
            assert await igd.wan_status() == WanStatus(True, IPv4Address(WAN))
            assert await igd.open(OPENING, 600) == Granted(18123, 600)
            found = await igd.mapping(OPENING.key)
            assert found
            assert found.is_of(OPENING)
            assert 590 <= found.lease <= 600
            assert (await ask_tcp(lab["net"], WAN, 18123)).address == NET
            await igd.close(OPENING.key)
            await igd.close(OPENING.key)
            assert await igd.mapping(OPENING.key) is None
            assert await closed(lab["net"], WAN, 18123)

    within(lab["lan"], story())


def test_a_port_of_another_client_is_told_and_another_one_found(lab: Lab) -> None:
    async def story() -> None:
        async with connected() as igd:
            other = replace(OPENING, internal_client=IPv4Address(SRV), description="console")
            await igd.open(other, 600)
            with pytest.raises(PortTaken):
                await igd.open(OPENING, 600)
            granted = await igd.open_any(OPENING, 600, (18200,))
            assert granted.external_port in {18122, 18124, 18200}
            found = await igd.mapping((Transport.TCP, granted.external_port))
            assert found
            assert found.internal_client == LAN
            for port in (18123, granted.external_port):
                await igd.close((Transport.TCP, port))

    within(lab["lan"], story())


def test_a_lease_of_no_end_is_read_back_as_what_it_is(lab: Lab) -> None:
    async def story() -> None:
        async with connected() as igd:
            granted = await igd.open(OPENING, 700_000)
            found = await igd.mapping(OPENING.key)
            assert found
            assert found.lease <= 604_800
            assert granted.lease == 700_000
            await igd.close(OPENING.key)

    within(lab["lan"], story())


def test_many_mappings_are_read(lab: Lab) -> None:
    async def story() -> None:
        async with connected() as igd:
            ports = range(20_000, 20_060)
            for port in ports:
                await igd.open(replace(OPENING, external_port=port), 600)
            began = time.perf_counter()
            found = await igd.mappings()
            took = time.perf_counter() - began
            assert sorted(each.external_port for each in found) == list(ports)
            assert all(
                each.is_of(replace(OPENING, external_port=each.external_port)) for each in found
            )
            print(f"\n60 mappings read in {took * 1000:.0f} ms")  # noqa: T201
            for port in ports:
                await igd.close((Transport.TCP, port))
            assert await igd.mappings() == []

    within(lab["lan"], story())


def test_warm_opening_takes_one_request(lab: Lab) -> None:
    async def story() -> None:
        async with connected() as igd:
            took = []
            for _ in range(50):
                began = time.perf_counter()
                await igd.open(OPENING, 600)
                took.append(time.perf_counter() - began)
                await igd.close(OPENING.key)
            print(f"\nopened in {statistics.median(took) * 1000:.1f} ms")  # noqa: T201

    within(lab["lan"], story())


def test_secure_mode_is_told_from_a_conflict(secure: Lab) -> None:
    async def story() -> None:
        async with connected() as igd:
            with pytest.raises(ActionRefused) as caught:
                await igd.open(replace(OPENING, internal_client=IPv4Address(SRV)), 600)
            assert isinstance(caught.value, NotPermitted) or caught.value.code == 606
            assert await igd.open(OPENING, 600) == Granted(18123, 600)
            await igd.close(OPENING.key)

    within(secure["lan"], story())
