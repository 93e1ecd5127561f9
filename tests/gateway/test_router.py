"""A port is opened by whichever protocol the gateway has for it, and stays with that one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import IPv4Address

import aiohttp
import pytest

from custom_components.homeport.gateway import (
    ActionRefused,
    GatewayUnreachable,
    Granted,
    Igd,
    Link,
    Memory,
    Opening,
    Peer,
    PortTaken,
    Transport,
    WanStatus,
    datagram,
    reading,
)
from custom_components.homeport.gateway.errors import NatPmpRefused, PcpRefused
from custom_components.homeport.gateway.memory import By
from custom_components.homeport.gateway.router import Router
from custom_components.homeport.host import source_address
from tests.fakes.igd import Connection, Entry, FakeIgd, Quirk
from tests.fakes.pcp import FakePcp

OWN = IPv4Address("127.0.0.1")
OPENING = Opening(Transport.TCP, 18123, OWN, 8123, "Homeport 1a2b3c4d")
TABLE = {(6, "127.0.0.1", 8123): 18123}


class Saved:
    """The memory as it was saved last: all that is left after a crash."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.times = 0
        self._saved = self.memory.to_dict()

    async def save(self) -> None:
        self.times += 1
        self._saved = self.memory.to_dict()

    def crash(self) -> None:
        self.memory = Memory.from_dict(self._saved)


@pytest.fixture
def saved() -> Saved:
    return Saved()


@asynccontextmanager
async def connected(
    session: aiohttp.ClientSession, saved: Saved, location: str | None = None
) -> AsyncIterator[Router]:
    link = Link(
        session,
        Peer(location, "127.0.0.1"),
        source_address,
        memory=saved.memory,
        save=saved.save,
    )
    try:
        yield await link.connect()
    finally:
        await link.close()


@asynccontextmanager
async def speaking(
    monkeypatch: pytest.MonkeyPatch, *, pcp: bool = True, natpmp: bool = True
) -> AsyncIterator[FakePcp]:
    async with FakePcp(pcp=pcp, natpmp=natpmp) as fake:
        monkeypatch.setattr(datagram, "PORT", fake.port)
        yield fake


@pytest.mark.parametrize(
    ("spoken", "by"),
    [({By.PCP, By.NAT_PMP}, By.PCP), ({By.PCP}, By.PCP), ({By.NAT_PMP}, By.NAT_PMP)],
)
async def test_a_gateway_without_upnp(
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    saved: Saved,
    spoken: set[By],
    by: By,
) -> None:
    async with (
        speaking(monkeypatch, pcp=By.PCP in spoken, natpmp=By.NAT_PMP in spoken) as fake,
        connected(session, saved) as gateway,
    ):
        assert await gateway.mapping(OPENING.key) is None
        assert await gateway.open(OPENING, 3600) == Granted(18123, 3600)
        assert fake.table == TABLE
        assert saved.memory.grants[OPENING.key].by is by
        found = await gateway.mapping(OPENING.key)
        assert found
        assert found.is_of(OPENING)
        assert found.enabled
        assert 3590 <= found.lease <= 3600
        assert await gateway.mappings() == [found]
        wan = IPv4Address("11.22.33.44")
        assert await gateway.wan_status() == WanStatus(True if By.NAT_PMP in spoken else None, wan)
        await gateway.close(OPENING.key)
        assert fake.table == {}
        assert await gateway.mapping(OPENING.key) is None
        assert saved.memory.grants == {}


