"""What is remembered over a crash, and what becomes of it at the next start."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import instance_id
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.coordinator.data import mapping_tag
from tests.fakes.demo import DemoHome
from tests.fakes.igd import Entry
from tests.integration.conftest import entry_for
from tests.integration.steps import foreign, hostname, port, readings, sent, state_of, until


async def remembered(hass: HomeAssistant, home: DemoHome, external_port: int) -> dict[str, Any]:
    """Return an opening as it is stored."""
    return {
        "protocol": "TCP",
        "external_port": external_port,
        "internal_client": "127.0.0.1",
        "internal_port": home.facts.game_port,
        "description": mapping_tag(await instance_id.async_get(hass)),
    }


def on_the_router(home: DemoHome, opening: dict[str, Any]) -> Entry:
    """Put an opening into the router's table."""
    entry = Entry(**opening)
    home.igd.table[entry.key] = entry
    return entry


async def start(
    hass: HomeAssistant, entry: MockConfigEntry, storage: dict[str, Any], data: Any
) -> None:
    """Set an entry up that finds this in its store."""
    key = f"homeport.{entry.entry_id}"
    storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": data}
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: entry.runtime_data.line.gateway_answers)


def openings(entry: MockConfigEntry, storage: dict[str, Any]) -> Any:
    """Return what is remembered as opened."""
    return storage[f"homeport.{entry.entry_id}"]["data"]["openings"]


async def test_wanted_and_gone(
    hass: HomeAssistant, home: DemoHome, hass_storage: dict[str, Any]
) -> None:
    game = port(home)
    entry = entry_for(home, game)
    opening = await remembered(hass, home, home.facts.game_port + 1)
    data = {"wanted": [game.subentry_id], "openings": {game.subentry_id: opening}}
    await start(hass, entry, hass_storage, data)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert len(home.igd.table) == 1


async def test_wanted_and_there(
    hass: HomeAssistant, home: DemoHome, hass_storage: dict[str, Any]
) -> None:
    game = port(home)
    entry = entry_for(home, game)
    opening = await remembered(hass, home, home.facts.game_port + 1)
    on_the_router(home, opening)
    data = {"wanted": [game.subentry_id], "openings": {game.subentry_id: opening}}
    await start(hass, entry, hass_storage, data)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert not sent(home, "AddPortMapping")


async def test_not_wanted_and_there(
    hass: HomeAssistant, home: DemoHome, hass_storage: dict[str, Any]
) -> None:
    game = port(home)
    entry = entry_for(home, game)
    opening = await remembered(hass, home, home.facts.game_port + 1)
    on_the_router(home, opening)
    await start(hass, entry, hass_storage, {"openings": {game.subentry_id: opening}})
    await until(lambda: not home.igd.table)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    assert openings(entry, hass_storage) == {}


async def test_not_wanted_and_gone(
    hass: HomeAssistant, home: DemoHome, hass_storage: dict[str, Any]
) -> None:
    game = port(home)
    entry = entry_for(home, game)
    opening = await remembered(hass, home, home.facts.game_port + 1)
    await start(hass, entry, hass_storage, {"openings": {game.subentry_id: opening}})
    await until(lambda: openings(entry, hass_storage) == {})
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    assert not sent(home, "AddPortMapping")
    assert not sent(home, "DeletePortMapping")


async def test_changed_while_not_loaded(
    hass: HomeAssistant, home: DemoHome, hass_storage: dict[str, Any]
) -> None:
    game = port(home, external_port=25570)
    entry = entry_for(home, game)
    opening = await remembered(hass, home, 25569)
    on_the_router(home, opening)
    data = {"wanted": [game.subentry_id], "openings": {game.subentry_id: opening}}
    await start(hass, entry, hass_storage, data)
    await until(lambda: [each.external_port for each in home.igd.table.values()] == [25570])


async def test_port_that_is_gone(
    hass: HomeAssistant, home: DemoHome, hass_storage: dict[str, Any]
) -> None:
    entry = entry_for(home)
    opening = await remembered(hass, home, 25570)
    on_the_router(home, opening)
    await start(hass, entry, hass_storage, {"wanted": ["gone"], "openings": {"gone": opening}})
    await until(lambda: not home.igd.table)
    await until(lambda: openings(entry, hass_storage) == {})


async def test_what_another_device_has_now_is_not_closed(
    hass: HomeAssistant, home: DemoHome, hass_storage: dict[str, Any]
) -> None:
    entry = entry_for(home)
    theirs = foreign(home, 25570)
    opening = await remembered(hass, home, 25570)
    await start(hass, entry, hass_storage, {"openings": {"gone": opening}})
    await until(lambda: openings(entry, hass_storage) == {})
    assert list(home.igd.table.values()) == [theirs]


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"wanted": 7, "openings": [], "hostnames": None},
        {"wanted": [{}, 1], "openings": {"x": None, "y": {"protocol": "SCTP"}}, "hostnames": []},
        {"hostnames": {"SITE": {"status": "no such"}}},
        {"hostnames": {"SITE": "ok"}},
    ],
)
async def test_damaged_store(
    hass: HomeAssistant, home: DemoHome, hass_storage: dict[str, Any], data: Any
) -> None:
    game, site = port(home), hostname(home)
    if isinstance(data, dict) and isinstance(data.get("hostnames"), dict):
        data = {"hostnames": {site.subentry_id: data["hostnames"]["SITE"]}}
    entry = entry_for(home, game, site)
    await start(hass, entry, hass_storage, data)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    await readings(hass, entry, home)
    assert not home.igd.table


async def test_opening_is_remembered_before_it_is_asked_for(
    hass: HomeAssistant, home: DemoHome, hass_storage: dict[str, Any]
) -> None:
    game = port(home)
    entry = entry_for(home, game)
    await start(hass, entry, hass_storage, {})
    stored: list[Any] = []
    answer = home.igd._router.answer

    def watched(action: str, *rest: Any) -> Any:
        if action == "AddPortMapping":
            stored.append(dict(openings(entry, hass_storage)))
        return answer(action, *rest)

    home.igd._router.answer = watched
    target = {"entity_id": "switch.game"}
    await hass.services.async_call("switch", "turn_on", target, blocking=True)
    [known] = stored
    assert known[game.subentry_id]["external_port"] == home.facts.game_port + 1
