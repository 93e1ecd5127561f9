"""A router that is not there, does not answer in time, or comes back as another."""

import asyncio
from datetime import timedelta

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    DEADLINE,
    entity_of,
    hostname,
    later,
    opened,
    port,
    state_of,
    until,
)

DOWN = {
    "refuses": Reply(drop=True),
    "hangs": Reply(hang=True),
    "fails": Reply.html_error(),
    "talks nonsense": Reply(body="<html>"),
    "sends too much": Reply.huge(),
}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a request to the router take far longer than any test may."""
    monkeypatch.setattr("custom_components.homeport.gateway.requester.TIMEOUT", 3600.0)


def no_waiting() -> asyncio.Timeout:
    """Fail what waits for an answer of the router."""
    return asyncio.timeout(DEADLINE)


@pytest.mark.parametrize("name", DOWN)
async def test_down_at_set_up(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    home.igd.description = DOWN[name]
    game, site = port(home), hostname(home)
    async with no_waiting():
        entry = await set_up(game, site, wait=False)
    # What does not need the router is there: the echo tells the address. It is not published,
    # since nobody but an unprotected answer has confirmed it.
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
    assert state_of(hass, entry, "internet") == "on"
    assert state_of(hass, entry, "open", game) == "unknown"
    assert state_of(hass, entry, "status", site) == "no_address"
    assert not home.dyndns2.requests

    if name == "hangs":  # let the time limit of the request run out
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(hours=1))
    await until(lambda: "The router does not answer" in caplog.text)
    home.igd.description = None
    await later(hass, seconds=31)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    await until(lambda: home.dyndns2.records == {home.facts.hostname: {"A": "11.22.33.44"}})
    await until(lambda: home.igd.subscriptions == 1)


async def test_comes_back(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    game, site = port(home), hostname(home)
    entry = await set_up(game, site)
    await opened(hass, entry, game)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")

    home.igd.control = home.igd.description = Reply(drop=True)
    for _ in range(3):
        await entry.runtime_data.line.async_refresh()
    await until(lambda: state_of(hass, entry, "open", game) == "unknown")
    assert state_of(hass, entry, "public_ipv4") == "11.22.33.44"
    assert state_of(hass, entry, "status", site) == "ok"
    assert state_of(hass, entry, "published_ipv4", site) == "11.22.33.44"
    assert caplog.text.count("The router does not answer") == 1

    # It has restarted: its table is empty, and it knows of no subscription.
    home.igd.table.clear()
    home.igd._service("connection")._subscribers.clear()
    home.igd.control = home.igd.description = None
    await later(hass, seconds=31)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    await until(lambda: home.igd.subscriptions == 1)
    assert len(home.igd.table) == 1
    assert caplog.text.count("The router answers again") == 1
    assert len(home.dyndns2.requests) == 1


async def test_only_what_the_router_tells_is_unavailable(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    registry = er.async_get(hass)
    for key in "wan_address", "wan_address_kind":
        registry.async_update_entity(entity_of(hass, entry, key), disabled_by=None)
    await later(hass, seconds=31)  # Home Assistant itself reloads after half a minute
    await until(lambda: state_of(hass, entry, "wan_address") == "11.22.33.44")
    home.igd.control = Reply(drop=True)
    await entry.runtime_data.line.async_refresh()
    states = {state.entity_id: state.state for state in hass.states.async_all()}
    unavailable = {entity for entity, state in states.items() if state == "unavailable"}
    assert unavailable == {
        entity_of(hass, entry, "wan_address"),
        entity_of(hass, entry, "wan_address_kind"),
    }
    await until(lambda: state_of(hass, entry, "line_mode") == "unknown")
    assert state_of(hass, entry, "internet") == "on"


async def test_unload_while_it_hangs(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    home.igd.description = Reply(hang=True)
    entry = await set_up(port(home), wait=False)
    async with no_waiting():
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_line_that_was_shared_before_it_fell_silent(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    await home.igd.set_wan_address("100.64.0.9")
    site = hostname(home)
    entry = await set_up(site)
    home.igd.control = Reply(drop=True)
    await entry.runtime_data.line.async_refresh()
    await hass.async_block_till_done()
    assert state_of(hass, entry, "status", site) == "no_address"
    assert not home.dyndns2.requests