async def test_nobody_there(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    async with speaking(monkeypatch) as fake:
        fake.silent = True
        with pytest.raises(GatewayUnreachable):
            async with connected(session, saved):
                pass


@pytest.mark.parametrize("pcp", [True, False])
async def test_another_port_than_the_wanted_one_is_given_back(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved, pcp: bool
) -> None:
    async with speaking(monkeypatch, pcp=pcp) as fake, connected(session, saved) as gateway:
        fake.taken = {18123}
        with pytest.raises(PortTaken):
            await gateway.open(OPENING, 3600)
        assert fake.table == {}
        assert saved.memory.grants == {}
        assert await gateway.open_any(OPENING, 3600) == Granted(18124, 3600)
        found = await gateway.mapping((Transport.TCP, 18124))
        assert found
        assert found.is_of(replace(OPENING, external_port=18124))
        await gateway.close((Transport.TCP, 18124))
        assert fake.table == {}


@pytest.mark.parametrize("pcp", [True, False])
async def test_a_second_external_port_does_not_close_the_first(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved, pcp: bool
) -> None:
    async with speaking(monkeypatch, pcp=pcp) as fake, connected(session, saved) as gateway:
        await gateway.open(OPENING, 3600)
        with pytest.raises(PortTaken):
            await gateway.open(replace(OPENING, external_port=18200), 3600)
        assert fake.table == TABLE


@pytest.mark.parametrize("pcp", [True, False])
async def test_after_a_crash_it_is_on_only_once_the_gateway_said_so(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved, pcp: bool
) -> None:
    async with speaking(monkeypatch, pcp=pcp) as fake:
        async with connected(session, saved) as gateway:
            await gateway.open(OPENING, 3600)
        saved.crash()
        async with connected(session, saved) as gateway:
            found = await gateway.mapping(OPENING.key)
            assert found
            assert found.is_of(OPENING)
            assert not found.enabled
            await gateway.open(OPENING, 3600)  # with the nonce of before
            found = await gateway.mapping(OPENING.key)
            assert found
            assert found.enabled
        saved.crash()
        async with connected(session, saved) as gateway:
            await gateway.close(OPENING.key)
            assert fake.table == {}


async def test_a_crash_before_the_answer_leaves_it_known(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    monkeypatch.setattr(datagram, "WITHIN", 0.1)
    async with speaking(monkeypatch, natpmp=False) as fake:
        async with connected(session, saved) as gateway:
            fake.silent = True
            with pytest.raises(GatewayUnreachable):
                await gateway.open(OPENING, 3600)
        saved.crash()
        assert saved.memory.grants[OPENING.key].by is By.PCP


@pytest.mark.parametrize("pcp", [True, False])
async def test_a_gateway_that_lost_its_table_is_noticed(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved, pcp: bool
) -> None:
    async with speaking(monkeypatch, pcp=pcp) as fake, connected(session, saved) as gateway:
        await gateway.open(OPENING, 3600)
        await gateway.wan_status()
        found = await gateway.mapping(OPENING.key)
        assert found
        assert found.enabled
        fake.restart()
        await gateway.wan_status()
        found = await gateway.mapping(OPENING.key)
        assert found
        assert not found.enabled
        await gateway.open(OPENING, 3600)
        assert fake.table == TABLE


@pytest.mark.parametrize("pcp", [True, False])
async def test_a_renewal_that_is_refused_does_not_make_it_forgotten(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved, pcp: bool
) -> None:
    async with speaking(monkeypatch, pcp=pcp) as fake, connected(session, saved) as gateway:
        await gateway.open(OPENING, 3600)
        fake.refuses = True
        with pytest.raises((PcpRefused, NatPmpRefused)):
            await gateway.open(OPENING, 3600)
        found = await gateway.mapping(OPENING.key)
        assert found
        assert not found.enabled  # nobody says so any more
        fake.refuses = False
        await gateway.close(OPENING.key)
        assert fake.table == {}


async def test_upnp_goes_on_while_the_other_protocol_is_silent(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    async with FakeIgd() as igd, speaking(monkeypatch, pcp=False) as fake:
        igd.faults["AddPortMapping"] = 402
        async with connected(session, saved, igd.location) as gateway:
            await gateway.open(OPENING, 3600)
            assert fake.table == TABLE
            fake.silent = True
            assert (await gateway.wan_status()).connected


async def test_one_whose_time_is_over_is_none(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    async with speaking(monkeypatch) as fake:
        fake.longest = 1
        async with connected(session, saved) as gateway:
            assert await gateway.open(OPENING, 3600) == Granted(18123, 1)
            clock = saved.memory.grants[OPENING.key].ends
            monkeypatch.setattr(gateway, "_now", lambda: clock)
            assert await gateway.mapping(OPENING.key) is None


@pytest.mark.parametrize("code", [401, 402, 602, 724, 727])
async def test_what_upnp_cannot_do_is_asked_for_otherwise(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved, code: int
) -> None:
    async with FakeIgd() as igd, speaking(monkeypatch) as fake:
        igd.faults["AddPortMapping"] = code
        async with connected(session, saved, igd.location) as gateway:
            await gateway.open(OPENING, 3600)
            assert fake.table == TABLE
            assert saved.memory.grants[OPENING.key].by is By.PCP
            asked = len(igd.requests)
            await gateway.open(OPENING, 3600)
            assert len(igd.requests) == asked  # it stays with what worked
            await gateway.close(OPENING.key)
            assert fake.table == {}


@pytest.mark.parametrize("code", [501, 606, 716, 718, 728, 729, 899])
async def test_a_port_that_is_refused_is_not_asked_for_otherwise(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved, code: int
) -> None:
    """PCP and NAT-PMP would open another one instead."""
    async with FakeIgd() as igd, speaking(monkeypatch) as fake:
        igd.faults["AddPortMapping"] = code
        async with connected(session, saved, igd.location) as gateway:
            with pytest.raises(ActionRefused, match=str(code)):
                await gateway.open(OPENING, 3600)
        assert fake.table == {}


async def test_what_all_refuse_is_told_in_the_words_of_upnp(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    async with FakeIgd() as igd, speaking(monkeypatch) as fake:
        igd.faults["AddPortMapping"] = 727
        fake.refuses = True
        async with connected(session, saved, igd.location) as gateway:
            with pytest.raises(ActionRefused, match="727"):
                await gateway.open(OPENING, 3600)
            assert saved.memory.grants == {}


async def test_a_taken_port_is_not_moved_elsewhere(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    async with FakeIgd() as igd, speaking(monkeypatch) as fake:
        foreign = Entry(
            protocol="TCP", external_port=18123, internal_client="192.168.1.20", internal_port=80
        )
        igd.table[foreign.key] = foreign
        async with connected(session, saved, igd.location) as gateway:
            with pytest.raises(PortTaken):
                await gateway.open(OPENING, 3600)
        assert fake.table == {}


async def test_the_lease_that_was_learned_is_kept(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    async with FakeIgd(quirks=[Quirk.ONLY_PERMANENT]) as igd:
        async with connected(session, saved, igd.location) as gateway:
            assert await gateway.open(OPENING, 3600) == Granted(18123, 0)
        assert saved.memory.lease_rule == 0
        await saved.save()
        saved.crash()
        asked = len(igd.requests)
        async with connected(session, saved, igd.location) as gateway:
            await gateway.open(OPENING, 3600)
        adds = [action for action, _ in igd.requests[asked:] if action == "AddPortMapping"]
        assert len(adds) == 1


async def test_another_host_needs_more_than_natpmp(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    other = replace(OPENING, internal_client=IPv4Address("192.168.1.20"))
    async with speaking(monkeypatch, pcp=False) as fake, connected(session, saved) as gateway:
        with pytest.raises(ActionRefused, match="718"):
            await gateway.open(other, 3600)
        assert fake.table == {}


async def test_a_refusal_of_pcp_is_told(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    async with (
        speaking(monkeypatch, natpmp=False) as fake,
        connected(session, saved) as gateway,
    ):
        fake.refuses = True
        with pytest.raises(PcpRefused, match="2"):
            await gateway.open(OPENING, 3600)


async def test_many_mappings_are_read_back_in_few_requests(
    session: aiohttp.ClientSession, saved: Saved
) -> None:
    openings = [replace(OPENING, external_port=port) for port in range(18000, 18050)]
    async with (
        FakeIgd(connection=Connection.WANIP2) as igd,
        connected(session, saved, igd.location) as gateway,
    ):
        await gateway.wan_status()
        for opening in openings:
            await gateway.open(opening, 3600)
            assert await gateway.mapping(opening.key)
        await gateway.wan_status()
        asked = len(igd.requests)
        for opening in openings:
            found = await gateway.mapping(opening.key)
            assert found
            assert found.is_of(opening)
        assert len(igd.requests) - asked <= 4
        # What we have changed since is read anew.
        await gateway.close(openings[0].key)
        assert await gateway.mapping(openings[0].key) is None
        await gateway.open(openings[0], 3600)
        assert await gateway.mapping(openings[0].key)


async def test_a_list_is_not_believed_for_long(
    session: aiohttp.ClientSession, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_FRESH", 0.0)
    openings = [replace(OPENING, external_port=port) for port in range(18000, 18010)]
    async with (
        FakeIgd(connection=Connection.WANIP2) as igd,
        connected(session, saved, igd.location) as gateway,
    ):
        for _ in range(2):
            await gateway.wan_status()
            for opening in openings:
                assert await gateway.mapping(opening.key) is None
        await Igd.open(gateway.igd, openings[3], 3600)  # type: ignore[arg-type]
        assert await gateway.mapping(openings[3].key)
