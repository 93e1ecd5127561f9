"""What stops a port vanishes by itself when it is mended, without anybody pressing a button."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.homeport.const import DOMAIN
from custom_components.homeport.coordinator import Check, cure
from custom_components.homeport.coordinator.port_checks import PortChecks
from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.steps import free_port, opened, port, press, state_of, until


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cure, "AT_HOME", 0.1)


def issues(hass: HomeAssistant) -> set[str]:
    """Return what is to be done, by the texts' names."""
    return {
        issue.translation_key or ""
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    }


@pytest.mark.usefixtures("soon")
async def test_a_program_that_is_started(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    number = free_port()
    game = port(home, internal_port=number)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.outside.reachable = False
    # Nobody looks at whether this machine is exposed: that asks somebody as well.
    entry.runtime_data.exposure._place = lambda _: None
    await press(hass, entry, "check", game)
    # Our own listener stood in, and was not met either.
    assert state_of(hass, entry, "blocked_by", game) == "filtered"
    assert "blocked_filtered" in issues(hass)
    asked = len(home.outside.requests)

    home.outside.reachable = True
    async with listening(number):
        await until(lambda: state_of(hass, entry, "reachability", game) == "reachable")
    assert "blocked_filtered" not in issues(hass)
    # For as long as nothing had changed at home, nobody outside was asked.
    assert len(home.outside.requests) == asked + 1


@pytest.mark.usefixtures("soon")
async def test_nobody_outside_is_asked_while_nothing_changes(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = port(home, internal_port=free_port())
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.outside.reachable = False
    # Nobody looks at whether this machine is exposed: that asks somebody as well.
    entry.runtime_data.exposure._place = lambda _: None
    await press(hass, entry, "check", game)
    asked = len(home.outside.requests)
    looks: list[bool] = []
    look = PortChecks.changed_at_home

    async def counted(checks: PortChecks, seen: Check) -> bool:
        looks.append(changed := await look(checks, seen))
        return changed

    monkeypatch.setattr(PortChecks, "changed_at_home", counted)
    await until(lambda: len(looks) >= 5)
    assert len(home.outside.requests) == asked

    monkeypatch.setattr(cure, "OUTSIDE", 0.0)
    monkeypatch.setattr(cure, "CHANGED", 0.0)
    await until(lambda: len(home.outside.requests) > asked)


@pytest.mark.usefixtures("soon")
async def test_a_port_that_is_off_is_left_alone(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = home.facts.game_port + 1
    games = [
        port(home, name, internal_port=free_port(), external_port=first + number)
        for number, name in enumerate(("On", "Off"))
    ]
    entry = await set_up(*games)
    await opened(hass, entry, games[0])
    home.outside.reachable = False
    for game in games:
        await press(hass, entry, "check", game)
    looks: list[int] = []

    async def look(_: object, seen: Check) -> bool:
        looks.append(seen.facts.external_port)
        return False

    monkeypatch.setattr(PortChecks, "changed_at_home", look)
    await until(lambda: len(looks) >= 5)
    assert set(looks) == {first}


@asynccontextmanager
async def listening(number: int) -> AsyncIterator[None]:
    """Have a program that accepts connections, and hangs up."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", number):
        yield
