"""Ports that are open for a time only."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
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


async def open_for(
    hass: HomeAssistant, entry: MockConfigEntry, game: ConfigSubentry, duration: Any = None
) -> str | None:
    """Open a port by the action; return when it is to be closed."""
    entity = entity_of(hass, entry, "open", game)
    data = {"entity_id": entity} | ({} if duration is None else {"duration": duration})
    answer: Any = await hass.services.async_call(
        "homeport", "open_port", data, blocking=True, return_response=True
    )
    closes: str | None = answer[entity]["closes_at"]
    return closes


def minutes_left(hass: HomeAssistant, entry: MockConfigEntry, game: ConfigSubentry) -> float:
    """Return what the sensor shows, in minutes from now; -1 for unknown."""
    state = state_of(hass, entry, "closes_at", game)
    if state == "unknown":
        return -1
    left = datetime.fromisoformat(state) - dt_util.utcnow()
    return round(left / timedelta(minutes=1), 1)


def remembered(entry: MockConfigEntry, storage: dict[str, Any]) -> tuple[Any, Any]:
    """Return who is wanted, and for whom a timer runs."""
    data = storage[f"homeport.{entry.entry_id}"]["data"]
    return data["wanted"], list(data["closes"])


def pass_by(entry: MockConfigEntry, storage: dict[str, Any], minutes: int) -> None:
    """Let all timers in the store of an entry that is not loaded end sooner by some time."""
    closes = storage[f"homeport.{entry.entry_id}"]["data"]["closes"]
    assert closes
    for port_id in closes:
        closes[port_id] -= minutes * 60


async def test_closes_when_its_time_is_up(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    game, other = port(home, close_after=10), port(home, "Other", external_port=40000)
    entry = await set_up(game, other)
    assert minutes_left(hass, entry, game) == -1
    await opened(hass, entry, game, other)
    assert minutes_left(hass, entry, game) == pytest.approx(10, abs=0.2)
    assert minutes_left(hass, entry, other) == -1
    assert remembered(entry, hass_storage)[1] == [game.subentry_id]

    await later(hass, minutes=9)
    assert len(home.igd.table) == 2
    await later(hass, minutes=10, seconds=1)
    await until(lambda: [each.external_port for each in home.igd.table.values()] == [40000])
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    assert minutes_left(hass, entry, game) == -1
    assert remembered(entry, hass_storage) == ([other.subentry_id], [])
    await readings(hass, entry, home)
    assert [each.external_port for each in home.igd.table.values()] == [40000]


@pytest.mark.parametrize(
    ("duration", "minutes"),
    [
        ({"minutes": 30}, 30),
        ("01:30:00", 90),
        (90, 1.5),
        ({"days": 30}, 43200),
        (1, 0),
        (None, 10),
    ],
)
async def test_duration_of_the_action(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, duration: Any, minutes: float
) -> None:
    game = port(home, close_after=10)
    entry = await set_up(game)
    closes = await open_for(hass, entry, game, duration)
    assert closes
    assert datetime.fromisoformat(closes).utcoffset() == timedelta()
    assert minutes_left(hass, entry, game) == pytest.approx(minutes, abs=0.2)


async def test_opening_anew_starts_the_time_anew(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    assert await open_for(hass, entry, game, 60)
    assert await open_for(hass, entry, game, {"hours": 2})
    assert minutes_left(hass, entry, game) == pytest.approx(120, abs=0.2)
    await later(hass, minutes=2)
    assert home.igd.table
    # It does not say how long: as its settings, which is without end.
    assert await open_for(hass, entry, game) is None
    await later(hass, hours=3)
    assert home.igd.table
    assert state_of(hass, entry, "open", game) == "on"


async def test_closing_by_hand_ends_the_timer(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    game = port(home, close_after=10)
    entry = await set_up(game)
    await opened(hass, entry, game)
    await switch(hass, entry, game, "off")
    assert minutes_left(hass, entry, game) == -1
    assert remembered(entry, hass_storage) == ([], [])
    assert await open_for(hass, entry, game, {"hours": 2})
    await later(hass, minutes=11)
    assert home.igd.table


async def test_survives_a_restart(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    game = port(home, close_after=10)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await later(hass, minutes=11)
    assert home.igd.table
    pass_by(entry, hass_storage, minutes=4)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert minutes_left(hass, entry, game) == pytest.approx(6, abs=0.2)
    await later(hass, minutes=6, seconds=1)
    await until(lambda: not home.igd.table)
    await until(lambda: state_of(hass, entry, "open", game) == "off")


async def test_overdue_at_the_start(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    game, gone = port(home, close_after=10), port(home, "Gone", external_port=40000, close_after=10)
    entry = await set_up(game, gone)
    await opened(hass, entry, game, gone)
    assert await hass.config_entries.async_unload(entry.entry_id)
    # One ran out on the router in the meantime: it is not opened again for a moment either.
    del home.igd.table["TCP", 40000, ""]
    theirs = foreign(home, 40001)
    pass_by(entry, hass_storage, minutes=11)
    asked = len(sent(home, "AddPortMapping"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: [*home.igd.table.values()] == [theirs])
    for each in game, gone:
        await until(lambda at=each: state_of(hass, entry, "open", at) == "off")
        assert minutes_left(hass, entry, each) == -1
    assert len(sent(home, "AddPortMapping")) == asked
    await until(lambda: remembered(entry, hass_storage) == ([], []))


async def test_router_that_is_silent_when_the_time_is_up(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    game = port(home, close_after=10)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.control = Reply(drop=True)
    await later(hass, minutes=10, seconds=1)
    await until(lambda: state_of(hass, entry, "open", game) == "unknown")
    await until(lambda: remembered(entry, hass_storage) == ([], []))
    assert minutes_left(hass, entry, game) == -1
    assert home.igd.table
    home.igd.control = None
    await readings(hass, entry, home)
    await until(lambda: not home.igd.table)
    await until(lambda: state_of(hass, entry, "open", game) == "off")


async def test_router_that_is_silent_when_it_is_opened(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home, close_after=10)
    entry = await set_up(game)
    home.igd.control = Reply(drop=True)
    with fails("gateway_unreachable"):
        await switch(hass, entry, game, "on")
    assert minutes_left(hass, entry, game) == pytest.approx(10, abs=0.2)
    await later(hass, minutes=10, seconds=1)
    home.igd.control = None
    await readings(hass, entry, home)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    assert not sent(home, "AddPortMapping")


async def test_clock_that_is_set_forward(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    """A machine without a battery learns the time some time after its start."""
    game = port(home, close_after=10)
    entry = await set_up(game)
    await opened(hass, entry, game)
    # No timer of the program has run, and the end is long past by the clock.
    entry.runtime_data.store.closes[game.subentry_id] -= timedelta(days=365)
    await readings(hass, entry, home)
    await until(lambda: not home.igd.table)
    await until(lambda: state_of(hass, entry, "open", game) == "off")


async def test_removed_port_takes_its_timer_along(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    game = port(home, close_after=10)
    entry = await set_up(game)
    await opened(hass, entry, game)
    hass.config_entries.async_remove_subentry(entry, game.subentry_id)
    await until(lambda: not home.igd.table)
    assert remembered(entry, hass_storage) == ([], [])
    await later(hass, minutes=11)
    assert not home.igd.table
