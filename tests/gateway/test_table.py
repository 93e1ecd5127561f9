"""The whole table is read, however long it is, and while it changes."""

import asyncio
from collections.abc import Callable
import time
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.homeport.gateway import (
    GatewayError,
    GatewayUnreachable,
    Igd,
    Transport,
    table as reading,
)
from custom_components.homeport.gateway.errors import ActionUnsupported
from custom_components.homeport.gateway.mapping import parse_listing
from tests.fakes.igd import Connection, Entry, FakeIgd
from tests.fakes.reply import Reply

from .strange import Strange, answer, fault

GENERIC, LIST = "GetGenericPortMappingEntry", "GetListOfPortMappings"


def fill(fake: FakeIgd, count: int, first: int = 20_000) -> None:
    for port in range(first, first + count):
        entry = Entry(
            protocol=("TCP", "UDP")[port % 2],
            external_port=port,
            internal_client="127.0.0.9",
            internal_port=9,
            description=f"number {port}",
        )
        fake.table[entry.key] = entry


def count(fake: FakeIgd, action: str) -> int:
    return sum(name == action for name, _ in fake.requests)


@pytest.mark.parametrize("connection", Connection)
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 99, 100, 101, 250])
async def test_every_mapping_is_read_once(
    session: aiohttp.ClientSession, connection: Connection, size: int
) -> None:
    async with FakeIgd(connection=connection) as fake:
        fill(fake, size)
        found = await (await Igd.connect(session, fake.location)).mappings()
        assert {(each.protocol, each.external_port) for each in found} == {
            (entry.protocol, entry.external_port) for entry in fake.table.values()
        }
        assert len(found) == size
        assert all(each.description == f"number {each.external_port}" for each in found)


async def test_a_thousand_mappings_take_a_request_each(
    session: aiohttp.ClientSession,
) -> None:
    for connection in (Connection.WANIP1, Connection.WANIP2):
        async with FakeIgd(connection=connection) as fake:
            fill(fake, 1000)
            igd = await Igd.connect(session, fake.location)
            assert len(await igd.mappings()) == 1000
            assert count(fake, GENERIC) + count(fake, LIST) <= 1008


async def test_a_table_without_an_end_comes_to_one(session: aiohttp.ClientSession) -> None:
    """Also where each entry is another one: every answer has a port of its own."""
    ports = iter(range(1, 60_000))

    class Endless(Strange):
        async def _answer(self, request: web.Request) -> web.Response:
            port = str(next(ports))
            reply = answer(
                GENERIC,
                NewExternalPort=port,
                NewProtocol="TCP",
                NewInternalPort="9",
                NewInternalClient="x" * 10_000,
                NewPortMappingDescription="y" * 10_000,
            )
            self.answers[f"/control#{GENERIC}"] = reply
            return await super()._answer(request)

    async with Endless() as strange:
        found = await (await Igd.connect(session, strange.location)).mappings()
        assert len(found) == 1000
        assert len(strange.asked) < 1100
        assert max(len(each.description) for each in found) <= 256


async def test_a_table_that_says_the_same_for_ever_comes_to_an_end(
    session: aiohttp.ClientSession,
) -> None:
    said = answer(
        GENERIC,
        NewExternalPort="1",
        NewProtocol="TCP",
        NewInternalPort="9",
        NewInternalClient="192.168.1.9",
    )
    async with Strange({f"/control#{GENERIC}": said}) as strange:
        assert len(await (await Igd.connect(session, strange.location)).mappings()) == 1


