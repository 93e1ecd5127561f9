"""Adding and changing a hostname."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.ddns import PROVIDERS
from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.steps import errors, hostname, port, state_of, suggested, until

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
RFC2136 = {
    "hostname": "home.example.net",
    "server": "127.0.0.1:1",
    "zone": "example.net",
    "key_name": "home-key",
    "key_secret": SECRET,
    "key_algorithm": "hmac-sha512",
    "ttl": "120",
}


def dyndns2(home: DemoHome) -> dict[str, str]:
    """Return what to fill into the form."""
    facts = home.facts
    return {
        "hostname": facts.hostname,
        "server": facts.dyndns2_url,
        "username": facts.username,
        "password": facts.password,
    }


async def begin(hass: HomeAssistant, entry: MockConfigEntry, provider: str) -> SubentryFlowResult:
    """Choose a provider for a new hostname."""
    flows = hass.config_entries.subentries
    context = {"source": SOURCE_USER}
    result = await flows.async_init((entry.entry_id, "hostname"), context=context)
    assert result["type"] == "menu"
    assert result["menu_options"] == list(PROVIDERS)
    result = await flows.async_configure(result["flow_id"], {"next_step_id": provider})
    assert result["step_id"] == provider
    return result


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, subentry_id: str
) -> SubentryFlowResult:
    """Open the form that changes a hostname."""
    flows = hass.config_entries.subentries
    context = {"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id}
    return await flows.async_init((entry.entry_id, "hostname"), context=context)


async def send(
    hass: HomeAssistant, result: SubentryFlowResult, user_input: dict[str, Any]
) -> SubentryFlowResult:
    """Send a form."""
    flows = hass.config_entries.subentries
    result = await flows.async_configure(result["flow_id"], user_input)
    await hass.async_block_till_done()
    return result


def explained(result: SubentryFlowResult) -> dict[str, str]:
    """Return the errors of a form."""
    return errors(result, "config_subentries", "hostname")


async def test_dyndns2(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    data = entry.runtime_data
    result = await begin(hass, entry, "dyndns2")
    assert suggested(result) == {}
    upper = dyndns2(home) | {"hostname": f" {home.facts.hostname.upper()}. "}
    result = await send(hass, result, upper)
    assert result["type"] == "create_entry"
    [subentry] = entry.subentries.values()
    assert (subentry.title, subentry.unique_id) == (home.facts.hostname, home.facts.hostname)
    assert subentry.data == {"provider": "dyndns2"} | dyndns2(home)
    assert entry.runtime_data is data
    await until(lambda: home.dyndns2.records == {home.facts.hostname: {"A": "11.22.33.44"}})
    await until(lambda: state_of(hass, entry, "status", subentry) == "ok")
    assert state_of(hass, entry, "published_ipv4", subentry) == "11.22.33.44"


async def test_rfc2136(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    result = await begin(hass, entry, "rfc2136")
    assert suggested(result) == {"key_algorithm": "hmac-sha256", "ttl": "60"}
    result = await send(hass, result, RFC2136)
    assert result["type"] == "create_entry"
    [subentry] = entry.subentries.values()
    assert subentry.data == {"provider": "rfc2136"} | RFC2136
    await until(lambda: state_of(hass, entry, "status", subentry) == "waiting_for_provider")


BAD_DYNDNS2 = [
    ({"hostname": ""}, "invalid_hostname"),
    ({"hostname": "home"}, "invalid_hostname"),
    ({"hostname": "-x.example.net"}, "invalid_hostname"),
    ({"hostname": "192.168.1.1"}, "invalid_hostname"),
    ({"hostname": "home_1.example.net"}, "invalid_hostname"),
    ({"hostname": "home.example.net/?"}, "invalid_hostname"),
    ({"server": ""}, "required"),
    ({"server": "ftp://example.net"}, "invalid_url"),
    ({"server": "https://["}, "invalid_url"),
    ({"server": "http://dyn.example.net/nic/update"}, "https_required"),
    ({"server": "https://me:secret@dyn.example.net"}, "credentials_in_url"),
    ({"username": ""}, "required"),
    ({"username": "a:b"}, "invalid_username"),
    ({"password": ""}, "required"),
]
BAD_RFC2136 = [
    ({"hostname": "home"}, "invalid_hostname"),
    ({"server": ""}, "required"),
    ({"server": "ns.example.net:0"}, "invalid_server"),
    ({"server": "https://ns.example.net"}, "invalid_server"),
    ({"zone": "exa mple"}, "invalid_zone"),
    ({"zone": "example.org"}, "not_in_zone"),
    ({"key_name": ""}, "required"),
    ({"key_name": "a..b"}, "invalid_key_name"),
    ({"key_secret": ""}, "required"),
    ({"key_secret": "not base64!"}, "invalid_key_secret"),
    ({"ttl": "29"}, "invalid_ttl"),
    ({"ttl": "86401"}, "invalid_ttl"),
    ({"ttl": "1.5"}, "invalid_ttl"),
    ({"ttl": "soon"}, "invalid_ttl"),
]


async def test_bad_dyndns2(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up(wait=False)
    result = await begin(hass, entry, "dyndns2")
    for bad, key in BAD_DYNDNS2:
        result = await send(hass, result, dyndns2(home) | bad)
        assert (bad, explained(result)) == (bad, dict.fromkeys(bad, key))
    result = await send(hass, result, dyndns2(home))
    assert result["type"] == "create_entry"


async def test_bad_rfc2136(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up(wait=False)
    result = await begin(hass, entry, "rfc2136")
    for bad, key in BAD_RFC2136:
        result = await send(hass, result, RFC2136 | bad)
        assert (bad, explained(result)) == (bad, dict.fromkeys(bad, key))
    result = await send(hass, result, RFC2136)
    assert result["type"] == "create_entry"


async def test_unknown_algorithm(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up(wait=False)
    result = await begin(hass, entry, "rfc2136")
    with pytest.raises(InvalidData):
        await send(hass, result, RFC2136 | {"key_algorithm": "hmac-md5"})
    assert not entry.subentries


async def test_hostname_is_kept_once(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    name = hostname(home)
    entry, other = await set_up(port(home), name), await set_up(gateway=False)
    for each in entry, other:
        result = await send(hass, await begin(hass, each, "dyndns2"), dyndns2(home))
        assert explained(result) == {"hostname": "hostname_taken"}
        same = RFC2136 | {"hostname": home.facts.hostname.upper(), "zone": ""}
        result = await send(hass, await begin(hass, each, "rfc2136"), same)
        assert explained(result) == {"hostname": "hostname_taken"}
    assert not other.subentries


async def test_change_keeps_and_hides_the_secret(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    name = hostname(home)
    entry = await set_up(name)
    await until(lambda: state_of(hass, entry, "status", name) == "ok")
    home.dyndns2.hostnames["new.homeport.example"] = home.facts.username
    data = entry.runtime_data

    result = await change(hass, entry, name.subentry_id)
    shown = suggested(result)
    assert shown == {key: text for key, text in dyndns2(home).items() if key != "password"}
    result = await send(hass, result, shown | {"server": "ftp://x"})
    assert explained(result) == {"server": "invalid_url"}
    assert "password" not in suggested(result)
    result = await send(hass, result, shown | {"hostname": "new.homeport.example"})
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")

    changed = entry.subentries[name.subentry_id]
    assert changed.data["password"] == home.facts.password
    assert (changed.title, changed.unique_id) == ("new.homeport.example", "new.homeport.example")
    assert entry.runtime_data is data
    await until(lambda: home.dyndns2.records.get("new.homeport.example") == {"A": "11.22.33.44"})
    await until(lambda: state_of(hass, entry, "status", name) == "ok")


async def test_change_of_the_secret(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    name = hostname(home)
    entry = await set_up(name)
    await until(lambda: state_of(hass, entry, "status", name) == "ok")
    home.dyndns2.users["demo"] = "other"
    result = await change(hass, entry, name.subentry_id)
    result = await send(hass, result, suggested(result) | {"password": "other"})
    assert result["reason"] == "reconfigure_successful"
    await until(lambda: len(home.dyndns2.requests) == 2)
    await until(lambda: state_of(hass, entry, "status", name) == "ok")


async def test_change_hides_the_key(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    name = hostname(home, **RFC2136, provider="rfc2136")
    entry = await set_up(name)
    result = await change(hass, entry, name.subentry_id)
    shown = suggested(result)
    assert SECRET not in str(shown)
    assert shown["key_algorithm"] == "hmac-sha512"
    assert shown["ttl"] == "120"
    del shown["zone"]
    result = await send(hass, result, shown)
    assert result["reason"] == "reconfigure_successful"
    data = entry.subentries[name.subentry_id].data
    assert data["key_secret"] == SECRET
    assert "zone" not in data


async def test_change_may_not_take_anothers_name(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    name, other = hostname(home), hostname(home, hostname="two.homeport.example")
    entry = await set_up(name, other)
    result = await change(hass, entry, other.subentry_id)
    result = await send(hass, result, suggested(result) | {"hostname": home.facts.hostname})
    assert explained(result) == {"hostname": "hostname_taken"}
