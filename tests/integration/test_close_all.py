"""Closing every port of a line at once: the action and the button."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes.demo import DemoHome
from tests.fakes.igd import Key
from tests.fakes.igd.faults import SoapFault
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    TEXTS,
    entity_of,
    fails,
    foreign,
    opened,
    port,
    readings,
    sent,
    state_of,
    until,
)


async def close_all(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """Call the action; return its response."""
    data = {"config_entry_id": entry.entry_id}
    return await hass.services.async_call(
        "homeport", "close_all_ports", data, blocking=True, return_response=True
    )


async def press(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Press the button."""
    entity = {"entity_id": entity_of(hass, entry, "close_all_ports")}
    await hass.services.async_call("button", "press", entity, blocking=True)


def refuse(home: DemoHome, external_port: int) -> None:
    """Let the router keep one mapping open."""
    delete = home.igd._router.table.delete

    def refusing(key: Key) -> None:
        if key[1] == external_port:
            raise SoapFault(606)
        delete(key)

    home.igd._router.table.delete = refusing  # type: ignore[method-assign]


async def test_action(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    ports = [
        port(home, str(i), external_port=40000 + i, close_after=60 if i else None) for i in range(3)
    ]
    other = port(home, "Other", external_port=40009)
    entry = await set_up(*ports)
    theirs = foreign(home, 40003)
    await opened(hass, entry, *ports[:2])
    assert await close_all(hass, entry) == {"closed": ["0", "1", "2"], "failed": {}}
    assert [*home.igd.table.values()] == [theirs]
    for each in ports:
        assert state_of(hass, entry, "open", each) == "off"
        assert state_of(hass, entry, "closes_at", each) == "unknown"
    stored = hass_storage[f"homeport.{entry.entry_id}"]["data"]
    assert (stored["wanted"], stored["closes"], stored["openings"]) == ([], {}, {})
    assert other.subentry_id not in entry.subentries

    await readings(hass, entry, home)
    assert [*home.igd.table.values()] == [theirs]


async def test_only_those_of_one_line(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert sum(each.unique_id.endswith("close_all_ports") for each in entities) == 1
    without = await set_up(gateway=False)
    entities = er.async_entries_for_config_entry(er.async_get(hass), without.entry_id)
    assert not any(each.unique_id.endswith("close_all_ports") for each in entities)


async def test_one_that_fails_does_not_keep_the_others(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    ports = [port(home, str(i), external_port=40000 + i) for i in range(3)]
    entry = await set_up(*ports)
    await opened(hass, entry, *ports)
    refuse(home, 40001)
    answer = await close_all(hass, entry)
    reason = TEXTS["exceptions"]["upnp_606"]["message"].removesuffix(".")
    assert answer == {"closed": ["0", "2"], "failed": {"1": reason}}
    assert [each.external_port for each in home.igd.table.values()] == [40001]
    with fails("not_all_closed") as error:
        await press(hass, entry)
    assert "1: " in str(error.value)
    assert reason in str(error.value)

    del home.igd._router.table.delete
    await readings(hass, entry, home)
    await until(lambda: not home.igd.table)
    await until(lambda: state_of(hass, entry, "open", ports[1]) == "off")


async def test_button(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    await press(hass, entry)
    assert not home.igd.table
    assert state_of(hass, entry, "open", game) == "off"


@pytest.mark.parametrize("known", [True, False])
async def test_router_that_is_silent(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    hass_storage: dict[str, Any],
    known: bool,
) -> None:
    ports = [port(home, str(i), external_port=40000 + i) for i in range(2)]
    entry = await set_up(*ports)
    await opened(hass, entry, *ports)
    home.igd.control = Reply(drop=True)
    if known:
        await entry.runtime_data.line.async_refresh()
    answer = await close_all(hass, entry)
    assert (answer["closed"], list(answer["failed"])) == ([], ["0", "1"])
    assert hass_storage[f"homeport.{entry.entry_id}"]["data"]["wanted"] == []
    assert len(home.igd.table) == 2

    home.igd.control = None
    await readings(hass, entry, home)
    await until(lambda: not home.igd.table)
    assert len(sent(home, "AddPortMapping")) == 2
