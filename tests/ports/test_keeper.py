"""The keeper against a gateway on loopback: what is on the gateway is what is wanted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import IPv4Address

import aiohttp
import pytest

from custom_components.homeport.gateway import (
    ActionRefused,
    GatewayUnreachable,
    Igd,
    Opening,
    Transport,
)
from custom_components.homeport.ports import Keeper, MappingState, NotDeleted
from custom_components.homeport.ports.plan import LEASE
from tests.fakes.conftest import _nothing_left
from tests.fakes.igd import Entry, FakeIgd, Quirk
from tests.fakes.reply import Reply

__all__ = ["_nothing_left"]

A = Opening(Transport.TCP, 18123, IPv4Address("127.0.0.1"), 8123, "Homeport")
B = replace(A, external_port=18124)
CONSOLE = Entry(
    protocol="TCP",
    external_port=18123,
    internal_client="127.0.0.99",
    internal_port=9,
    description="console",
)


class Home:
    """A gateway, its clock, and a keeper with a memory that counts how often it was saved."""

    def __init__(self, fake: FakeIgd, igd: Igd, now: list[float]) -> None:
        self.fake = fake
        self.igd = igd
        self.now = now
        self.saved: list[dict[str, Opening]] = []
        self.keeper = Keeper({}, self._save)

    async def _save(self) -> None:
        await asyncio.sleep(0)
        self.saved.append(dict(self.keeper.remembered))

    async def keep(self, opening: Opening = A, *, wanted: bool = True) -> MappingState:
        return (await self.keeper.keep(self.igd, "port", opening, wanted=wanted)).state

    @property
    def actions(self) -> list[str]:
        """What changed the gateway's table, in order."""
        return [name for name, _ in self.fake.requests if not name.startswith("Get")]

    @property
    def ports(self) -> list[int]:
        """The external ports that are open."""
        return sorted(port for _, port, _ in self.fake.table)


async def a_home(*quirks: Quirk) -> AsyncIterator[Home]:
    now = [0.0]
    async with (
        FakeIgd(quirks=quirks, clock=lambda: now[0]) as fake,
        aiohttp.ClientSession() as session,
    ):
        yield Home(fake, await Igd.connect(session, fake.location), now)


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    async for made in a_home():
        yield made


@pytest.fixture
async def forgetful() -> AsyncIterator[Home]:
    """Give a home whose gateway loses every mapping with a lease."""
    async for made in a_home(Quirk.FINITE_VANISHES):
        yield made


async def test_a_port_is_opened_kept_and_closed(home: Home) -> None:
    assert await home.keep(wanted=False) is MappingState.CLOSED
    assert home.actions == []
    assert await home.keep() is MappingState.OPEN
    assert await home.keep() is MappingState.OPEN
    assert home.actions == ["AddPortMapping"]
    assert home.fake.table["TCP", 18123, ""].lease == LEASE
    assert await home.keep(wanted=False) is MappingState.CLOSED
    assert home.actions == ["AddPortMapping", "DeletePortMapping"]
    assert (home.ports, home.keeper.remembered) == ([], {})


async def test_it_is_remembered_before_it_is_opened(home: Home) -> None:
    """A crash in between leaves nothing behind that nobody knows of."""
    home.fake.faults["AddPortMapping"] = 501
    with pytest.raises(ActionRefused):
        await home.keep()
    assert home.saved == [{"port": A}]
    assert home.keeper.remembered == {"port": A}
    assert await home.keep(wanted=False) is MappingState.CLOSED
    assert home.saved[-1] == {}


async def test_a_lease_is_renewed_at_half_its_time(home: Home) -> None:
    await home.keep()
    home.now[0] = LEASE / 2 - 1
    await home.keep()
    assert home.actions == ["AddPortMapping"]
    home.now[0] = LEASE / 2
    await home.keep()
    assert home.actions == ["AddPortMapping"] * 2
    assert home.fake.table["TCP", 18123, ""].remaining(home.now[0]) == LEASE
    assert len(home.saved) == 1


