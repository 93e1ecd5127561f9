"""The actions on ports: opening, closing and checking them."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    entity_of,
    fails,
    foreign,
    hostname,
    port,
    sent,
    state_of,
    until,
)

ACTIONS = "open_port", "close_port", "check_port"


async def act(hass: HomeAssistant, action: str, entities: Any, **data: Any) -> Any:
    """Call an action on ports; return its response."""
    data = {"entity_id": entities} | data
    return await hass.services.async_call(
        "homeport", action, data, blocking=True, return_response=True
    )


async def test_open_check_close(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    outside = home.facts.game_port + 1
    game = port(home)
    entry = await set_up(game)
    entity = entity_of(hass, entry, "open", game)
    assert await act(hass, "open_port", entity) == {
        entity: {
            "mapping": "open",
            "protocol": "TCP",
            "external_port": outside,
            "pinhole": None,
            "closes_at": None,
        }
    }
    assert state_of(hass, entry, "open", game) == "on"
    assert len(home.igd.table) == 1

    answer = (await act(hass, "check_port", entity))[entity]
    assert answer["external_port"] == outside
    seen = answer["ipv4"]
    assert (seen["reachability"], seen["blocked_by"]) == ("reachable", "nothing")
    assert (seen["address"], seen["problem"]) == ("11.22.33.44", None)
    steps = {each["step"]: each for each in seen["steps"]}
    assert list(steps) == [
        *("service", "target", "line", "port_set", "mapping", "wan_address", "outside"),
    ]
    assert {each["state"] for each in steps.values()} <= {"passed", "not_needed"}
    assert 0 <= steps["outside"]["seconds"] < 60
    age = dt_util.utcnow() - dt_util.parse_datetime(answer["checked"], raise_on_error=True)
    assert 0 <= age.total_seconds() < 60

    answer = await act(hass, "close_port", entity)
    assert answer[entity]["mapping"] == "closed"
    assert state_of(hass, entry, "open", game) == "off"
    assert not home.igd.table


async def test_without_a_response(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    target = {"entity_id": entity_of(hass, entry, "open", game)}
    await hass.services.async_call("homeport", "open_port", target, blocking=True)
    assert state_of(hass, entry, "open", game) == "on"


async def test_only_the_chosen_ones(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    ports = [port(home, str(i), external_port=40000 + i) for i in range(3)]
    entry = await set_up(*ports)
    entities = [entity_of(hass, entry, "open", each) for each in ports]
    answer = await act(hass, "open_port", entities[:2])
    assert list(answer) == entities[:2]
    assert sorted(each.external_port for each in home.igd.table.values()) == [40000, 40001]


async def test_one_that_fails_does_not_keep_the_other_back(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    bad, good = port(home, "Bad", external_port=40000), port(home, external_port=40001)
    entry = await set_up(bad, good)
    foreign(home, 40000)
    entities = [entity_of(hass, entry, "open", each) for each in (bad, good)]
    with fails("foreign_mapping"):
        await act(hass, "open_port", entities)
    assert state_of(hass, entry, "open", good) == "on"


async def test_refusals(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    entity = entity_of(hass, entry, "open", game)
    home.igd.faults["AddPortMapping"] = 606
    with fails("upnp_606"):
        await act(hass, "open_port", entity)
    home.outside.down = True
    answer = (await act(hass, "check_port", entity))[entity]["ipv4"]
    assert (answer["reachability"], answer["problem"]) == (None, "outside_unreachable")
    home.igd.control = Reply(drop=True)
    with fails("gateway_unreachable"):
        await act(hass, "close_port", entity)


async def test_line_that_cannot_open(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    await home.igd.set_wan_address("100.64.0.9")
    game = port(home)
    entry = await set_up(game)
    await until(lambda: state_of(hass, entry, "line_mode") == "cgnat")
    entity = entity_of(hass, entry, "open", game)
    with fails("line_cgnat", ServiceValidationError):
        await act(hass, "open_port", entity)
    answer = (await act(hass, "check_port", entity))[entity]["ipv4"]
    assert (answer["reachability"], answer["blocked_by"]) == (None, "line_cgnat")
    assert {seen.path for seen in home.outside.requests} == {"/ip"}
    assert not sent(home, "AddPortMapping")


async def test_port_without_a_switch(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game, gateway=False)
    entity = entity_of(hass, entry, "reachability", game)
    for action in "open_port", "close_port":
        with fails("no_gateway", ServiceValidationError):
            await act(hass, action, entity)
    home.outside.reachable = True
    answer = await act(hass, "check_port", entity)
    assert answer[entity]["ipv4"]["reachability"] == "possible"


@pytest.mark.parametrize("action", ACTIONS)
async def test_what_is_no_port(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, action: str
) -> None:
    game, site = port(home), hostname(home)
    entry = await set_up(game, site)
    hass.states.async_set("switch.foreign", "off")
    for entity in (
        "switch.unheard_of",
        "switch.foreign",
        entity_of(hass, entry, "public_ipv4"),
        entity_of(hass, entry, "status", site),
    ):
        # Not even for the others that are named.
        with fails("not_a_port", ServiceValidationError) as error:
            await act(hass, action, [entity_of(hass, entry, "open", game), entity])
        assert entity in str(error.value)
    assert not sent(home, "AddPortMapping")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "data",
    [
        {},
        {"entity_id": "all"},
        {"entity_id": "no entity"},
        {"area_id": "garden"},
        {"entity_id": "switch.game", "port": 1},
    ],
)
async def test_bad_call(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, action: str, data: dict[str, Any]
) -> None:
    await set_up(port(home), wait=False)
    with pytest.raises(vol.Invalid):
        await hass.services.async_call("homeport", action, data, blocking=True)


@pytest.mark.parametrize(
    "duration",
    [
        *(0, -60, 0.5, 1e300, float("inf"), float("nan"), "-00:01:00", "soon", None, []),
        *({"seconds": 0}, {"days": 31}, {"days": 30, "seconds": 1}, {"years": 1}, {"hours": 1e300}),
    ],
)
async def test_bad_duration(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, duration: Any
) -> None:
    game = port(home)
    entry = await set_up(game, wait=False)
    with pytest.raises(vol.Invalid):
        await act(hass, "open_port", entity_of(hass, entry, "open", game), duration=duration)
    assert not sent(home, "AddPortMapping")


async def test_port_that_is_not_loaded(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    entity = entity_of(hass, entry, "open", game)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for action in ACTIONS:
        with pytest.raises(ServiceValidationError) as raised:
            await act(hass, action, entity)
        assert raised.value.translation_key == "service_config_entry_not_loaded"


@pytest.mark.parametrize("action", [*ACTIONS, "close_all_ports", "list_mappings"])
async def test_only_for_administrators(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    hass_read_only_user: MockUser,
    action: str,
) -> None:
    game = port(home)
    entry = await set_up(game)
    data = {"entity_id": entity_of(hass, entry, "open", game)}
    if action not in ACTIONS:
        data = {"config_entry_id": entry.entry_id}
    context = Context(user_id=hass_read_only_user.id)
    with pytest.raises(Unauthorized):
        await hass.services.async_call("homeport", action, data, blocking=True, context=context)
    assert not sent(home, "AddPortMapping")


@pytest.mark.parametrize("action", ["close_all_ports", "list_mappings"])
async def test_bad_line(hass: HomeAssistant, home: DemoHome, set_up: SetUp, action: str) -> None:
    without = await set_up(gateway=False)

    async def call(**data: Any) -> None:
        await hass.services.async_call(
            "homeport", action, data, blocking=True, return_response=True
        )

    for data in {}, {"config_entry_id": ["x"]}, {"config_entry_id": "x", "force": True}:
        with pytest.raises(vol.Invalid):
            await call(**data)
    with pytest.raises(HomeAssistantError) as raised:
        await call(config_entry_id="unheard-of")
    assert raised.value.translation_key == "service_config_entry_not_found"
    with fails("no_gateway", ServiceValidationError):
        await call(config_entry_id=without.entry_id)
