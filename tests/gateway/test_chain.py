"""Two routers in a row: open is what both have, and what others have on either is spared."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import IPv4Address

import aiohttp
import pytest

from custom_components.homeport.gateway import (
    ActionRefused,
    Chain,
    GatewayNotFound,
    GatewayUnreachable,
    Igd,
    Mappers,
    Memory,
    Opening,
    PortTaken,
    Second,
    Transport,
    discover,
)
from custom_components.homeport.gateway.router import Router
from tests.fakes.igd import Entry, FakeIgd
from tests.fakes.reply import Reply

OWN = IPv4Address("127.0.0.1")
WAN = IPv4Address("192.168.1.2")
OPENING = Opening(Transport.TCP, 18123, IPv4Address("192.168.77.10"), 8123, "Homeport 1a2b3c4d")
KEY = OPENING.key


class Home:
    """Both routers, and what stands before them."""

    def __init__(self, inner: FakeIgd, outer: FakeIgd, chain: Chain, ours: list[Opening]) -> None:
        self.inner, self.outer, self.chain, self.ours = inner, outer, chain, ours

    def entries(self) -> list[tuple[str, int]]:
        """Return what leads where, on the inner one and on the outer one."""
        tables = self.inner.table, self.outer.table
        return [
            (entry.internal_client, entry.internal_port)
            for table in tables
            for entry in table.values()
        ]


async def nothing() -> None:
    pass


@asynccontextmanager
async def running(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Home]:
    async with FakeIgd(wan_address=str(WAN)) as inner, FakeIgd(ssdp_port=0) as outer:
        monkeypatch.setattr(discover, "_SSDP_PORT", outer.ssdp_port)
        memory, ours = Memory(), [OPENING]
        mappers = Mappers(OWN, OWN, memory)
        router = Router(await Igd.connect(session, inner.location), mappers, memory, nothing)
        chain = Chain(router, session, Second(OWN, WAN), lambda: ours)
        yield Home(inner, outer, chain, ours)
        await router.stop()
        await mappers.stop()


@pytest.fixture
async def home(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Home]:
    async with running(session, monkeypatch) as made:
        yield made


def foreign(on: FakeIgd) -> Entry:
    entry = Entry(
        protocol="TCP", external_port=18123, internal_client="192.168.1.50", internal_port=80
    )
    on.table[entry.key] = entry
    return entry


async def test_it_opens_and_closes_both(home: Home) -> None:
    assert await home.chain.mapping(KEY) is None
    await home.chain.open(OPENING, 3600)
    assert home.entries() == [("192.168.77.10", 8123), ("192.168.1.2", 18123)]
    found = await home.chain.mapping(KEY)
    assert found
    assert found.is_of(OPENING)
    assert found.enabled
    await home.chain.close(KEY)
    assert home.entries() == []
    assert await home.chain.mapping(KEY) is None


@pytest.mark.parametrize("which", ["inner", "outer"])
async def test_half_of_it_is_not_open_and_can_be_closed(home: Home, which: str) -> None:
    await home.chain.open(OPENING, 3600)
    getattr(home, which).table.clear()
    found = await home.chain.mapping(KEY)
    assert found
    assert found.is_of(OPENING)
    assert not found.enabled
    await home.chain.open(OPENING, 3600)
    found = await home.chain.mapping(KEY)
    assert found
    assert found.enabled
    getattr(home, which).table.clear()
    await home.chain.close(KEY)
    assert home.entries() == []


async def test_what_another_has_on_the_second_one_is_spared(home: Home) -> None:
    held = foreign(home.outer)
    with pytest.raises(PortTaken):
        await home.chain.open(OPENING, 3600)
    assert home.entries() == [("192.168.1.50", 80)]
    await home.chain.close(KEY)
    await home.chain.leave()
    assert home.outer.table == {held.key: held}


async def test_what_another_has_on_the_first_one_is_shown(home: Home) -> None:
    foreign(home.inner)
    found = await home.chain.mapping(KEY)
    assert found
    assert not found.is_of(OPENING)


async def test_a_foreign_one_that_took_its_place_closes_only_ours(home: Home) -> None:
    await home.chain.open(OPENING, 3600)
    home.outer.table.clear()
    held = foreign(home.outer)
    found = await home.chain.mapping(KEY)
    assert found
    assert not found.enabled
    await home.chain.close(KEY)
    assert home.inner.table == {}
    assert home.outer.table == {held.key: held}


async def test_leaving_the_second_one_keeps_the_first(home: Home) -> None:
    await home.chain.open(OPENING, 3600)
    await home.chain.leave()
    assert home.entries() == [("192.168.77.10", 8123)]


async def test_a_refusal_of_the_second_one_is_told(home: Home) -> None:
    home.outer.faults["AddPortMapping"] = 606
    with pytest.raises(ActionRefused, match="606"):
        await home.chain.open(OPENING, 3600)
    found = await home.chain.mapping(KEY)
    assert found
    assert not found.enabled


async def test_what_is_not_ours_is_not_asked_of_the_second_one(home: Home) -> None:
    home.ours.clear()
    assert await home.chain.mapping(KEY) is None
    assert home.outer.requests == []


async def test_the_lease_is_the_shorter_one(home: Home) -> None:
    await home.chain.open(OPENING, 3600)
    [(key, entry)] = home.outer.table.items()
    assert entry.expires is not None
    home.outer.table[key] = replace(entry, expires=entry.expires - 3000)
    found = await home.chain.mapping(KEY)
    assert found
    assert 500 < found.lease <= 600


async def test_no_second_router(
    session: aiohttp.ClientSession, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discover, "_SSDP_PORT", 9)
    monkeypatch.setattr(discover, "_WAIT", 0.05)
    with pytest.raises(GatewayNotFound):
        await home.chain.open(OPENING, 3600)
    assert home.entries() == []


async def test_a_second_router_that_is_gone_keeps_nobody_from_closing_the_first(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.chain.open(OPENING, 3600)
    home.outer.control = Reply(drop=True)
    found = await home.chain.mapping(KEY)
    assert found
    assert found.is_of(OPENING)
    assert not found.enabled
    monkeypatch.setattr(discover, "_WAIT", 0.05)
    with pytest.raises(GatewayUnreachable):
        await home.chain.close(KEY)
    assert home.inner.table == {}
    # Not before it is seen to be gone there too is it forgotten.
    with pytest.raises(GatewayUnreachable):
        await home.chain.mapping(KEY)
    home.outer.control = None
    assert await home.chain.mapping(KEY)
    await home.chain.close(KEY)
    assert home.entries() == []
