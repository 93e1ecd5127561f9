"""External ports that Homeport chooses, and moves where they cannot be had."""

from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.const import DOMAIN
from custom_components.homeport.line import Confidence, LineMode, Openable, PortSet
from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.reported import report
from tests.integration.shared_line import SharedLine
from tests.integration.steps import (
    errors,
    fails,
    foreign,
    opened,
    port,
    readings,
    sent,
    state_of,
    suggested,
    switch,
    until,
)
from tests.integration.test_line_entities import MAP_E
from tests.integration.test_port_flow import GOOD, begin, send
from tests.integration.test_port_set import set_up_shared

EMPTY = {key: value for key, value in GOOD.items() if key != "external_port"}
NARROW = PortSet(0, 14, 5000)
"""20000 to 20003."""


def automatic(home: DemoHome, external_port: int, **changes: Any) -> ConfigSubentry:
    """Return a port whose external port was chosen by Homeport."""
    return port(home, external_port=external_port, automatic_port=True, **changes)


def outside(home: DemoHome) -> list[int]:
    """Return the external ports of our own mappings on the router."""
    return [
        each.external_port
        for each in home.igd.table.values()
        if each.description.startswith("Homeport")
    ]


def port_of(entry: MockConfigEntry, game: ConfigSubentry) -> int:
    """Return the external port that a port has now."""
    return int(entry.subentries[game.subentry_id].data["external_port"])


async def add(hass: HomeAssistant, entry: MockConfigEntry, **changes: Any) -> ConfigSubentry:
    """Add a port whose external port is left empty."""
    before = set(entry.subentries)
    result = await send(hass, await begin(hass, entry), EMPTY | changes)
    result = await send(hass, result, {"understood": True} if result["step_id"] == "danger" else {})
    assert result["type"] == "create_entry"
    [added] = set(entry.subentries) - before
    return entry.subentries[added]


# --- Choosing ------------------------------------------------------------------------------------


