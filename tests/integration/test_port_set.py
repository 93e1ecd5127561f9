"""Ports on a line that has only some of them: adding, opening, and moving one that fell out."""

from dataclasses import replace
from typing import Any

from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.const import DOMAIN
from custom_components.homeport.line import PortSet
from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.reported import report
from tests.integration.shared_line import SharedLine
from tests.integration.steps import (
    TEXTS,
    errors,
    fails,
    opened,
    port,
    sent,
    state_of,
    switch,
    until,
)
from tests.integration.test_line_entities import MAP_E

# Home Assistant's own web server, which repairs need, is not that far yet.
pytestmark = pytest.mark.filterwarnings("ignore:It is recommended to use web.AppKey")

FIX_FLOW = TEXTS["issues"]["port_not_in_set"]["fix_flow"]


async def set_up_shared(
    hass: HomeAssistant, set_up: SetUp, shared: SharedLine, *ports: ConfigSubentry
) -> MockConfigEntry:
    """Return an entry for a line that is known to have a port set."""
    entry = await set_up(*ports, stun_servers=[shared.server])
    await shared.recognised(hass, entry)
    return entry


def issue(hass: HomeAssistant, game: ConfigSubentry) -> ir.IssueEntry | None:
    """Return the issue of a port, if it is shown."""
    found = ir.async_get(hass).async_get_issue(DOMAIN, f"port_not_in_set_{game.subentry_id}")
    return found if found and found.active else None


async def fix(hass: HomeAssistant, game: ConfigSubentry) -> Any:
    """Open the repair flow of a port; its texts must be whole."""
    assert await async_setup_component(hass, "repairs", {})
    flows = repairs_flow_manager(hass)
    assert flows
    issue_id = f"port_not_in_set_{game.subentry_id}"
    result: Any = await flows.async_init(DOMAIN, context={"issue_id": issue_id})
    if result["type"] == "form":
        assert result["step_id"] == "confirm"
        for text in FIX_FLOW["step"]["confirm"].values():
            assert text.format(**result["description_placeholders"])
    return result


async def confirm(hass: HomeAssistant, result: Any) -> Any:
    """Confirm what a repair flow proposes."""
    flows = repairs_flow_manager(hass)
    assert flows
    result = await flows.async_configure(result["flow_id"], {})
    await hass.async_block_till_done()
    return result


def form(external_port: int, **changes: Any) -> dict[str, Any]:
    """Return what to fill into the form of a port."""
    return {
        "name": "Game",
        "protocol": "TCP",
        "internal_port": "25565",
        "external_port": str(external_port),
        "try_anyway": False,
    } | changes


# --- Adding --------------------------------------------------------------------------------------


