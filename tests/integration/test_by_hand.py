"""Ports that the user opens by hand on the router: they are looked at, and nothing else."""

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes.demo import DemoHome
from tests.fakes.igd import Entry
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    TEXTS,
    entity_of,
    errors,
    fails,
    later,
    opened,
    port,
    press,
    readings,
    sent,
    state_of,
    suggested,
    until,
)
from tests.integration.test_port_flow import GOOD, begin, send

STEP = TEXTS["config_subentries"]["port"]["step"]["by_hand"]

CHECKS = {"check", "reachability", "blocked_by", "last_check"}


def keys_of(hass: HomeAssistant, entry: MockConfigEntry, game: ConfigSubentry) -> set[str]:
    """Return the keys of all entities of a port."""
    registry = er.async_get(hass)
    before = f"{entry.entry_id}_{game.subentry_id}_"
    return {
        each.unique_id.removeprefix(before)
        for each in er.async_entries_for_config_entry(registry, entry.entry_id)
        if each.unique_id.startswith(before)
    }


def made_by_hand(home: DemoHome) -> Entry:
    """Put the user's own rule for the game into the router and return it."""
    outside = home.facts.game_port + 1
    rule = Entry(
        protocol="TCP",
        external_port=outside,
        internal_client="127.0.0.1",
        internal_port=home.facts.game_port,
        description="Mine",
    )
    home.igd.table[rule.key] = rule
    return rule


async def test_only_checks(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    rule = made_by_hand(home)
    game = port(home, by_hand=True)
    entry = await set_up(game)
    assert keys_of(hass, entry, game) == CHECKS
    await press(hass, entry, "check", game)
    # The router's table shows that the rule leads to the game.
    assert state_of(hass, entry, "reachability", game) == "reachable"
    entity = entity_of(hass, entry, "reachability", game)
    answer = await hass.services.async_call(
        "homeport", "check_port", {"entity_id": entity}, blocking=True, return_response=True
    )
    assert answer
    assert list(answer) == [entity]
    for action in "open_port", "close_port":
        with fails("opened_by_hand", ServiceValidationError):
            await hass.services.async_call("homeport", action, {"entity_id": entity}, blocking=True)
    await hass.services.async_call(
        "homeport", "close_all_ports", {"config_entry_id": entry.entry_id}, blocking=True
    )
    await entry.runtime_data.line.async_refresh()
    await later(hass, hours=1)
    assert [*home.igd.table.values()] == [rule]
    for action in "AddPortMapping", "DeletePortMapping":
        assert not sent(home, action)


async def test_removal_leaves_the_rule(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    rule = made_by_hand(home)
    game = port(home, by_hand=True)
    entry = await set_up(game)
    hass.config_entries.async_remove_subentry(entry, game.subentry_id)
    await hass.async_block_till_done()
    await later(hass, minutes=6)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert [*home.igd.table.values()] == [rule]


async def test_form(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    # A system port is no danger that comes from here.
    wanted = GOOD | {"by_hand": True, "external_port": "22"}
    result = await send(hass, await begin(hass, entry), wanted)
    assert result["step_id"] == "by_hand"
    placeholders = result["description_placeholders"]
    assert placeholders
    assert "let TCP 22 (IPv4) through to port 25565" in STEP["description"].format(**placeholders)
    assert (await send(hass, result, {}))["type"] == "create_entry"
    [subentry] = entry.subentries.values()
    assert subentry.data["by_hand"] is True
    await until(lambda: "reachability" in keys_of(hass, entry, subentry))
    assert "open" not in keys_of(hass, entry, subentry)


async def test_form_without_a_router(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up(gateway=False)
    result = await begin(hass, entry)
    assert result["data_schema"]
    assert not {"by_hand", "close_after"} & {str(key) for key in result["data_schema"].schema}
    wanted = {key: value for key, value in GOOD.items() if key != "by_hand"}
    result = await send(hass, result, wanted)
    assert result["step_id"] == "by_hand"
    assert (await send(hass, result, {}))["type"] == "create_entry"
    [subentry] = entry.subentries.values()
    assert keys_of(hass, entry, subentry) == CHECKS


async def test_form_without_a_router_keeps_what_it_does_not_ask(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home, close_after=30, by_hand=True)
    entry = await set_up(game, gateway=False)
    result = await begin(hass, entry, game.subentry_id)
    shown = suggested(result) | {"name": "New"}
    fields = {str(key) for key in result["data_schema"].schema}  # type: ignore[union-attr]
    result = await send(hass, result, {key: shown[key] for key in shown if key in fields})
    await send(hass, result, {})
    changed = entry.subentries[game.subentry_id]
    assert changed.title == "New"
    assert changed.data == game.data


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, game: ConfigSubentry, **changes: object
) -> None:
    """Change a port in its form."""
    result = await begin(hass, entry, game.subentry_id)
    result = await send(hass, result, suggested(result) | changes)
    assert (await send(hass, result, {}))["reason"] == "reconfigure_successful"


async def test_from_homeport_to_the_user_and_back(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home, close_after=30)
    entry = await set_up(game)
    await opened(hass, entry, game)
    await change(hass, entry, game, by_hand=True)
    # What was opened from here is closed from here, so that nothing is left behind.
    await until(lambda: not home.igd.table)
    await until(lambda: keys_of(hass, entry, game) == CHECKS)

    rule = made_by_hand(home)
    await change(hass, entry, game, by_hand=False)
    await until(lambda: "open" in keys_of(hass, entry, game))
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    await readings(hass, entry, home)
    assert state_of(hass, entry, "closes_at", game) == "unknown"
    assert [*home.igd.table.values()] == [rule]


@pytest.mark.parametrize(
    "text", ["0", "43201", "-1", "1.5", "+5", "1_0", "\uff11", "abc", "5 6", "9" * 500]
)
async def test_bad_minutes(hass: HomeAssistant, home: DemoHome, set_up: SetUp, text: str) -> None:
    entry = await set_up(wait=False)
    result = await send(hass, await begin(hass, entry), GOOD | {"close_after": text})
    assert errors(result, "config_subentries", "port") == {"close_after": "invalid_minutes"}


@pytest.mark.parametrize(("text", "minutes"), [("1", 1), (" 43200 ", 43200), (" ", None)])
async def test_good_minutes(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, text: str, minutes: int | None
) -> None:
    entry = await set_up()
    result = await send(hass, await begin(hass, entry), GOOD | {"close_after": text})
    await send(hass, result, {})
    [subentry] = entry.subentries.values()
    assert subentry.data.get("close_after") == minutes
    result = await begin(hass, entry, subentry.subentry_id)
    assert suggested(result).get("close_after") == (minutes and str(minutes))
    # An emptied field means that it stays open.
    shown = {key: value for key, value in suggested(result).items() if key != "close_after"}
    await send(hass, await send(hass, result, shown), {})
    assert "close_after" not in entry.subentries[subentry.subentry_id].data
