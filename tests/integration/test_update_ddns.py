"""Sending a hostname's address on demand: the button and the action."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.steps import entity_of, fails, hostname, port, press, state_of, until

OTHER = "two.homeport.example"


async def update(hass: HomeAssistant, **data: Any) -> Any:
    """Call the action; return its response."""
    return await hass.services.async_call(
        "homeport", "update_ddns", data, blocking=True, return_response=True
    )


async def test_response(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    site = hostname(home)
    entry = await set_up(site)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    expected = {
        "hostnames": {
            home.facts.hostname: {
                "status": "ok",
                "ipv4": "11.22.33.44",
                "ipv6": None,
                "reply": "nochg 11.22.33.44",
            }
        }
    }
    assert await update(hass, config_entry_id=entry.entry_id) == expected
    entity = entity_of(hass, entry, "status", site)
    assert await update(hass, entity_id=entity) == expected
    assert await update(hass, entity_id=[entity]) == expected
    assert len(home.dyndns2.requests) == 4
    # Without a response it works as well.
    target = {"entity_id": entity}
    await hass.services.async_call("homeport", "update_ddns", target, blocking=True)
    assert len(home.dyndns2.requests) == 5


async def test_only_the_chosen_ones(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    home.dyndns2.hostnames[OTHER] = home.facts.username
    first, second = hostname(home), hostname(home, hostname=OTHER)
    entry = await set_up(first, second)
    for site in first, second:
        await until(lambda at=site: state_of(hass, entry, "status", at) == "ok")
    home.dyndns2.requests.clear()
    answer = await update(hass, entity_id=entity_of(hass, entry, "status", second))
    assert list(answer["hostnames"]) == [OTHER]
    assert [sent.hostname for sent in home.dyndns2.requests] == [OTHER]
    answer = await update(hass, config_entry_id=entry.entry_id)
    assert set(answer["hostnames"]) == {OTHER, home.facts.hostname}


async def test_button(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    site = hostname(home)
    entry = await set_up(site)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    home.dyndns2.records.clear()
    await press(hass, entry, "update", site)
    assert home.dyndns2.records == {home.facts.hostname: {"A": "11.22.33.44"}}


FAILURES = {
    "badauth": "wrong_credentials",
    "nohost": "rejected",
    "abuse": "blocked_by_provider",
    "911": "unavailable",
    "what": "unexpected_reply",
}


@pytest.mark.parametrize("reply", FAILURES)
async def test_failure(hass: HomeAssistant, home: DemoHome, set_up: SetUp, reply: str) -> None:
    site = hostname(home)
    entry = await set_up(site)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    home.dyndns2.always = reply
    with fails(FAILURES[reply]):
        await update(hass, entity_id=entity_of(hass, entry, "status", site))
    with fails(FAILURES[reply]) as error:
        await press(hass, entry, "update", site)
    assert reply in str(error.value)


async def test_failure_of_one_does_not_keep_the_other_back(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    home.dyndns2.hostnames[OTHER] = home.facts.username
    bad, good = hostname(home), hostname(home, hostname=OTHER)
    entry = await set_up(bad, good)
    for site in bad, good:
        await until(lambda at=site: state_of(hass, entry, "status", at) == "ok")
    del home.dyndns2.hostnames[bad.title]
    home.dyndns2.records.clear()
    with fails("rejected"):
        await update(hass, config_entry_id=entry.entry_id)
    assert home.dyndns2.records == {OTHER: {"A": "11.22.33.44"}}


async def test_no_address(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    await home.igd.set_wan_address("100.64.0.9")
    site = hostname(home)
    entry = await set_up(site)
    with fails("no_address"):
        await press(hass, entry, "update", site)
    with fails("no_address"):
        await update(hass, config_entry_id=entry.entry_id)
    assert not home.dyndns2.requests


async def test_line_without_hostnames(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up(port(home))
    with fails("no_hostname", ServiceValidationError):
        await update(hass, config_entry_id=entry.entry_id)
    with fails("no_hostname", ServiceValidationError):
        await update(hass, entity_id=[])


async def test_what_is_no_hostname(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game, site = port(home), hostname(home)
    entry = await set_up(game, site)
    hass.states.async_set("sensor.foreign", "1")
    for entity in (
        "sensor.unheard_of",
        "sensor.foreign",
        entity_of(hass, entry, "public_ipv4"),
        entity_of(hass, entry, "reachability", game),
    ):
        with fails("not_a_hostname", ServiceValidationError) as error:
            await update(hass, entity_id=[entity])
        assert entity in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"entity_id": "all"},
        {"entity_id": "no entity"},
        {"config_entry_id": ["x"]},
        {"config_entry_id": "x", "hostname": "y"},
    ],
)
async def test_bad_call(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, data: dict[str, Any]
) -> None:
    await set_up(hostname(home))
    with pytest.raises(vol.Invalid):
        await update(hass, **data)


@pytest.mark.parametrize("entry_id", ["", "unheard-of"])
async def test_unknown_line(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, entry_id: str
) -> None:
    await set_up(hostname(home))
    with pytest.raises(ServiceValidationError) as raised:
        await update(hass, config_entry_id=entry_id)
    assert raised.value.translation_key == "service_config_entry_not_found"


async def test_line_that_is_not_loaded(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    site = hostname(home)
    entry = await set_up(site)
    entity = entity_of(hass, entry, "status", site)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for target in {"config_entry_id": entry.entry_id}, {"entity_id": entity}:
        with pytest.raises(ServiceValidationError) as raised:
            await update(hass, **target)
        assert raised.value.translation_key == "service_config_entry_not_loaded"


async def test_only_for_administrators(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, hass_read_only_user: MockUser
) -> None:
    site = hostname(home)
    entry = await set_up(site)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "homeport",
            "update_ddns",
            {"config_entry_id": entry.entry_id},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert len(home.dyndns2.requests) == 1
