"""Changing the options: outside services, and what the user says of the line."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.line import Ipv6Mode, LineMode
from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    TEXTS,
    entity_of,
    errors,
    fails,
    hostname,
    later,
    opened,
    port,
    readings,
    state_of,
    suggested,
    switch,
    until,
)

RULE = {
    "rule_ipv6": "240b:10::/31",
    "rule_ipv4": "106.72.0.0/15",
    "rule_ea_length": "25",
    "rule_psid_offset": "4",
}
STORED_RULE = RULE | {"rule_ea_length": 25, "rule_psid_offset": 4}
AUTOMATIC = {"line_mode": "automatic", "ipv6_mode": "automatic"}


async def begin(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> ConfigFlowResult:
    """Open one of the forms."""
    flows = hass.config_entries.options
    result = await flows.async_init(entry.entry_id)
    assert (result["type"], result["menu_options"]) == ("menu", ["outside", "probers", "line"])
    assert set(TEXTS["options"]["step"]["init"]["menu_options"]) == {
        *("outside", "probers", "line"),
    }
    result = await flows.async_configure(result["flow_id"], {"next_step_id": step})
    assert result["step_id"] == step
    return result


async def send(hass: HomeAssistant, result: Any, user_input: dict[str, Any]) -> ConfigFlowResult:
    """Send a form."""
    flows = hass.config_entries.options
    result = await flows.async_configure(result["flow_id"], user_input)
    await hass.async_block_till_done()
    return result


# --- Probers -------------------------------------------------------------------------------------

OWN = {"own_prober_url": "https://prober.example:8443", "own_prober_token": "not-for-everybody"}


async def test_probers_are_kept_and_their_secrets_not_shown(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    before, requests = dict(entry.options), len(home.outside.requests)
    asked = OWN | {"udp_server": "stun.example", "hosted_probers": ["globalping", "check_host"]}
    result = await send(
        hass, await begin(hass, entry, "probers"), asked | {"globalping_token": "secret"}
    )
    assert result["type"] == "create_entry"
    # Those who look at ports say nothing of the line: it is not looked at anew.
    assert state_of(hass, entry, "public_ipv4") == "11.22.33.44"
    assert {each.path for each in home.outside.requests} == {"/ip"}
    assert len(home.outside.requests) == requests
    kept = asked | {"hosted_probers": ["check_host", "globalping"], "globalping_token": "secret"}
    assert entry.options == before | kept

    result = await begin(hass, entry, "probers")
    shown = suggested(result)
    assert not {"own_prober_token", "globalping_token"} & shown.keys()
    # Left empty they stay, for the same place.
    result = await send(hass, result, {key: shown[key] for key in asked if key in shown})
    assert entry.options == before | kept
    elsewhere = {"own_prober_url": "https://other.example"}
    result = await send(hass, await begin(hass, entry, "probers"), elsewhere)
    assert result["errors"] == {"own_prober_token": "token_missing"}
    result = await send(hass, await begin(hass, entry, "probers"), {})
    assert entry.options == before


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        (
            OWN | {"own_prober_url": "http://prober.example"},
            {"own_prober_url": "invalid_https_url"},
        ),
        ({"own_prober_url": OWN["own_prober_url"]}, {"own_prober_token": "token_missing"}),
        ({"own_prober_token": "x"}, {"own_prober_url": "url_missing"}),
        ({"own_prober_name": "x"}, {"own_prober_url": "url_missing"}),
        (OWN | {"own_prober_token": "秘密"}, {"own_prober_token": "invalid_token"}),
        (OWN | {"own_prober_token": "x" * 257}, {"own_prober_token": "invalid_token"}),
        ({"udp_server": "a b"}, {"udp_server": "invalid_stun_server"}),
    ],
)
async def test_bad_probers(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    given: dict[str, str],
    errors: dict[str, str],
) -> None:
    entry = await set_up()
    before = dict(entry.options)
    result = await send(hass, await begin(hass, entry, "probers"), given)
    assert result["errors"] == errors
    assert (
        errors.items()
        <= {
            key: value
            for key, value in result["errors"].items()
            if value in TEXTS["options"]["error"]
        }.items()
    )
    assert entry.options == before


# --- Outside services ----------------------------------------------------------------------------


async def test_services_are_applied_without_a_reload(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game, name = port(home), hostname(home)
    entry = await set_up(game, name)
    await opened(hass, entry, game)
    await until(lambda: state_of(hass, entry, "status", name) == "ok")
    data, events = entry.runtime_data, []
    hass.bus.async_listen("state_changed", lambda event: events.append(event.data))

    result = await begin(hass, entry, "outside")
    assert suggested(result) == entry.options
    url = f"{home.outside.url}/json"
    result = await send(hass, result, {"echo_urls": [url], "stun_minutes": 30.0})
    assert result["type"] == "create_entry"
    assert entry.options == {"echo_urls": [url], "stun_minutes": 30}
    assert type(entry.options["stun_minutes"]) is int
    await until(lambda: home.outside.requests[-1].path == "/json")
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")

    assert entry.runtime_data is data
    assert state_of(hass, entry, "open", game) == "on"
    assert state_of(hass, entry, "status", name) == "ok"
    assert home.igd.subscriptions == 1
    assert not [each for each in events if each["new_state"].state == "unavailable"]


async def test_emptied_services_are_never_asked(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up(look_up_names=True, look_behind=True)
    result = await send(hass, await begin(hass, entry, "outside"), {})
    assert result["type"] == "create_entry"
    assert entry.options == {"stun_minutes": 5}
    asked = len(home.outside.requests)
    await later(hass, hours=5)
    await readings(hass, entry, home)
    assert state_of(hass, entry, "public_ipv4") == "unknown"
    assert len(home.outside.requests) == asked


BAD_SERVICES: list[tuple[dict[str, Any], str]] = [
    ({"echo_urls": ["ftp://example.net/"]}, "invalid_url"),
    ({"prober_url": "example"}, "invalid_url"),
    ({"stun_servers": ["stun.example.net", "https://stun.example.net"]}, "invalid_stun_server"),
    ({"echo_urls": [f"https://{n}.example.net" for n in range(6)]}, "too_many"),
]


async def test_bad_services(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    before = dict(entry.options)
    result = await begin(hass, entry, "outside")
    for changes, key in BAD_SERVICES:
        bad = before | {"stun_minutes": 7} | changes
        result = await send(hass, result, bad)
        assert errors(result, "options") == dict.fromkeys(changes, key)
        assert suggested(result) == bad
    assert entry.options == before


# --- The line ------------------------------------------------------------------------------------


async def test_each_step_keeps_what_the_other_has_set(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    outside = dict(entry.options)
    said = {"line_mode": "map_e", "ipv6_mode": "ipoe"}
    result = await begin(hass, entry, "line")
    assert suggested(result) == {}
    await send(hass, result, said | RULE)
    assert entry.options == outside | said | STORED_RULE

    result = await begin(hass, entry, "outside")
    assert suggested(result) == outside
    await send(hass, result, {"stun_minutes": 0})
    assert entry.options == {"stun_minutes": 0} | said | STORED_RULE

    result = await begin(hass, entry, "line")
    assert suggested(result) == said | RULE
    await send(hass, result, AUTOMATIC)
    assert entry.options == {"stun_minutes": 0}


async def test_both_routers_can_be_chosen_and_left(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    before = dict(entry.options)
    await send(hass, await begin(hass, entry, "line"), AUTOMATIC | {"both_routers": True})
    assert entry.options == before | {"both_routers": True}
    result = await begin(hass, entry, "line")
    assert suggested(result) == {"both_routers": True}
    await send(hass, result, AUTOMATIC | {"both_routers": False})
    assert entry.options == before


async def test_what_the_user_says_is_believed_and_shown_as_such(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await send(hass, await begin(hass, entry, "line"), AUTOMATIC | {"line_mode": "ds_lite"})
    await until(lambda: state_of(hass, entry, "line_mode") == "ds_lite")
    shown = hass.states.get(entity_of(hass, entry, "line_mode"))
    assert shown
    assert shown.attributes["overridden"] is True
    assert shown.attributes["reasons"][0] == "overridden"
    with fails("line_ds_lite"):
        await switch(hass, entry, game, "on")

    await send(hass, await begin(hass, entry, "line"), AUTOMATIC)
    await until(lambda: state_of(hass, entry, "line_mode") != "ds_lite")
    shown = hass.states.get(entity_of(hass, entry, "line_mode"))
    assert shown
    assert shown.attributes["overridden"] is False


async def test_every_mode_can_be_chosen(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    result = await begin(hass, entry, "line")
    fields = {str(marker): field for marker, field in result["data_schema"].schema.items()}
    for key, kind in ("line_mode", LineMode), ("ipv6_mode", Ipv6Mode):
        offered = [str(each) for each in fields[key].config["options"]]
        assert offered == ["automatic", *(mode.value for mode in kind)]
        assert set(TEXTS["selector"][key]["options"]) == set(offered)


BAD_RULES: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"rule_ipv6": "240b:10::"}, {"rule_ipv6": "invalid_ipv6_prefix"}),
    ({"rule_ipv6": "240b:10::1/31"}, {"rule_ipv6": "invalid_ipv6_prefix"}),
    ({"rule_ipv4": "106.72.0.0"}, {"rule_ipv4": "invalid_ipv4_prefix"}),
    ({"rule_ipv4": "240b:10::/31"}, {"rule_ipv4": "invalid_ipv4_prefix"}),
    ({"rule_ea_length": "60"}, {"rule_ea_length": "invalid_ea_length"}),
    ({"rule_ea_length": "2.5"}, {"rule_ea_length": "invalid_ea_length"}),
    ({"rule_ea_length": "9" * 5000}, {"rule_ea_length": "invalid_ea_length"}),
    ({"rule_psid_offset": "9"}, {"rule_psid_offset": "invalid_psid_offset"}),
    ({"rule_psid_offset": "-1"}, {"rule_psid_offset": "invalid_psid_offset"}),
    ({"rule_ipv6": " "}, {"rule_ipv6": "rule_incomplete"}),
    (
        {"rule_ipv6": "", "rule_ipv4": "", "rule_ea_length": ""},
        dict.fromkeys(("rule_ipv6", "rule_ipv4", "rule_ea_length"), "rule_incomplete"),
    ),
]


async def test_bad_rule(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    before = dict(entry.options)
    result = await begin(hass, entry, "line")
    for changes, expected in BAD_RULES:
        bad = AUTOMATIC | RULE | changes
        result = await send(hass, result, bad)
        assert (changes, errors(result, "options")) == (changes, expected)
        assert suggested(result) == bad
    assert entry.options == before
