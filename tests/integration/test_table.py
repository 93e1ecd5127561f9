"""The router's whole table: the list of it, and what other devices change in it."""

from collections.abc import Iterable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.const import DOMAIN
from custom_components.homeport.diagnostics import async_get_config_entry_diagnostics
from custom_components.homeport.gateway import MappingKey, PortMapping
from tests.fakes.demo import DemoHome
from tests.fakes.igd import Entry
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    TEXTS,
    entity_of,
    fails,
    foreign,
    later,
    opened,
    port,
    readings,
    sent,
    state_of,
    switch,
    until,
)


async def mappings(hass: HomeAssistant, entry: MockConfigEntry) -> list[dict[str, Any]]:
    """Call the action; return the rows of its response."""
    answer: Any = await hass.services.async_call(
        "homeport",
        "list_mappings",
        {"config_entry_id": entry.entry_id},
        blocking=True,
        return_response=True,
    )
    assert list(answer) == ["mappings"]
    rows: list[dict[str, Any]] = answer["mappings"]
    return rows


async def test_list(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home, external_port=40001)
    entry = await set_up(game)
    assert await mappings(hass, entry) == []
    foreign(home, 40000)
    await opened(hass, entry, game)
    theirs, ours = await mappings(hass, entry)
    assert theirs == {
        "protocol": "TCP",
        "external_port": 40000,
        "remote_host": None,
        "internal_client": "127.0.0.9",
        "internal_port": 4711,
        "description": "Console",
        "enabled": True,
        "lease": 0,
        "ours": False,
        "name": None,
    }
    assert ours["description"].startswith("Homeport ")
    assert (ours["external_port"], ours["ours"], ours["name"]) == (40001, True, "Game")
    assert 0 < ours["lease"] <= 7200


async def test_what_only_looks_like_ours(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home, external_port=40001)
    entry = await set_up(game)
    await opened(hass, entry, game)
    [(key, ours)] = home.igd.table.items()
    home.igd.table["UDP", 40001, ""] = Entry(
        protocol="UDP",
        external_port=40001,
        internal_client=ours.internal_client,
        internal_port=ours.internal_port,
        description=ours.description,
    )
    assert [(row["protocol"], row["ours"]) for row in await mappings(hass, entry)] == [
        ("TCP", True),
        ("UDP", False),
    ]
    assert key in home.igd.table