async def test_a_table_that_drips_ends_in_time(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_LONGEST", 0.3)
    said = answer(GENERIC, NewExternalPort="1", NewProtocol="TCP", NewInternalPort="9")
    slow = Reply(body=said.body, content_type="text/xml", delay=0.05)
    async with Strange({f"/control#{GENERIC}": slow}) as strange:
        igd = await Igd.connect(session, strange.location)
        began = time.monotonic()
        with pytest.raises(GatewayUnreachable):
            await igd.mappings()
        assert time.monotonic() - began < 2


class Changing(FakeIgd):
    """Has its table changed in the middle of being read."""

    change: Callable[[], None] | None = None

    async def _answer(self, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("NewPortMappingIndex") == 20 and self.change:
            change, self.change = self.change, None
            change()
        return await super()._answer(action, arguments)


@pytest.mark.parametrize("what", ["added", "removed", "both"])
async def test_a_table_that_changes_underneath_is_read_whole(
    session: aiohttp.ClientSession, what: str
) -> None:
    async with Changing() as fake:
        fill(fake, 40)
        newest = list(fake.table)[-1]

        def change() -> None:
            if what != "removed":
                fill(fake, 1, 30_000)
            if what != "added":
                del fake.table[newest]

        fake.change = change
        found = await (await Igd.connect(session, fake.location)).mappings()
        assert {each.external_port for each in found} == {key[1] for key in fake.table}


async def test_a_gateway_with_a_place_for_one_is_asked_one_thing_at_a_time(
    session: aiohttp.ClientSession,
) -> None:
    class Narrow(FakeIgd):
        busy = 0
        turned_away = 0

        async def _post_control(self, request: web.Request) -> web.StreamResponse:
            if self.busy:
                self.turned_away += 1
                return await Reply(drop=True).send(request, self.closing)
            self.busy += 1
            try:
                await asyncio.sleep(0.001)
                return await super()._post_control(request)
            finally:
                self.busy -= 1

    async with Narrow() as fake:
        fill(fake, 30)
        igd = await Igd.connect(session, fake.location)
        assert len(await igd.mappings()) == 30
        before = fake.turned_away
        assert 0 < before <= 4
        assert len(await igd.mappings()) == 30
        assert fake.turned_away == before


async def test_an_entry_that_is_none_hides_no_other(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    fill(fake, 9)
    fake.rewrite = lambda _, body: body.replace(">20004<", ">many<")
    found = await (await Igd.connect(session, fake.location)).mappings()
    assert len(found) == 8


async def test_a_gateway_that_lists_nothing_is_asked_for_what_is_known(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    fill(fake, 9)
    fake.faults[GENERIC] = 401
    igd = await Igd.connect(session, fake.location)
    keys = [(Transport.TCP, 20_000), (Transport.UDP, 20_001), (Transport.UDP, 20_002)]
    assert [each.key for each in await igd.mappings(keys)] == keys[:2]
    with pytest.raises(ActionUnsupported):
        await igd.mappings()


@pytest.mark.parametrize("size", [0, 1, 50, 100])
async def test_a_short_table_is_read_in_three_requests_where_it_can_be_listed(
    session: aiohttp.ClientSession, size: int
) -> None:
    async with FakeIgd(connection=Connection.WANIP2) as fake:
        fill(fake, size)
        assert len(await (await Igd.connect(session, fake.location)).mappings()) == size
        assert (count(fake, GENERIC), count(fake, LIST)) == (1, 2)


async def test_a_list_that_failed_is_not_asked_for_again(
    session: aiohttp.ClientSession,
) -> None:
    async with FakeIgd(connection=Connection.WANIP2) as fake:
        fill(fake, 9)
        fake.faults[LIST] = 606
        igd = await Igd.connect(session, fake.location)
        for _ in range(3):
            assert len(await igd.mappings()) == 9
        assert count(fake, LIST) == 1


@pytest.mark.parametrize(
    "reply", [fault("501"), fault("606"), Reply.html_error(), Reply(drop=True)]
)
async def test_a_table_whose_first_entry_cannot_be_read_is_not_an_empty_one(
    session: aiohttp.ClientSession, reply: Reply
) -> None:
    async with Strange({f"/control#{GENERIC}": reply}) as strange:
        igd = await Igd.connect(session, strange.location)
        with pytest.raises(GatewayError):
            await igd.mappings()


def test_a_list_with_two_remote_hosts_at_one_port_has_both() -> None:
    entries = "".join(
        "<p:PortMappingEntry><p:NewExternalPort>1</p:NewExternalPort>"
        f"<p:NewRemoteHost>{host}</p:NewRemoteHost>"
        "<p:NewProtocol>tcp</p:NewProtocol><p:NewInternalPort>2</p:NewInternalPort>"
        "<p:NewInternalClient>192.168.1.9</p:NewInternalClient><p:NewEnabled>0</p:NewEnabled>"
        "<p:NewDescription>d</p:NewDescription><p:NewLeaseTime>7</p:NewLeaseTime>"
        "</p:PortMappingEntry>"
        for host in ("", "203.0.113.1")
    )
    listed = parse_listing(f'<p:PortMappingList xmlns:p="urn:x">{entries}</p:PortMappingList>')
    assert [each.remote_host for each in listed] == ["", "203.0.113.1"]
    assert {(each.lease, each.enabled, each.description) for each in listed} == {(7, False, "d")}
