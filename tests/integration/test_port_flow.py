"""Adding and changing a port."""

from typing import Any

from homeassistant.components.http import ApiConfig
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, SubentryFlowResult
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    errors,
    foreign,
    opened,
    port,
    press,
    sent,
    state_of,
    suggested,
    switch,
    until,
)

GOOD = {
    "name": "Minecraft",
    "protocol": "TCP",
    "families": ["ipv4"],
    "internal_port": "25565",
    "external_port": "25566",
    "try_anyway": False,
    "by_hand": False,
}


async def begin(
    hass: HomeAssistant, entry: MockConfigEntry, subentry_id: str | None = None
) -> SubentryFlowResult:
    """Open the form for a new port, or for a change of one."""
    context: dict[str, Any] = {"source": SOURCE_USER}
    if subentry_id:
        context = {"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id}
    flows = hass.config_entries.subentries
    return await flows.async_init((entry.entry_id, "port"), context=context)


async def send(
    hass: HomeAssistant, result: SubentryFlowResult, user_input: dict[str, Any]
) -> SubentryFlowResult:
    """Send a form."""
    flows = hass.config_entries.subentries
    result = await flows.async_configure(result["flow_id"], user_input)
    await hass.async_block_till_done()
    return result


async def test_new_port(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    data = entry.runtime_data
    result = await begin(hass, entry)
    assert result["step_id"] == "user"
    result = await send(hass, result, GOOD)
    assert result["step_id"] == "confirm"
    assert result["description_placeholders"] == {
        "ports": "TCP 25566 (IPv4)",
        "internal_port": "25565",
        "client": "Home Assistant",
    }
    result = await send(hass, result, {})
    assert result["type"] == "create_entry"
    [subentry] = entry.subentries.values()
    assert (subentry.title, subentry.unique_id) == ("Minecraft", "TCP_25566")
    assert subentry.data == {
        "protocol": "TCP",
        "internal_port": 25565,
        "external_port": 25566,
        "try_anyway": False,
    }
    assert entry.runtime_data is data
    await until(lambda: state_of(hass, entry, "open", subentry) == "off")
    assert state_of(hass, entry, "reachability", subentry) == "unknown"
    assert not sent(home, "AddPortMapping")
    assert {seen.path for seen in home.outside.requests} == {"/ip"}

    await opened(hass, entry, subentry)
    [mapping] = home.igd.table.values()
    assert (mapping.external_port, mapping.internal_port) == (25566, 25565)
    home.outside.reachable = True
    await press(hass, entry, "check", subentry)
    # No program has the port, and our own listener in its place met nobody from outside.
    assert state_of(hass, entry, "reachability", subentry) == "possible"


async def test_port_of_another_device(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    wanted = GOOD | {"name": " Cam ", "protocol": "UDP", "internal_client": " 192.168.1.20 "}
    result = await send(hass, await begin(hass, entry), wanted)
    assert result["description_placeholders"]["client"] == "192.168.1.20"
    await send(hass, result, {})
    [subentry] = entry.subentries.values()
    assert subentry.title == "Cam"
    assert subentry.data["internal_client"] == "192.168.1.20"
    await opened(hass, entry, subentry)
    [mapping] = home.igd.table.values()
    assert (mapping.protocol, mapping.internal_client) == ("UDP", "192.168.1.20")


NO_PORTS = ["0", "65536", "-1", "abc", "1.5", "\uff11\uff12", "", " ", "+80", "1_0", "0x50", "1e3"]
NO_PORTS += ["0000065536", "9" * 5000, "8080 8081"]
NO_CLIENTS = ["x y", "192.168.1", "192.168.1.256", "::1", "127.0.0.1", "0.0.0.0", "224.0.0.1"]
NO_CLIENTS += ["255.255.255.255", "192.168.1.20:80", "192.168.1.20/24", "localhost", "a..b"]
NO_CLIENTS += ["ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "http://nas.local", "x" * 64]


BAD_FIELDS = (
    [({"internal_port": text}, "invalid_port") for text in NO_PORTS]
    + [({"external_port": text}, "invalid_port") for text in NO_PORTS if text.strip()]
    + [({"internal_client": text}, "invalid_client") for text in NO_CLIENTS]
    + [({"name": text}, "invalid_name") for text in ("", "  ", "x" * 61)]
    + [({"families": []}, "no_family")]
)


async def test_bad_fields(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up(wait=False)
    result = await begin(hass, entry)
    for bad, key in BAD_FIELDS:
        result = await send(hass, result, GOOD | bad)
        found = errors(result, "config_subentries", "port")
        assert (bad, found) == (bad, dict.fromkeys(bad, key))
        assert suggested(result) == GOOD | bad
    result = await send(hass, result, GOOD)
    assert (await send(hass, result, {}))["type"] == "create_entry"


async def test_several_bad_fields(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up(wait=False)
    bad = GOOD | {"name": "", "internal_client": "?", "internal_port": "0", "external_port": "x"}
    result = await send(hass, await begin(hass, entry), bad)
    assert len(errors(result, "config_subentries", "port")) == 4


async def test_external_port_is_taken_once_per_protocol(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up(port(home, external_port=25566))
    result = await send(hass, await begin(hass, entry), GOOD)
    assert errors(result, "config_subentries", "port") == {"external_port": "port_taken"}
    result = await send(hass, result, GOOD | {"protocol": "UDP"})
    assert (await send(hass, result, {}))["type"] == "create_entry"
    assert sorted(each.unique_id or "" for each in entry.subentries.values()) == [
        "TCP_25566",
        "UDP_25566",
    ]


DANGEROUS = [
    {"external_port": "1023"},
    {"external_port": "22", "internal_client": "192.168.1.20"},
    {"internal_port": "8123"},
    {"internal_port": "8123", "internal_client": "192.168.1.2"},
]


@pytest.mark.parametrize("changes", DANGEROUS)
async def test_danger_has_to_be_understood(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, changes: dict[str, str]
) -> None:
    hass.config.api = ApiConfig("192.168.1.2", "192.168.1.2", 8123, use_ssl=False)
    entry = await set_up(wait=False)
    result = await send(hass, await begin(hass, entry), GOOD | changes)
    assert result["step_id"] == "danger"
    result = await send(hass, result, {"understood": False})
    assert errors(result, "config_subentries", "port") == {"understood": "not_understood"}
    assert not entry.subentries
    result = await send(hass, result, {"understood": True})
    assert result["type"] == "create_entry"


@pytest.mark.parametrize(
    "changes",
    [{"external_port": "1024"}, {"internal_port": "8123", "internal_client": "192.168.1.20"}],
)
async def test_no_danger(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, changes: dict[str, str]
) -> None:
    hass.config.api = ApiConfig("192.168.1.2", "192.168.1.2", 8123, use_ssl=False)
    entry = await set_up(wait=False)
    result = await send(hass, await begin(hass, entry), GOOD | changes)
    assert result["step_id"] == "confirm"


async def test_change_moves_an_open_mapping(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "reachable"
    data = entry.runtime_data

    result = await begin(hass, entry, game.subentry_id)
    assert result["step_id"] == "reconfigure"
    shown = suggested(result)
    assert shown == {
        "name": "Game",
        "protocol": "TCP",
        "internal_port": str(home.facts.game_port),
        "external_port": str(home.facts.game_port + 1),
        "try_anyway": False,
    }
    result = await send(hass, result, shown | {"name": "New", "external_port": "25570"})
    assert result["step_id"] == "confirm"
    result = await send(hass, result, {})
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await until(lambda: [each.external_port for each in home.igd.table.values()] == [25570])
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert state_of(hass, entry, "reachability", game) == "unknown"
    assert entry.runtime_data is data
    changed = entry.subentries[game.subentry_id]
    assert (changed.title, changed.unique_id) == ("New", "TCP_25570")

    await switch(hass, entry, game, "off")
    assert not home.igd.table


async def test_change_while_the_router_is_down(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.control = Reply(drop=True)
    result = await begin(hass, entry, game.subentry_id)
    result = await send(hass, result, suggested(result) | {"external_port": "25570"})
    await send(hass, result, {})
    await until(lambda: state_of(hass, entry, "open", game) == "unknown")
    home.igd.control = None
    await entry.runtime_data.line.async_refresh()
    await until(lambda: [each.external_port for each in home.igd.table.values()] == [25570])


async def test_change_to_a_port_of_another_device(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    theirs = foreign(home, 25570)
    result = await begin(hass, entry, game.subentry_id)
    result = await send(hass, result, suggested(result) | {"external_port": "25570"})
    await send(hass, result, {})
    await until(lambda: state_of(hass, entry, "open", game) == "unknown")
    assert list(home.igd.table.values()) == [theirs]


async def test_change_may_keep_its_port_but_not_take_anothers(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game, other = port(home), port(home, "Other", external_port=25566)
    entry = await set_up(game, other)
    result = await begin(hass, entry, game.subentry_id)
    shown = suggested(result)
    result = await send(hass, result, shown | {"external_port": "25566"})
    assert errors(result, "config_subentries", "port") == {"external_port": "port_taken"}
    result = await send(hass, result, shown | {"name": "Renamed"})
    assert (await send(hass, result, {}))["reason"] == "reconfigure_successful"
    assert entry.subentries[game.subentry_id].title == "Renamed"


async def test_two_flows_for_one_port(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    first = await send(hass, await begin(hass, entry), GOOD)
    second = await send(hass, await begin(hass, entry), GOOD)
    await send(hass, first, {})
    second = await send(hass, second, {})
    assert errors(second, "config_subentries", "port") == {"external_port": "port_taken"}
    assert len(entry.subentries) == 1
