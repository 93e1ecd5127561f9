"""Changes of the subentries that come faster than they can be carried out."""

import asyncio
from contextlib import suppress

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.homeport.store import HomeportStore
from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.steps import DEADLINE, entity_of, hostname, port, state_of, switch, until


async def test_removed_and_added_in_one_breath(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    game, name = port(home), hostname(home)
    entry = await set_up(game, hostname(home, hostname="gone.homeport.example"))
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    await switch(hass, entry, game, "on")
    gone = next(iter(set(entry.subentries) - {game.subentry_id}))
    disk, waiting, save = asyncio.Event(), [], HomeportStore.save

    async def save_slowly(store: HomeportStore) -> None:
        waiting.append(store)
        with suppress(TimeoutError):
            await asyncio.wait_for(disk.wait(), DEADLINE / 2)
        await save(store)

    monkeypatch.setattr(HomeportStore, "save", save_slowly)
    for subentry_id in gone, game.subentry_id:
        hass.config_entries.async_remove_subentry(entry, subentry_id)
    await until(lambda: waiting)
    other = port(home, "Other", external_port=40100)
    for subentry in other, name:
        hass.config_entries.async_add_subentry(entry, subentry)
    await asyncio.sleep(0)
    disk.set()
    await until(lambda: name.subentry_id in entry.runtime_data.hostnames)
    await hass.async_block_till_done()
    await until(lambda: state_of(hass, entry, "status", name) == "ok")
    assert set(entry.runtime_data.ports) == {other.subentry_id}
    assert set(entry.runtime_data.hostnames) == {name.subentry_id}
    assert entity_of(hass, entry, "open", other)
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert {each.config_subentry_id for each in registered} == {
        None,
        other.subentry_id,
        name.subentry_id,
    }
    await until(lambda: not home.igd.table)
    assert "does not generate unique IDs" not in caplog.text