async def test_new_port_outside_the_set(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    taken = port(home, "Taken", external_port=shared.port(6, 15))
    entry = await set_up_shared(hass, set_up, shared, taken)
    flows = hass.config_entries.subentries
    result = await flows.async_init((entry.entry_id, "port"), context={"source": SOURCE_USER})
    result = await flows.async_configure(result["flow_id"], form(25565))
    assert errors(result, "config_subentries", "port") == {"external_port": "port_not_in_set"}
    placeholders = result["description_placeholders"]
    # 0x63A0 to 0x63AF is the nearest block; its last port is taken.
    assert placeholders == {
        "nearest": str(0x63AE),
        "ranges": "5024-5039, 9120-9135, 13216-13231, …",
    }
    error = TEXTS["config_subentries"]["port"]["error"]["port_not_in_set"]
    assert str(0x63AE) in error.format(**placeholders)

    result = await flows.async_configure(result["flow_id"], form(0x63AE))
    assert result["step_id"] == "confirm"


async def test_new_port_outside_the_set_anyway(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    entry = await set_up_shared(hass, set_up, shared)
    flows = hass.config_entries.subentries
    result = await flows.async_init((entry.entry_id, "port"), context={"source": SOURCE_USER})
    wanted = form(25565, try_anyway=True)
    result = await flows.async_configure(result["flow_id"], wanted)
    assert result["step_id"] == "confirm"


async def test_own_port_counts_as_free(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6, 15))
    entry = await set_up_shared(hass, set_up, shared, game)
    flows = hass.config_entries.subentries
    context = {"source": SOURCE_RECONFIGURE, "subentry_id": game.subentry_id}
    result = await flows.async_init((entry.entry_id, "port"), context=context)
    result = await flows.async_configure(result["flow_id"], form(25565))
    assert result["description_placeholders"]["nearest"] == str(shared.port(6, 15))


async def test_any_port_while_nothing_is_sure(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    shared.stun.down = True
    entry = await set_up(stun_servers=[shared.server])
    flows = hass.config_entries.subentries
    result = await flows.async_init((entry.entry_id, "port"), context={"source": SOURCE_USER})
    result = await flows.async_configure(result["flow_id"], form(25565))
    assert result["step_id"] == "confirm"


async def test_any_port_while_the_line_is_not_loaded(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    entry = await set_up_shared(hass, set_up, shared)
    assert await hass.config_entries.async_unload(entry.entry_id)
    flows = hass.config_entries.subentries
    result = await flows.async_init((entry.entry_id, "port"), context={"source": SOURCE_USER})
    result = await flows.async_configure(result["flow_id"], form(25565))
    assert result["step_id"] == "confirm"


# --- Opening -------------------------------------------------------------------------------------


async def test_switch_outside_the_set(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=25565)
    stubborn = port(home, "Stubborn", external_port=25566, try_anyway=True)
    entry = await set_up_shared(hass, set_up, shared, game, stubborn)
    with fails("port_not_in_set", ServiceValidationError) as raised:
        await switch(hass, entry, game, "on")
    assert raised.value.translation_placeholders == {
        "port": "25565",
        "nearest": str(0x63AF),
        "ranges": "5024-5039, 9120-9135, 13216-13231, …",
    }
    assert not sent(home, "AddPortMapping")
    assert state_of(hass, entry, "open", game) == "off"

    await opened(hass, entry, stubborn)


async def test_switch_inside_the_set(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6))
    entry = await set_up_shared(hass, set_up, shared, game)
    await opened(hass, entry, game)
    assert not issue(hass, game)


# --- Falling out ---------------------------------------------------------------------------------


async def fallen_out(
    hass: HomeAssistant, set_up: SetUp, shared: SharedLine, game: ConfigSubentry, *others: Any
) -> MockConfigEntry:
    """Return an entry with an open port that is not the home's any more."""
    entry = await set_up_shared(hass, set_up, shared, game, *others)
    await opened(hass, entry, game)
    assert not issue(hass, game)
    await shared.move(hass, entry, 0x80)
    await until(lambda: issue(hass, game))
    return entry


async def test_port_that_fell_out_is_moved(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6))
    entry = await fallen_out(hass, set_up, shared, game)
    shown = issue(hass, game)
    assert shown
    assert shown.is_fixable
    title = TEXTS["issues"]["port_not_in_set"]["title"]
    assert shown.translation_key == "port_not_in_set"
    assert title.format(**shown.translation_placeholders or {}) == (
        f"Game: port {0x63A0} is no longer yours"
    )

    result = await fix(hass, game)
    assert result["description_placeholders"] == {
        "name": "Game",
        "port": str(0x63A0),
        "nearest": str(0x6800),
        "ranges": "6144-6159, 10240-10255, 14336-14351, …",
    }
    # Nothing is changed before it was confirmed.
    assert entry.subentries[game.subentry_id].data["external_port"] == 0x63A0
    result = await confirm(hass, result)
    assert result["type"] == "create_entry"
    moved = entry.subentries[game.subentry_id]
    assert (moved.data["external_port"], moved.unique_id) == (0x6800, "TCP_26624")
    assert {**moved.data, "external_port": 0x63A0} == game.data
    await until(lambda: [each.external_port for each in home.igd.table.values()] == [0x6800])
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert not issue(hass, game)


async def test_port_of_another_one_is_not_proposed(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6))
    taken = port(home, "Taken", external_port=0x6800)
    other_protocol = port(home, "Other", external_port=0x6801, protocol="UDP")
    entry = await fallen_out(hass, set_up, shared, game, taken, other_protocol)
    await confirm(hass, await fix(hass, game))
    assert entry.subentries[game.subentry_id].data["external_port"] == 0x6801


