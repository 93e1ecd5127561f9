"""Changing a line that is set up: its router, and which outside services are asked."""

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlowResult
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes.demo import DemoHome
from tests.fakes.igd import FakeIgd, Identity
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    errors,
    opened,
    port,
    state_of,
    suggested,
    until,
)


async def reconfigure(hass: HomeAssistant, entry: MockConfigEntry, *hosts: str) -> ConfigFlowResult:
    """Open the form and send it once for each host."""
    flows = hass.config_entries.flow
    context = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    result = await flows.async_init("homeport", context=context)
    for host in hosts:
        assert result["step_id"] == "reconfigure"
        result = await flows.async_configure(result["flow_id"], {"host": host})
    await hass.async_block_till_done()
    return result


async def test_another_gateway(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    async with FakeIgd(identity=Identity(udn="uuid:other")) as other:
        result = await reconfigure(hass, entry, other.location)
        assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
        assert entry.data == {"location": other.location}
        assert entry.unique_id == "uuid:other"
        await until(lambda: other.subscriptions == 1)
        assert home.igd.subscriptions == 0
        await until(lambda: state_of(hass, entry, "open", game) == "off")
        await opened(hass, entry, game)
        assert len(other.table) == 1
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_from_none_to_a_gateway(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game, gateway=False)
    assert hass.states.get("switch.game") is None
    result = await reconfigure(hass, entry, home.facts.location)
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    assert entry.unique_id == home.igd.identity.udn
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    await opened(hass, entry, game)


async def test_bad_gateway_changes_nothing(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    data = entry.runtime_data
    async with FakeIgd() as other:
        other.description = Reply.huge()
        result = await reconfigure(hass, entry, other.location)
        assert errors(result) == {"host": "gateway_too_large"}
    assert entry.data == {"location": home.facts.location}
    assert entry.runtime_data is data
    assert home.igd.subscriptions == 1
    flows = hass.config_entries.flow
    result = await flows.async_configure(result["flow_id"], {"host": home.facts.location})
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")


async def test_form_shows_the_present_gateway(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    assert suggested(await reconfigure(hass, entry)) == {"host": home.facts.location}


async def test_gateway_of_another_line(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    await set_up()
    without = await set_up(gateway=False)
    result = await reconfigure(hass, without, home.facts.location)
    assert (result["type"], result["reason"]) == ("abort", "already_configured")
    assert without.data == {}