async def test_a_lease_that_was_cut_is_renewed_at_half_of_what_it_is(home: Home) -> None:
    home.fake._router.table._longest_lease = 120
    await home.keep()
    assert home.fake.table["TCP", 18123, ""].lease == 120
    home.now[0] = 59
    await home.keep()
    assert home.actions == ["AddPortMapping"]
    home.now[0] = 60
    await home.keep()
    assert home.actions == ["AddPortMapping"] * 2


@pytest.mark.parametrize("quirk", [Quirk.ONLY_PERMANENT, Quirk.ONLY_PERMANENT_402])
async def test_a_gateway_that_knows_no_leases_is_told_to_close(quirk: Quirk) -> None:
    async for home in a_home(quirk):
        assert await home.keep() is MappingState.OPEN
        assert home.fake.table["TCP", 18123, ""].lease == 0
        assert home.keeper.remembered == {"port": A}
        before = len(home.actions)
        assert await home.keep() is MappingState.OPEN
        assert len(home.actions) == before
        assert await home.keep(wanted=False) is MappingState.CLOSED
        assert (home.ports, home.keeper.remembered) == ([], {})


async def test_what_the_gateway_lost_is_opened_again(home: Home) -> None:
    await home.keep()
    home.fake.table.clear()
    assert await home.keep() is MappingState.OPEN
    assert home.ports == [18123]


async def test_a_gateway_that_keeps_nothing_is_not_believed(forgetful: Home) -> None:
    assert await forgetful.keep() is MappingState.MISSING
    assert await forgetful.keep(wanted=False) is MappingState.CLOSED


async def test_a_foreign_mapping_is_left_alone(home: Home) -> None:
    home.fake.table[CONSOLE.key] = CONSOLE
    kept = await home.keeper.keep(home.igd, "port", A, wanted=True)
    assert kept.state is MappingState.FOREIGN
    assert kept.mapping is not None
    assert kept.mapping.internal_client == "127.0.0.99"
    assert await home.keep(wanted=False) is MappingState.CLOSED
    await home.keeper.close(home.igd, "port")
    assert home.actions == []
    assert home.fake.table == {CONSOLE.key: CONSOLE}


async def test_our_own_mapping_with_another_target_is_not_overwritten(home: Home) -> None:
    """The gateway itself would let the same client replace it without a word."""
    other = replace(CONSOLE, internal_client="127.0.0.1")
    home.fake.table[other.key] = other
    assert await home.keep() is MappingState.FOREIGN
    assert home.fake.table == {other.key: other}


async def test_a_foreign_mapping_that_took_our_place_is_not_deleted(home: Home) -> None:
    await home.keep()
    home.fake.table[CONSOLE.key] = CONSOLE
    assert await home.keep(wanted=False) is MappingState.CLOSED
    assert home.fake.table == {CONSOLE.key: CONSOLE}
    assert home.keeper.remembered == {}


async def test_a_changed_port_moves(home: Home) -> None:
    await home.keep()
    assert await home.keep(B) is MappingState.OPEN
    assert home.ports == [18124]
    assert home.saved[-1] == {"port": B}
    changed = replace(B, internal_port=1)
    assert await home.keep(changed) is MappingState.OPEN
    assert home.fake.table["TCP", 18124, ""].internal_port == 1
    assert home.ports == [18124]