async def test_proposal_that_is_overtaken_is_made_anew(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6))
    entry = await fallen_out(hass, set_up, shared, game)
    result = await fix(hass, game)
    await shared.move(hass, entry, 0x81)
    result = await confirm(hass, result)
    assert result["type"] == "form"
    assert result["description_placeholders"]["nearest"] == str(0x6810)
    assert entry.subentries[game.subentry_id].data["external_port"] == 0x63A0
    assert (await confirm(hass, result))["type"] == "create_entry"
    assert entry.subentries[game.subentry_id].data["external_port"] == 0x6810


async def test_issue_vanishes_when_the_port_is_back(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6))
    entry = await fallen_out(hass, set_up, shared, game)
    result = await fix(hass, game)
    await shared.move(hass, entry, 0x3A)
    await until(lambda: not issue(hass, game))
    result = await confirm(hass, result)
    assert (result["type"], result["reason"]) == ("abort", "settled")
    assert FIX_FLOW["abort"]["settled"]


async def test_issue_vanishes_with_the_switch(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6))
    entry = await fallen_out(hass, set_up, shared, game)
    await switch(hass, entry, game, "off")
    assert not issue(hass, game)


async def test_issue_vanishes_with_the_port(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6))
    entry = await fallen_out(hass, set_up, shared, game)
    hass.config_entries.async_remove_subentry(entry, game.subentry_id)
    await until(lambda: not issue(hass, game))


async def test_issue_vanishes_with_the_line(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6))
    entry = await fallen_out(hass, set_up, shared, game)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not issue(hass, game)


async def test_no_issue_for_a_port_that_is_off(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6))
    entry = await set_up_shared(hass, set_up, shared, game)
    await shared.move(hass, entry, 0x80)
    assert not issue(hass, game)


async def test_ignored_issue_stays_ignored(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6))
    entry = await fallen_out(hass, set_up, shared, game)
    ir.async_ignore_issue(hass, DOMAIN, f"port_not_in_set_{game.subentry_id}", ignore=True)
    # Neither other ports that are not its, nor a line that is not known, nor a new start.
    await shared.move(hass, entry, 0x81)
    shared.stun.down = True
    await entry.runtime_data.line.async_detect()
    assert entry.runtime_data.line.data.port_set is None
    shared.stun.down = False
    assert await hass.config_entries.async_reload(entry.entry_id)
    await shared.recognised(hass, entry)
    await until(lambda: entry.runtime_data.ports[game.subentry_id].port_allowed is False)
    shown = issue(hass, game)
    assert shown
    assert shown.dismissed_version


async def test_nothing_to_propose(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    game = port(home, external_port=shared.port(6))
    entry = await fallen_out(hass, set_up, shared, game)
    shared.stun.down = True
    await entry.runtime_data.line.async_detect()
    result = await fix(hass, game)
    assert (result["type"], result["reason"]) == ("abort", "line_not_known")
    assert FIX_FLOW["abort"]["line_not_known"]
    assert issue(hass, game)

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert (await fix(hass, game))["reason"] == "line_not_known"


async def test_all_ports_are_taken(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    game = port(home, external_port=25565)
    ports = [port(home, f"Port {at}", external_port=at) for at in range(20000, 20004)]
    entry = await set_up(game, *ports)
    await opened(hass, entry, game)
    await report(hass, entry, monkeypatch, replace(MAP_E, port_set=PortSet(0, 14, 5000)))
    result = await fix(hass, game)
    assert (result["type"], result["reason"]) == ("abort", "all_taken")
    assert FIX_FLOW["abort"]["all_taken"]
    assert issue(hass, game)