async def test_long_list(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    for at in range(300):
        foreign(home, 30000 + at)
    rows = await mappings(hass, entry)
    assert [row["external_port"] for row in rows] == [*range(30000, 30300)]


async def test_router_that_is_silent(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    home.igd.control = Reply(drop=True)
    with fails("gateway_unreachable"):
        await mappings(hass, entry)
    await entry.runtime_data.line.async_refresh()
    with fails("gateway_unreachable"):
        await mappings(hass, entry)


# --- What others change --------------------------------------------------------------------------


class Heard:
    """The states of the event entity."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        self._hass = hass
        self._entity = entity_of(hass, entry, "mappings")
        self.events: list[tuple[Any, ...]] = []
        hass.bus.async_listen("state_changed", self._changed)

    def _changed(self, event: Any) -> None:
        state = event.data["new_state"]
        if event.data["entity_id"] == self._entity and state and state.attributes.get("event_type"):
            names = "event_type", "protocol", "external_port", "internal_client"
            names += "internal_port", "description"
            self.events.append(tuple(state.attributes[name] for name in names))


async def table_read(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Have the table read, as in its turn."""
    # The last reading was not long ago: the next one waits until the gap is over.
    await later(hass, seconds=11)
    read: list[None] = []
    stop = entry.runtime_data.table.async_add_listener(lambda: read.append(None))
    await entry.runtime_data.line.async_refresh()
    await later(hass, seconds=11)
    await until(lambda: read)
    stop()
    await hass.async_block_till_done()


async def test_others_open_and_close(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    first = foreign(home, 40000)
    game = port(home, external_port=40009)
    entry = await set_up(game)
    await until(lambda: entry.runtime_data.table.data)
    heard = Heard(hass, entry)
    assert state_of(hass, entry, "mappings") == "unknown"
    await opened(hass, entry, game)
    await table_read(hass, entry)
    # What was there before, and what we do ourselves, is no news.
    assert heard.events == []

    foreign(home, 40001)
    del home.igd.table[first.key]
    await switch(hass, entry, game, "off")
    await table_read(hass, entry)
    about = "127.0.0.9", 4711, "Console"
    # In which order depends on a reading that may have been under way.
    assert sorted(heard.events) == [
        ("mapping_added", "TCP", 40001, *about),
        ("mapping_removed", "TCP", 40000, *about),
    ]
    await table_read(hass, entry)
    assert len(heard.events) == 2
    types = TEXTS["entity"]["event"]["mappings"]["state_attributes"]["event_type"]["state"]
    assert set(types) == {"mapping_removed", "mapping_added"}


async def test_what_is_closed_during_the_reading_is_ours_all_the_same(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home, external_port=40009)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert len(await mappings(hass, entry)) == 1
    heard = Heard(hass, entry)
    gateway = entry.runtime_data.line.gateway
    read = gateway.mappings

    async def slow(keys: Iterable[MappingKey] = ()) -> list[PortMapping]:
        found: list[PortMapping] = await read(keys)
        hass.config_entries.async_remove_subentry(entry, game.subentry_id)
        await until(lambda: not home.igd.table)
        await until(lambda: not entry.runtime_data.keeper.remembered)
        return found

    gateway.mappings = slow
    assert [row["ours"] for row in await mappings(hass, entry)] == [True]
    gateway.mappings = read
    assert await mappings(hass, entry) == []
    assert heard.events == []


async def test_diagnostics_count(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home, external_port=40009, close_after=5)
    entry = await set_up(game)
    foreign(home, 40000)
    await opened(hass, entry, game)
    await mappings(hass, entry)
    shown = await async_get_config_entry_diagnostics(hass, entry)
    assert shown["table"] == {"mappings": 2, "ours": 1}
    [about_port] = shown["ports"]
    assert (about_port["by_hand"], about_port["closes_by_timer"]) == (False, True)


async def test_an_event_of_the_router_is_enough(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    await until(lambda: entry.runtime_data.table.data is not None)
    heard = Heard(hass, entry)
    foreign(home, 40001)
    await home.igd.changed()
    await later(hass, seconds=1)
    await later(hass, seconds=11)
    await until(lambda: heard.events)
    assert heard.events[0][:3] == ("mapping_added", "TCP", 40001)


async def test_flood_of_readings(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    """However often the router is read, and whatever it makes up, it stays bearable."""
    entry = await set_up()
    await until(lambda: entry.runtime_data.table.data is not None)
    heard = Heard(hass, entry)
    before = len(sent(home, "GetGenericPortMappingEntry"))
    for _ in range(50):
        await entry.runtime_data.line.async_refresh()
    assert len(sent(home, "GetGenericPortMappingEntry")) == before
    for at in range(300):
        foreign(home, 30000 + at)
    await later(hass, seconds=11)
    await until(lambda: len(entry.runtime_data.table.data or ()) == 300)
    await hass.async_block_till_done()
    assert len(heard.events) == 50


async def test_silence_is_no_removal(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    foreign(home, 40000)
    entry = await set_up()
    await until(lambda: entry.runtime_data.table.data)
    heard = Heard(hass, entry)
    home.igd.faults["GetGenericPortMappingEntry"] = 501
    with fails("upnp_501"):
        await mappings(hass, entry)
    del home.igd.faults["GetGenericPortMappingEntry"]
    assert len(await mappings(hass, entry)) == 1
    assert heard.events == []


async def test_restart_tells_nothing(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    heard = Heard(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    foreign(home, 40000)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: entry.runtime_data.table.data)
    assert heard.events == []


async def test_number_of_mappings(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    entity = entity_of(hass, entry, "mapping_count")
    registered = er.async_get(hass).async_get(entity)
    assert registered
    assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert registered.entity_category == "diagnostic"
    er.async_get(hass).async_update_entity(entity, disabled_by=None)
    foreign(home, 40000)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: state_of(hass, entry, "mapping_count") == "1")
    home.igd.control = Reply(drop=True)
    await later(hass, seconds=11)
    with fails("gateway_unreachable"):
        await mappings(hass, entry)
    await entry.runtime_data.table.async_refresh()
    assert state_of(hass, entry, "mapping_count") == "unavailable"


# --- Another device has the port -----------------------------------------------------------------


def conflict(hass: HomeAssistant, subentry_id: str) -> ir.IssueEntry | None:
    """Return the issue about another device's mapping, if there is one."""
    found = ir.async_get(hass).async_get_issue(DOMAIN, f"foreign_mapping_{subentry_id}")
    return found if found and found.active else None


async def test_conflict_names_the_holder(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home, external_port=40001)
    entry = await set_up(game)
    theirs = foreign(home, 40001)
    await readings(hass, entry, home)
    assert not conflict(hass, game.subentry_id)
    with fails("foreign_mapping"):
        await switch(hass, entry, game, "on")
    issue = conflict(hass, game.subentry_id)
    assert issue
    assert not issue.is_fixable
    text = TEXTS["issues"]["foreign_mapping"]
    assert text["title"].format(**issue.translation_placeholders or {})
    description = text["description"].format(**issue.translation_placeholders or {})
    for part in "127.0.0.9", "Console", "40001", "4711", "Game":
        assert part in description

    # While the router is silent it is not known to be cured.
    home.igd.control = Reply(drop=True)
    await entry.runtime_data.line.async_refresh()
    await hass.async_block_till_done()
    assert conflict(hass, game.subentry_id)
    home.igd.control = None
    await readings(hass, entry, home)
    assert [*home.igd.table.values()] == [theirs]

    del home.igd.table[theirs.key]
    await readings(hass, entry, home)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert not conflict(hass, game.subentry_id)


async def test_conflict_that_is_not_wanted_any_more(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home, external_port=40001)
    entry = await set_up(game)
    foreign(home, 40001)
    with fails("foreign_mapping"):
        await switch(hass, entry, game, "on")
    await switch(hass, entry, game, "off")
    assert not conflict(hass, game.subentry_id)

    with fails("foreign_mapping"):
        await switch(hass, entry, game, "on")
    hass.config_entries.async_remove_subentry(entry, game.subentry_id)
    await until(lambda: not conflict(hass, game.subentry_id))


@pytest.mark.parametrize("text", ["`[click](http://evil.example)`", "a\n\n# Big", "", "x" * 500])
async def test_holder_cannot_break_out_of_its_place(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, text: str
) -> None:
    game = port(home, external_port=40001)
    entry = await set_up(game)
    home.igd.table["TCP", 40001, ""] = Entry(
        protocol="TCP",
        external_port=40001,
        internal_client="127.0.0.9",
        internal_port=4711,
        description=text,
    )
    with fails("foreign_mapping"):
        await switch(hass, entry, game, "on")
    issue = conflict(hass, game.subentry_id)
    assert issue
    assert issue.translation_placeholders
    shown = issue.translation_placeholders["description"]
    assert 0 < len(shown) <= 64
    assert not set("`\n") & set(shown)