async def test_a_foreign_mapping_that_comes_to_light_is_not_overwritten(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some gateways hold several mappings for a port, and show the next when one is deleted."""
    close = home.igd.close

    async def close_and_show(key: tuple[Transport, int]) -> None:
        await close(key)
        home.fake.table[CONSOLE.key] = replace(CONSOLE, internal_client="127.0.0.1")

    await home.keep()
    monkeypatch.setattr(home.igd, "close", close_and_show)
    assert await home.keep(replace(A, internal_port=1)) is MappingState.FOREIGN
    assert home.fake.table[CONSOLE.key].internal_port == CONSOLE.internal_port
    assert home.keeper.remembered == {}


async def test_a_gateway_that_only_says_that_it_deleted(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def close(_: tuple[Transport, int]) -> None:
        """Say yes and do nothing."""

    await home.keep()
    monkeypatch.setattr(home.igd, "close", close)
    with pytest.raises(NotDeleted) as caught:
        await home.keep(wanted=False)
    assert caught.value.translation_key == "mapping_not_deleted"
    assert home.keeper.remembered == {"port": A}


async def test_what_is_closed_is_what_was_opened(home: Home) -> None:
    """Closing needs no more than the memory: the subentry may be gone."""
    await home.keep()
    await home.keeper.close(home.igd, "port")
    assert (home.ports, home.keeper.remembered, home.saved[-1]) == ([], {}, {})
    await home.keeper.close(home.igd, "port")
    await home.keeper.close(home.igd, "unheard of")
    assert home.actions.count("DeletePortMapping") == 1


async def test_a_gateway_that_is_away_makes_nothing_forgotten(home: Home) -> None:
    await home.keep()
    home.fake.control = Reply(drop=True)
    for wanted in (True, False):
        with pytest.raises(GatewayUnreachable):
            await home.keep(wanted=wanted)
    with pytest.raises(GatewayUnreachable):
        await home.keeper.close(home.igd, "port")
    assert home.keeper.remembered == {"port": A}


async def test_one_change_at_a_time(home: Home) -> None:
    """Switching to and fro in haste ends in the last wish, and in nothing else."""
    wishes = [True, False] * 5 + [True]
    await asyncio.gather(*(home.keep(wanted=wanted) for wanted in wishes))
    assert home.ports == [18123]
    assert home.keeper.remembered == {"port": A}
    assert home.actions == ["AddPortMapping", "DeletePortMapping"] * 5 + ["AddPortMapping"]


async def test_two_ports_do_not_disturb_each_other(home: Home) -> None:
    keep = home.keeper.keep
    await asyncio.gather(keep(home.igd, "a", A, wanted=True), keep(home.igd, "b", B, wanted=True))
    assert home.ports == [18123, 18124]
    await home.keeper.close(home.igd, "a")
    assert home.ports == [18124]
    assert home.keeper.remembered == {"b": B}


async def test_at_the_end_everything_is_closed_and_nothing_opened_again(home: Home) -> None:
    keeper = home.keeper
    for port_id, opening in (("a", A), ("b", B)):
        await keeper.keep(home.igd, port_id, opening, wanted=True)
    home.fake.faults["DeletePortMapping"] = [606]

    async def connect() -> Igd:
        return home.igd

    with pytest.raises(ActionRefused):
        await keeper.close_all(connect)
    assert (home.ports, keeper.remembered) == ([18123], {"a": A})
    await keeper.close_all(connect)
    assert (home.ports, keeper.remembered) == ([], {})
    kept = await keeper.keep(home.igd, "a", A, wanted=True)
    assert kept.state is MappingState.CLOSED
    assert home.ports == []


async def test_at_the_end_a_gateway_is_looked_for_only_where_something_is_open(home: Home) -> None:
    asked: list[None] = []

    async def connect() -> Igd:
        asked.append(None)
        raise GatewayUnreachable

    await home.keeper.close_all(connect)
    assert asked == []
    home.keeper.remembered["port"] = A
    with pytest.raises(GatewayUnreachable):
        await home.keeper.close_all(connect)
    assert home.keeper.remembered == {"port": A}


async def test_at_the_end_a_gateway_that_is_away_makes_nothing_forgotten(home: Home) -> None:
    for port_id, opening in (("a", A), ("b", B)):
        await home.keeper.keep(home.igd, port_id, opening, wanted=True)
    home.fake.control = Reply.html_error()

    async def connect() -> Igd:
        return home.igd

    with pytest.raises(GatewayUnreachable):
        await home.keeper.close_all(connect)
    assert home.keeper.remembered == {"a": A, "b": B}