async def test_same_port_where_all_are_there(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    added = await add(hass, entry)
    assert added.data == {
        "protocol": "TCP",
        "internal_port": 25565,
        "external_port": 25565,
        "automatic_port": True,
        "try_anyway": False,
    }
    assert added.unique_id == "TCP_25565"
    # The next one, and so on; of another protocol it is free.
    assert (await add(hass, entry, internal_client="192.168.1.9")).data["external_port"] == 25566
    assert (await add(hass, entry, protocol="UDP")).data["external_port"] == 25565
    assert (await add(hass, entry, external_port=" ", name="C")).data["external_port"] == 25567


async def test_port_that_others_have_is_not_chosen(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    foreign(home, 25565)
    await entry.runtime_data.table.async_read()
    assert (await add(hass, entry)).data["external_port"] == 25566


async def test_system_port_is_not_followed_by_another(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up(port(home, external_port=22))
    assert (await add(hass, entry, internal_port="22")).data["external_port"] == 1024
    # What is dangerous stays so.
    result = await send(hass, await begin(hass, entry), EMPTY | {"internal_port": "443"})
    assert result["step_id"] == "danger"


async def test_nearest_port_of_the_set(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    taken = port(home, "Taken", external_port=shared.port(6, 15))
    entry = await set_up_shared(hass, set_up, shared, taken)
    assert (await add(hass, entry)).data["external_port"] == shared.port(6, 14)


async def test_no_port_is_left(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [port(home, f"Port {at}", external_port=at) for at in range(20000, 20004)]
    entry = await set_up(*ports)
    await report(hass, entry, monkeypatch, replace(MAP_E, port_set=NARROW))
    result = await send(hass, await begin(hass, entry), EMPTY)
    assert errors(result, "config_subentries", "port") == {"external_port": "all_taken"}


async def test_while_the_line_is_not_loaded(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert (await add(hass, entry)).data["external_port"] == 25565


async def test_change_keeps_the_choice_until_a_port_is_named(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = automatic(home, 30000)
    entry = await set_up(game)
    result = await begin(hass, entry, game.subentry_id)
    shown = suggested(result)
    assert "external_port" not in shown
    await send(hass, await send(hass, result, shown | {"name": "New"}), {})
    changed = entry.subentries[game.subentry_id]
    assert (changed.title, changed.data) == ("New", game.data)

    result = await begin(hass, entry, game.subentry_id)
    await send(hass, await send(hass, result, shown | {"external_port": "30001"}), {})
    assert port_of(entry, game) == 30001
    assert "automatic_port" not in entry.subentries[game.subentry_id].data

    result = await begin(hass, entry, game.subentry_id)
    assert suggested(result)["external_port"] == "30001"
    await send(hass, await send(hass, result, shown), {})
    assert port_of(entry, game) == home.facts.game_port
    assert entry.subentries[game.subentry_id].data["automatic_port"] is True


async def test_rule_made_by_hand_is_chosen_once(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    added = await add(hass, entry, by_hand=True)
    assert added.data["external_port"] == 25565
    assert "automatic_port" not in added.data


# --- Other homes' ports --------------------------------------------------------------------------


async def test_it_moves_with_the_set(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = automatic(home, shared.port(6))
    entry = await set_up_shared(hass, set_up, shared, game)
    await opened(hass, entry, game)
    assert outside(home) == [shared.port(6)]
    await shared.move(hass, entry, 0x80)
    await until(lambda: outside(home) == [0x6800])
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    moved = entry.subentries[game.subentry_id]
    assert (moved.data["external_port"], moved.unique_id) == (0x6800, "TCP_26624")
    assert {**moved.data, "external_port": shared_port(game)} == game.data
    assert not ir.async_get(hass).async_get_issue(DOMAIN, f"port_not_in_set_{game.subentry_id}")


def shared_port(game: ConfigSubentry) -> int:
    """Return the external port that a port had at first."""
    return int(game.data["external_port"])


async def test_it_moves_while_it_is_closed(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = automatic(home, shared.port(6))
    entry = await set_up_shared(hass, set_up, shared, game)
    await shared.move(hass, entry, 0x80)
    await until(lambda: port_of(entry, game) == 0x6800)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    assert not sent(home, "AddPortMapping")
    await opened(hass, entry, game)
    assert outside(home) == [0x6800]


async def test_nowhere_to_move_to(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [port(home, f"Port {at}", external_port=at) for at in range(20000, 20004)]
    game, wanted = automatic(home, 25565), automatic(home, 25566, protocol="UDP")
    entry = await set_up(game, wanted, *ports)
    await report(hass, entry, monkeypatch, replace(MAP_E, port_set=NARROW))
    with fails("port_not_in_set", ServiceValidationError):
        await switch(hass, entry, game, "on")
    await until(lambda: port_of(entry, wanted) == 20003)
    assert port_of(entry, game) == 25565


# --- Other devices' ports ------------------------------------------------------------------------


async def test_port_that_is_taken_is_left_to_its_holder(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = automatic(home, 30000)
    entry = await set_up(game)
    first, second = foreign(home, 30000), foreign(home, 30001)
    await opened(hass, entry, game)
    assert outside(home) == [30002]
    assert {first.key, second.key} <= home.igd.table.keys()
    assert port_of(entry, game) == 30002
    assert not ir.async_get(hass).async_get_issue(DOMAIN, f"foreign_mapping_{game.subentry_id}")
    await readings(hass, entry, home)
    assert state_of(hass, entry, "open", game) == "on"
    assert outside(home) == [30002]


async def test_port_that_is_taken_over_later(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = automatic(home, 30000)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.table.clear()
    foreign(home, 30000)
    await entry.runtime_data.line.async_refresh()
    await until(lambda: outside(home) == [30001])
    await until(lambda: state_of(hass, entry, "open", game) == "on")


@pytest.mark.parametrize("code", [716, 729])
async def test_port_that_the_router_keeps_for_itself(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, code: int
) -> None:
    game = automatic(home, 30000)
    entry = await set_up(game)
    home.igd.faults["AddPortMapping"] = [code, code]
    await opened(hass, entry, game)
    assert outside(home) == [30002]


@pytest.mark.parametrize("code", [402, 501, 606, 728])
async def test_refusals_that_have_other_reasons(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, code: int
) -> None:
    game = automatic(home, 30000)
    entry = await set_up(game)
    home.igd.faults["AddPortMapping"] = code
    with fails(f"upnp_{code}"):
        await switch(hass, entry, game, "on")
    assert port_of(entry, game) == 30000


async def test_router_that_wants_the_same_port_on_both_sides(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = automatic(home, 30000)
    entry = await set_up(game)
    home.igd.faults["AddPortMapping"] = [724]
    await opened(hass, entry, game)
    assert outside(home) == [home.facts.game_port]


async def test_not_more_than_ten_moves_an_hour(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = automatic(home, 30000)
    entry = await set_up(game)
    home.igd.faults["AddPortMapping"] = 729
    with fails("upnp_729"):
        await switch(hass, entry, game, "on")
    assert len(sent(home, "AddPortMapping")) == 11
    tried = [call["NewExternalPort"] for call in sent(home, "AddPortMapping")]
    assert tried == list(range(30000, 30011))
    await hass.async_block_till_done()
    await entry.runtime_data.line.async_refresh()
    await hass.async_block_till_done()
    assert port_of(entry, game) == 30010
    del home.igd.faults["AddPortMapping"]
    await entry.runtime_data.line.async_refresh()
    await until(lambda: outside(home) == [30010])


async def test_fixed_port_is_never_moved(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home, external_port=30000)
    entry = await set_up(game)
    foreign(home, 30000)
    with fails("foreign_mapping"):
        await switch(hass, entry, game, "on")
    assert port_of(entry, game) == 30000
    assert not outside(home)


# --- A set that is not known ---------------------------------------------------------------------

UNKNOWN_SET = replace(
    MAP_E,
    mode=LineMode.A_PLUS_P,
    confidence=Confidence.LIKELY,
    port_set=None,
    ipv4_openable=Openable.UNKNOWN,
)


@pytest.mark.parametrize("code", [501, 606, 718])
async def test_router_knows_the_set(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
) -> None:
    game = automatic(home, 30000)
    entry = await set_up(game)
    await report(hass, entry, monkeypatch, UNKNOWN_SET)
    home.igd.faults["AddPortMapping"] = [code, code, code]
    await opened(hass, entry, game)
    [chosen] = outside(home)
    assert chosen != 30000
    assert port_of(entry, game) == chosen
    await readings(hass, entry, home)
    assert outside(home) == [chosen]
    await switch(hass, entry, game, "off")
    assert not home.igd.table


async def test_router_gives_none(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = automatic(home, 30000)
    entry = await set_up(game)
    await report(hass, entry, monkeypatch, UNKNOWN_SET)
    home.igd.faults["AddPortMapping"] = 606
    with fails("upnp_606"):
        await switch(hass, entry, game, "on")
    assert port_of(entry, game) == 30000
    assert not home.igd.table
