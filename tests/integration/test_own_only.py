"""Routers that open ports only for the device that asks."""

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.const import DOMAIN
from tests.fakes.demo import DemoHome
from tests.fakes.igd import Entry
from tests.integration.conftest import SetUp
from tests.integration.lan import clients
from tests.integration.steps import TEXTS, fails, port, readings, state_of, switch, until


def issue(hass: HomeAssistant, game: ConfigSubentry) -> ir.IssueEntry | None:
    """Return the issue of a port that the router refuses, if it is shown."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"own_only_{game.subentry_id}")


async def refused(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, code: int
) -> tuple[MockConfigEntry, ConfigSubentry]:
    """Return a port of another device that the router refuses to open for us."""
    game = port(home, internal_client="192.168.77.20")
    entry = await set_up(game)
    home.igd.faults["AddPortMapping"] = code
    with fails("own_only") as raised:
        await switch(hass, entry, game, "on")
    assert raised.value.translation_placeholders == {
        "protocol": "TCP",
        "port": str(game.data["external_port"]),
        "client": "192.168.77.20",
        "internal_port": str(game.data["internal_port"]),
    }
    return entry, game


@pytest.mark.parametrize("code", [606, 718])
async def test_router_that_opens_only_for_itself(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, code: int
) -> None:
    entry, game = await refused(hass, home, set_up, code)
    assert state_of(hass, entry, "open", game) == "unknown"
    shown = issue(hass, game)
    assert shown
    for text in TEXTS["issues"]["own_only"].values():
        assert text.format(**shown.translation_placeholders or {})
    await readings(hass, entry, home)
    assert issue(hass, game)
    # The user switches the restriction off.
    del home.igd.faults["AddPortMapping"]
    await entry.runtime_data.line.async_refresh()
    await until(lambda: clients(home) == ["192.168.77.20"])
    await until(lambda: not issue(hass, game))


async def test_refusal_is_forgotten_with_the_wish(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry, game = await refused(hass, home, set_up, 606)
    await switch(hass, entry, game, "off")
    assert not issue(hass, game)


async def test_refusal_is_forgotten_with_the_port(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry, game = await refused(hass, home, set_up, 606)
    hass.config_entries.async_remove_subentry(entry, game.subentry_id)
    await until(lambda: not issue(hass, game))


async def test_refusal_of_an_own_port_means_something_else(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    home.igd.faults["AddPortMapping"] = 606
    with fails("upnp_606"):
        await switch(hass, entry, game, "on")
    assert not issue(hass, game)


async def test_port_that_another_device_has_is_no_such_refusal(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home, internal_client="192.168.77.20")
    theirs = Entry(
        protocol="TCP",
        external_port=game.data["external_port"],
        internal_client="192.168.77.66",
        internal_port=1,
        description="Theirs",
    )
    entry = await set_up(game)
    home.igd.table[theirs.key] = theirs
    with fails("foreign_mapping"):
        await switch(hass, entry, game, "on")
    assert not issue(hass, game)
