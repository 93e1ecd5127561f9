"""What stays and what goes when an entry is unloaded, disabled, changed or removed."""

import asyncio
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest

from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    entity_of,
    foreign,
    hostname,
    later,
    opened,
    port,
    readings,
    sent,
    state_of,
    until,
)


async def test_unload_keeps_mappings_and_ends_the_rest(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game, hostname(home))
    await opened(hass, entry, game)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert home.igd.subscriptions == 0
    assert len(home.igd.table) == 1
    asked = len(home.igd.requests), len(home.outside.requests)
    await later(hass, hours=6)
    await home.igd.changed()
    await hass.async_block_till_done()
    assert (len(home.igd.requests), len(home.outside.requests)) == asked


async def test_stop_of_home_assistant_ends_the_subscription(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game, hostname(home))
    await opened(hass, entry, game)
    await hass.async_stop()
    assert home.igd.subscriptions == 0
    assert len(home.igd.table) == 1


async def test_reload_keeps_mappings(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert len(sent(home, "AddPortMapping")) == 1
    assert not sent(home, "DeletePortMapping")
    await until(lambda: home.igd.subscriptions == 1)


async def test_removed_port_is_closed(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game, other = port(home), port(home, "Other", external_port=25566)
    entry = await set_up(game, other)
    await opened(hass, entry, game, other)
    entity = entity_of(hass, entry, "open", game)
    hass.config_entries.async_remove_subentry(entry, game.subentry_id)
    await until(lambda: [each.external_port for each in home.igd.table.values()] == [25566])
    assert hass.states.get(entity) is None
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert {device.name for device in devices} == {"Internet line", "Other"}
    assert state_of(hass, entry, "open", other) == "on"


async def test_port_removed_while_the_router_is_down(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.control = Reply(drop=True)
    await entry.runtime_data.line.async_refresh()
    hass.config_entries.async_remove_subentry(entry, game.subentry_id)
    await hass.async_block_till_done()
    assert home.igd.table
    home.igd.control = None
    await later(hass, seconds=31)
    await until(lambda: not home.igd.table)


async def test_port_removed_while_not_loaded(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_remove_subentry(entry, game.subentry_id)
    await hass.async_block_till_done()
    assert home.igd.table
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: not home.igd.table)


async def test_disabling_closes_and_enabling_opens(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    ports = [port(home, f"P{n}", external_port=26000 + n) for n in range(4)]
    entry = await set_up(*ports)
    await opened(hass, entry, *ports)
    theirs = foreign(home, 25570)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert list(home.igd.table.values()) == [theirs]
    assert home.igd.subscriptions == 0

    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await until(lambda: len(home.igd.table) == 5)
    for each in ports:
        await until(lambda at=each: state_of(hass, entry, "open", at) == "on")


async def test_reading_while_disabling_opens_nothing_again(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    ports = [port(home, f"P{n}", external_port=26000 + n) for n in range(4)]
    entry = await set_up(*ports)
    await opened(hass, entry, *ports)
    answer, line = home.igd._router.answer, entry.runtime_data.line
    readings_begun = []

    def answer_and_have_read(action: str, *rest: Any) -> Any:
        if action == "DeletePortMapping" and not readings_begun:
            readings_begun.append(asyncio.create_task(line.async_refresh()))
        return answer(action, *rest)

    home.igd._router.answer = answer_and_have_read
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await asyncio.gather(*readings_begun)
    await hass.async_block_till_done()
    assert readings_begun
    assert not home.igd.table


async def test_disabling_while_the_router_is_down(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
    hass_storage: dict[str, Any],
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.description = home.igd.control = Reply(drop=True)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert hass_storage[f"homeport.{entry.entry_id}"]["data"]["openings"]
    assert "The router could not be told to close 1 port(s)" in caplog.text


async def test_removing_the_entry_closes_everything(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    ports = [port(home, f"P{n}", external_port=26000 + n) for n in range(3)]
    entry = await set_up(*ports, hostname(home))
    await opened(hass, entry, *ports)
    theirs = foreign(home, 25570)
    assert f"homeport.{entry.entry_id}" in hass_storage
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert list(home.igd.table.values()) == [theirs]
    assert home.igd.subscriptions == 0
    assert not [key for key in hass_storage if key.startswith("homeport.")]
    assert not dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)


async def test_removing_an_entry_that_is_not_loaded(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not home.igd.table


async def test_one_refusal_does_not_leave_the_others_open(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    ports = [port(home, f"P{n}", external_port=26000 + n) for n in range(3)]
    entry = await set_up(*ports)
    await opened(hass, entry, *ports)
    home.igd.faults["DeletePortMapping"] = [606]
    await hass.config_entries.async_remove(entry.entry_id)
    assert len(home.igd.table) == 1
    assert "could not be told to close 1 port(s)" in caplog.text


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Homeport give up closing much sooner."""
    monkeypatch.setattr("custom_components.homeport._CLOSE_TIMEOUT", 0.2)


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("reply", [Reply(drop=True), Reply(hang=True)])
async def test_removing_the_entry_while_the_router_is_down(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
    reply: Reply,
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.control = home.igd.description = reply
    await hass.config_entries.async_remove(entry.entry_id)
    assert "The router could not be told to close 1 port(s)" in caplog.text
    assert not hass.config_entries.async_entries("homeport")


async def test_removing_a_line_without_a_gateway(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await set_up(port(home), gateway=False)
    await hass.config_entries.async_remove(entry.entry_id)
    assert "could not be told" not in caplog.text
    assert not home.igd.requests


async def test_renamed_port_renames_its_device(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    data = entry.runtime_data
    changed = entry.subentries[game.subentry_id]
    hass.config_entries.async_update_subentry(entry, changed, title="Shooter")
    await hass.async_block_till_done()
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert {device.name for device in devices} == {"Internet line", "Shooter"}
    assert entry.runtime_data is data
    await readings(hass, entry, home)
    assert state_of(hass, entry, "open", game) == "off"


async def test_two_lines(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game, other = port(home), port(home, "Other")
    entry, without = await set_up(game), await set_up(other, gateway=False)
    await opened(hass, entry, game)
    devices = dr.async_get(hass)
    lines = [
        {device.id for device in dr.async_entries_for_config_entry(devices, each.entry_id)}
        for each in (entry, without)
    ]
    assert [len(ids) for ids in lines] == [2, 2]
    assert not lines[0] & lines[1]
    await hass.config_entries.async_remove(without.entry_id)
    assert state_of(hass, entry, "open", game) == "on"
    assert len(home.igd.table) == 1
