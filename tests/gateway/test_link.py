"""The link finds back to a gateway that was away, and lets go of one that is gone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
import time

import aiohttp
import pytest

from custom_components.homeport.gateway import (
    GatewayError,
    GatewayNotFound,
    GatewayUnreachable,
    Link,
    Memory,
    Peer,
    WanStatus,
    requester,
)
from custom_components.homeport.gateway.errors import InvalidAnswer
from custom_components.homeport.gateway.events import Hint
from custom_components.homeport.host import source_address
from tests.fakes.igd import FakeIgd
from tests.fakes.reply import Reply

from .listening import DEADLINE, until
from .strange import Service, Strange, answer, description, xml

GOOD = WanStatus(True, IPv4Address("11.22.33.44"))


async def nothing() -> None:
    pass


def no_route(_: str) -> IPv4Address:
    raise OSError


@asynccontextmanager
async def linked(
    session: aiohttp.ClientSession,
    location: str,
    *,
    source: Callable[[str], IPv4Address] = source_address,
    on_hint: Hint = lambda _: None,
) -> AsyncIterator[Link]:
    link = Link(session, Peer(location), source, memory=Memory(), save=nothing, on_hint=on_hint)
    try:
        yield link
    finally:
        await link.stop()


async def test_nothing_is_asked_before_the_first_reading(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with linked(session, fake.location) as link:
        assert (link.igd, link.own_address, link.pushes) == (None, None, False)
        assert fake.requests == []


async def test_reading_connects_and_listens(session: aiohttp.ClientSession, fake: FakeIgd) -> None:
    hints: list[Mapping[str, str]] = []
    async with linked(session, fake.location, on_hint=hints.append) as link:
        assert await link.read() == GOOD
        assert link.own_address == IPv4Address("127.0.0.1")
        await until(lambda: link.pushes and hints)
        igd = link.igd
        assert await link.read() == GOOD
        assert link.igd is igd
        assert fake.subscriptions == 1
        hints.clear()
        await fake.set_wan_address("11.22.33.99")
        assert hints
    assert (link.igd, link.pushes, fake.subscriptions) == (None, False, 0)


async def test_stopping_twice_or_before_all_is_nothing(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with linked(session, fake.location) as link:
        await link.stop()
        await link.read()
        await link.stop()
        await link.stop(lost=True)


async def test_it_connects_again_after_the_gateway_was_away(
    session: aiohttp.ClientSession,
) -> None:
    async with FakeIgd() as first:
        port = first.port
        link = Link(session, Peer(first.location), source_address, memory=Memory(), save=nothing)
        await link.read()
        await until(lambda: link.pushes)
    began = time.monotonic()
    with pytest.raises(GatewayUnreachable):
        await link.read()
    assert time.monotonic() - began < 3
    assert (link.igd, link.pushes) == (None, False)
    async with FakeIgd(port=port, wan_address="11.22.33.99") as second:
        async with asyncio.timeout(DEADLINE):
            assert (await link.read()).address == IPv4Address("11.22.33.99")
        await until(lambda: link.pushes)
        assert second.subscriptions == 1
        await link.stop()


async def test_a_gateway_that_hangs_is_let_go_soon(
    session: aiohttp.ClientSession, fake: FakeIgd, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(session, fake.location) as link:
        await link.read()
        await until(lambda: link.pushes)
        fake.control = fake.events = Reply(hang=True)
        monkeypatch.setattr(requester, "TIMEOUT", 0.1)
        began = time.monotonic()
        with pytest.raises(GatewayUnreachable):
            await link.read()
        assert time.monotonic() - began < 1
        assert link.igd is None


@pytest.mark.parametrize(
    "reply", [Reply.html_error(200), Reply.redirect("/login"), Reply(status=404)]
)
async def test_a_gateway_that_came_back_changed_is_read_anew(
    session: aiohttp.ClientSession, reply: Reply
) -> None:
    """As after an update of the router: the same description's URL, another control URL."""
    status = answer("GetStatusInfo", NewConnectionStatus="Connected")
    address = answer("GetExternalIPAddress", NewExternalIPAddress="11.22.33.44")

    def control(path: str) -> dict[str, Reply]:
        return {f"{path}#GetStatusInfo": status, f"{path}#GetExternalIPAddress": address}

    async with Strange(control("/control")) as strange, linked(session, strange.location) as link:
        assert await link.read() == GOOD
        strange.answers = {
            "/desc.xml": xml(description(Service(control="/new"))),
            "/scpd": strange.answers["/scpd"],
            "/control": reply,
            **control("/new"),
        }
        with pytest.raises(GatewayError):
            await link.read()
        assert await link.read() == GOOD


async def test_an_alive_gateway_that_answers_nonsense_is_unsubscribed_from(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    async with linked(session, fake.location) as link:
        await link.read()
        await until(lambda: link.pushes)
        fake.control = Reply.html_error(200)
        with pytest.raises(InvalidAnswer):
            await link.read()
        assert fake.subscriptions == 0


async def test_a_gateway_without_events_is_read_all_the_same(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    fake.events = Reply.html_error()
    async with linked(session, fake.location) as link:
        assert await link.read() == GOOD
        assert not link.pushes


async def test_where_nothing_can_listen_it_is_read_all_the_same(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    """203.0.113.1 is nobody's address, and so not this machine's."""
    nobodys = IPv4Address("203.0.113.1")
    async with linked(session, fake.location, source=lambda _: nobodys) as link:
        assert await link.read() == GOOD
        assert not link.pushes
        assert link.own_address == nobodys


async def test_no_route_is_unreachable(session: aiohttp.ClientSession, fake: FakeIgd) -> None:
    async with linked(session, fake.location, source=no_route) as link:
        with pytest.raises(GatewayUnreachable):
            await link.read()
        assert link.igd is None


@pytest.mark.parametrize("location", ["", "nonsense", "https://127.0.0.1/"])
async def test_a_location_that_is_none(session: aiohttp.ClientSession, location: str) -> None:
    async with linked(session, location) as link:
        with pytest.raises(GatewayNotFound):
            await link.read()


async def test_a_name_is_resolved_to_find_our_own_address(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    asked: list[str] = []

    def source(towards: str) -> IPv4Address:
        asked.append(towards)
        return source_address(towards)

    location = fake.location.replace("127.0.0.1", "localhost")
    async with linked(session, location, source=source) as link:
        await link.read()
    assert asked == ["127.0.0.1"]


async def test_a_reading_that_fails_late_leaves_a_newer_connection_alone(
    session: aiohttp.ClientSession, fake: FakeIgd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requester, "TIMEOUT", 0.5)
    async with linked(session, fake.location) as link:
        await link.read()
        fake.control = Reply(hang=True)
        late = asyncio.create_task(link.read())
        await asyncio.sleep(0)
        await link.stop(lost=True)
        newer = await link.connect()
        with pytest.raises(GatewayUnreachable):
            await late
        assert link.gateway is newer
