"""A provider refuses credentials: Home Assistant asks for the right ones."""

from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.steps import TEXTS, errors, hostname, state_of, suggested, until

OTHER = "two.homeport.example"


def flows(hass: HomeAssistant, entry: MockConfigEntry) -> list[Any]:
    """Return the open reauth flows of an entry."""
    return [
        flow
        for flow in hass.config_entries.flow.async_progress()
        if flow["context"]["source"] == "reauth" and flow["context"]["entry_id"] == entry.entry_id
    ]


async def asked(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """Wait for the one reauth flow and return its form."""
    await until(lambda: flows(hass, entry), "a reauth flow")
    await hass.async_block_till_done()
    [flow] = flows(hass, entry)
    return await hass.config_entries.flow.async_configure(flow["flow_id"])


async def send(hass: HomeAssistant, result: Any, **user_input: str) -> Any:
    """Send the form."""
    flow = hass.config_entries.flow
    result = await flow.async_configure(result["flow_id"], user_input)
    await hass.async_block_till_done()
    return result


async def test_right_password(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    site = hostname(home, password="wrong-one")
    entry = await set_up(site)
    await until(lambda: state_of(hass, entry, "status", site) == "wrong_credentials")
    result = await asked(hass, entry)
    assert (result["type"], result["step_id"]) == ("form", "reauth_confirm")
    assert result["description_placeholders"]["hostname"] == home.facts.hostname
    assert "{hostname}" in TEXTS["config"]["step"]["reauth_confirm"]["description"]
    assert suggested(result) == {"username": "demo"}
    assert "wrong-one" not in str(result)
    assert len(home.dyndns2.requests) == 1

    result = await send(hass, result, username="demo", password="demo")
    assert (result["type"], result["reason"]) == ("abort", "reauth_successful")
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    assert home.dyndns2.records == {home.facts.hostname: {"A": "11.22.33.44"}}
    assert len(home.dyndns2.requests) == 2
    assert entry.subentries[site.subentry_id].data["password"] == "demo"
    assert not flows(hass, entry)


async def test_wrong_again(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    site = hostname(home, password="wrong")
    entry = await set_up(site)
    result = await asked(hass, entry)
    await send(hass, result, username="demo", password="wrong as well")
    await until(lambda: len(home.dyndns2.requests) == 2)
    result = await asked(hass, entry)
    await until(lambda: state_of(hass, entry, "status", site) == "wrong_credentials")
    await send(hass, result, username="demo", password="demo")
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    assert len(home.dyndns2.requests) == 3


async def test_bad_fields(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up(hostname(home, password="wrong"))
    result = await asked(hass, entry)
    for bad in {"username": "a:b", "password": "demo"}, {"username": "demo", "password": ""}:
        result = await send(hass, result, **bad)
        assert errors(result) in ({"username": "invalid_username"}, {"password": "required"})
    assert len(home.dyndns2.requests) == 1


async def test_two_refused_hostnames(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    home.dyndns2.hostnames[OTHER] = home.facts.username
    sites = hostname(home, password="wrong"), hostname(home, hostname=OTHER, password="wrong")
    entry = await set_up(*sites)
    for site in sites:
        await until(lambda at=site: state_of(hass, entry, "status", at) == "wrong_credentials")
    result = await asked(hass, entry)
    first = result["description_placeholders"]["hostname"]
    result = await send(hass, result, username="demo", password="demo")
    assert result["type"] == "form"
    assert {first, result["description_placeholders"]["hostname"]} == {OTHER, home.facts.hostname}
    result = await send(hass, result, username="demo", password="demo")
    assert (result["type"], result["reason"]) == ("abort", "reauth_successful")
    for site in sites:
        await until(lambda at=site: state_of(hass, entry, "status", at) == "ok")
    assert len(home.dyndns2.requests) == 4
    assert not flows(hass, entry)


async def test_asked_again_after_a_restart(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    site = hostname(home, password="wrong")
    entry = await set_up(site)
    result = await asked(hass, entry)
    hass.config_entries.flow.async_abort(result["flow_id"])
    assert not flows(hass, entry)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await asked(hass, entry)
    assert len(home.dyndns2.requests) == 1


async def test_asked_when_another_flow_no_longer_blocks_it(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    site = hostname(home, password="wrong")
    entry = await set_up(wait=False)
    other = await hass.config_entries.flow.async_init(
        "homeport", context={"source": "reconfigure", "entry_id": entry.entry_id}
    )
    assert other["type"] == "form"
    hass.config_entries.async_add_subentry(entry, site)
    await hass.async_block_till_done()
    await until(lambda: state_of(hass, entry, "status", site) == "wrong_credentials")
    assert not flows(hass, entry)
    hass.config_entries.flow.async_abort(other["flow_id"])
    await home.set_wan_address("11.22.33.55")
    await asked(hass, entry)


async def test_removed_while_asked(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    site = hostname(home, password="wrong")
    entry = await set_up(site)
    result = await asked(hass, entry)
    hass.config_entries.async_remove_subentry(entry, site.subentry_id)
    await hass.async_block_till_done()
    result = await send(hass, result, username="demo", password="demo")
    assert (result["type"], result["reason"]) == ("abort", "hostname_removed")
    assert TEXTS["config"]["abort"]["hostname_removed"]
