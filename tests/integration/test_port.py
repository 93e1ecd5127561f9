"""A port, from its switch to the router's table and back."""

from homeassistant.core import HomeAssistant

from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp, entity_of, port, state_of, until


async def test_switch_shows_what_the_router_shows(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await until(lambda: state_of(hass, entry, "open", game) == "off")

    switch = {"entity_id": entity_of(hass, entry, "open", game)}
    await hass.services.async_call("switch", "turn_on", switch, blocking=True)
    assert state_of(hass, entry, "open", game) == "on"
    [mapping] = home.igd.table.values()
    assert mapping.internal_port == home.facts.game_port

    await hass.services.async_call("switch", "turn_off", switch, blocking=True)
    assert state_of(hass, entry, "open", game) == "off"
    assert not home.igd.table
    assert await hass.config_entries.async_unload(entry.entry_id)
