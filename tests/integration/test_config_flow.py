"""Setting up a line by hand."""

from collections.abc import Callable
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
import pytest

from custom_components.homeport.const import (
    DEFAULT_ECHO_URLS,
    DEFAULT_PROBER_URL,
    DEFAULT_STUN_SERVERS,
    DOMAIN,
)
from custom_components.homeport.options import LineOptions
from tests.fakes.demo import DemoHome
from tests.fakes.igd import FakeIgd, Identity
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import errors, sent, state_of, suggested, until


async def begin(hass: HomeAssistant, choice: str) -> ConfigFlowResult:
    """Start a flow and choose from its menu."""
    flows = hass.config_entries.flow
    result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] == "menu"
    assert result["menu_options"] == ["gateway", "no_gateway"]
    return await flows.async_configure(result["flow_id"], {"next_step_id": choice})


async def go_on(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: Any
) -> ConfigFlowResult:
    """Send a form."""
    return await hass.config_entries.flow.async_configure(result["flow_id"], user_input)


def services(home: DemoHome) -> dict[str, Any]:
    """Return what to fill into the form about the outside."""
    return {"echo_urls": [home.facts.echo_url], "prober_url": home.facts.prober_url}


async def entry_of(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigEntry:
    """Return the entry that a flow made, set up."""
    assert result["type"] == "create_entry", result
    await hass.async_block_till_done()
    return result["result"]


async def test_by_url(hass: HomeAssistant, home: DemoHome) -> None:
    result = await begin(hass, "gateway")
    assert result["step_id"] == "gateway"
    result = await go_on(hass, result, host=f" {home.facts.location} ")
    assert result["step_id"] == "outside"
    assert result["description_placeholders"]["name"] == "Demo router"
    assert suggested(result) == {
        "echo_urls": list(DEFAULT_ECHO_URLS),
        "stun_servers": list(DEFAULT_STUN_SERVERS),
        "prober_url": DEFAULT_PROBER_URL,
        "look_up_names": True,
        "look_behind": True,
    }
    assert not home.outside.requests
    assert not sent(home, "AddPortMapping")
    assert home.igd.subscriptions == 0

    entry = await entry_of(hass, await go_on(hass, result, **services(home)))
    assert entry.title == "Demo router"
    assert entry.unique_id == home.igd.identity.udn
    assert entry.data == {"location": home.facts.location}
    assert entry.options == services(home)
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
    await until(lambda: home.igd.subscriptions == 1)
    assert {seen.path for seen in home.outside.requests} == {"/ip"}
    assert not sent(home, "AddPortMapping")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_by_host(
    hass: HomeAssistant, home: DemoHome, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    async with FakeIgd(identity=Identity(friendly_name="Found"), ssdp_port=0) as igd:
        port = igd.ssdp_port
        monkeypatch.setattr("custom_components.homeport.gateway.discover._SSDP_PORT", port)
        result = await go_on(hass, await begin(hass, "gateway"), host=host)
        assert result["step_id"] == "outside"
        entry = await entry_of(hass, await go_on(hass, result, **services(home)))
        assert entry.data == {"location": igd.location}
        await until(lambda: igd.subscriptions == 1)
        assert await hass.config_entries.async_unload(entry.entry_id)


def changed(old: str, new: str) -> Callable[[DemoHome], Reply]:
    """Return what makes a description with another text in the place of one."""

    def make(home: DemoHome) -> Reply:
        good = home.igd.description_xml()
        assert old in good
        return Reply(body=good.replace(old, new), content_type="text/xml")

    return make


BAD_DESCRIPTIONS: dict[str, tuple[Callable[[DemoHome], Reply], str]] = {
    "no answer": (lambda _: Reply(drop=True), "gateway_unreachable"),
    "server error": (lambda _: Reply.html_error(), "gateway_unreachable"),
    "not found": (lambda _: Reply(status=404), "gateway_unreachable"),
    "web page": (lambda _: Reply(body="<html><p>Welcome"), "gateway_invalid"),
    "text": (lambda _: Reply(body="Welcome"), "gateway_invalid"),
    "nothing": (lambda _: Reply(), "gateway_invalid"),
    "half": (lambda home: Reply(body=home.igd.description_xml()[:900]), "gateway_invalid"),
    "other XML": (lambda _: Reply(body="<a/>", content_type="text/xml"), "gateway_invalid"),
    "10 MB": (lambda _: Reply.huge(), "gateway_too_large"),
    "bomb": (lambda _: Reply.entity_bomb(), "gateway_invalid"),
    "redirect": (lambda home: Reply.redirect(home.outside.url), "gateway_redirects"),
    "foreign control": (
        changed("/control/connection", "http://127.0.0.8/control"),
        "gateway_foreign_url",
    ),
    "foreign actions": (
        changed("/scpd/connection", "http://127.0.0.8/scpd/connection"),
        "gateway_foreign_url",
    ),
    "a printer": (changed("service:WANIPConnection", "service:Print"), "gateway_no_wan_service"),
}


async def test_bad_description(hass: HomeAssistant, home: DemoHome) -> None:
    result = await begin(hass, "gateway")
    for name, (reply, key) in BAD_DESCRIPTIONS.items():
        home.igd.description = reply(home)
        result = await go_on(hass, result, host=home.facts.location)
        assert (name, errors(result)) == (name, {"host": key})
        assert suggested(result) == {"host": home.facts.location}
    assert not home.outside.requests

    home.igd.description = None
    result = await go_on(hass, result, host=home.facts.location)
    assert result["step_id"] == "outside"
    await entry_of(hass, await go_on(hass, result, **services(home)))


BAD_ADDRESSES = {
    "": "gateway_not_found",
    "127.0.0.1": "gateway_not_found",
    "http://": "gateway_not_found",
    "http://[": "gateway_not_found",
    "https://127.0.0.1/desc.xml": "gateway_not_found",
    "file:///etc/hostname": "gateway_not_found",
    "http://127.0.0.1:1/desc.xml": "gateway_unreachable",
    "http://127.0.0.1:99999/": "gateway_not_found",
}


async def test_bad_address(
    hass: HomeAssistant, home: DemoHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody answers a search there: the port belongs to a server of another protocol.
    monkeypatch.setattr("custom_components.homeport.gateway.discover._SSDP_PORT", home.igd.port)
    monkeypatch.setattr("custom_components.homeport.gateway.discover._WAIT", 0.05)
    result = await begin(hass, "gateway")
    for host, key in BAD_ADDRESSES.items():
        result = await go_on(hass, result, host=host)
        assert (host, errors(result)) == (host, {"host": key})
    result = await go_on(hass, result, host=home.facts.location)
    assert result["step_id"] == "outside"


async def test_second_time_updates_the_location(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    hass.config_entries.async_update_entry(entry, data={"location": "http://127.0.0.1:1/old.xml"})
    result = await go_on(hass, await begin(hass, "gateway"), host=home.facts.location)
    assert (result["type"], result["reason"]) == ("abort", "already_configured")
    assert entry.data == {"location": home.facts.location}
    await hass.async_block_till_done()
    await until(lambda: home.igd.subscriptions == 1)
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_without_a_gateway(hass: HomeAssistant, home: DemoHome) -> None:
    result = await begin(hass, "no_gateway")
    assert result["step_id"] == "outside"
    assert not home.outside.requests
    entry = await entry_of(hass, await go_on(hass, result, **services(home)))
    assert (entry.title, entry.data, entry.unique_id) == ("Homeport", {}, None)
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
    assert not home.igd.requests

    result = await begin(hass, "no_gateway")
    assert (result["type"], result["reason"]) == ("abort", "already_configured")


async def test_with_and_without_a_gateway(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    await set_up()
    result = await begin(hass, "no_gateway")
    assert result["step_id"] == "outside"


BAD_URLS = [
    "api.example.net",
    "ftp://example.net/",
    "https://",
    "https://[::1",
    "https://[]@",
    "http://127.0.0.1:99999/",
    "https://me:secret@example.net/",
    "javascript:alert(1)",
]
BAD_SERVERS = [
    "stun:stun.example.net",
    "stun.example.net:0",
    "stun.example.net:65536",
    "[::1",
    "a b",
]
BAD_SERVICES: list[tuple[dict[str, Any], str]] = [
    *(({"echo_urls": ["https://good.example.net", url]}, "invalid_url") for url in BAD_URLS),
    *(({"prober_url": url}, "invalid_url") for url in BAD_URLS),
    *(({"stun_servers": [server]}, "invalid_stun_server") for server in BAD_SERVERS),
    ({"echo_urls": [f"https://{n}.example.net" for n in range(6)]}, "too_many"),
    ({"stun_servers": [f"{n}.example.net" for n in range(6)]}, "too_many"),
]


async def test_bad_service(hass: HomeAssistant, home: DemoHome) -> None:
    result = await begin(hass, "no_gateway")
    for changes, key in BAD_SERVICES:
        bad = services(home) | changes
        result = await go_on(hass, result, **bad)
        assert (changes, errors(result)) == (changes, dict.fromkeys(changes, key))
        assert suggested(result) == bad
    entry = await entry_of(hass, await go_on(hass, result, **services(home)))
    assert entry.options == services(home)


async def test_all_that_was_confirmed_is_kept(
    hass: HomeAssistant, home: DemoHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> bool:
        return True

    # What is proposed stands outside, where no test may ask anybody.
    monkeypatch.setattr("custom_components.homeport.async_setup_entry", nothing)
    monkeypatch.setattr("custom_components.homeport.async_unload_entry", nothing)
    result = await begin(hass, "no_gateway")
    proposed = suggested(result)
    entry = await entry_of(hass, await go_on(hass, result, **proposed))
    assert entry.options == proposed
    options = LineOptions.from_mapping(entry.options)
    assert options.echo_urls == DEFAULT_ECHO_URLS
    assert options.stun_servers == DEFAULT_STUN_SERVERS
    assert options.prober_url == DEFAULT_PROBER_URL
    assert (options.look_up_names, options.look_behind) == (True, True)


@pytest.mark.parametrize(
    "empty",
    [
        {},
        {
            "echo_urls": ["", " "],
            "stun_servers": [],
            "prober_url": "  ",
            "look_up_names": False,
            "look_behind": False,
        },
    ],
)
async def test_emptied_services_are_never_asked(
    hass: HomeAssistant, home: DemoHome, empty: dict[str, Any]
) -> None:
    result = await go_on(hass, await begin(hass, "gateway"), host=home.facts.location)
    entry = await entry_of(hass, await go_on(hass, result, **empty))
    assert entry.options == {}
    await until(lambda: state_of(hass, entry, "line_mode") == "public")
    assert state_of(hass, entry, "public_ipv4") == "unknown"
    assert not home.outside.requests


async def test_spaces_around_a_service(hass: HomeAssistant, home: DemoHome) -> None:
    result = await begin(hass, "no_gateway")
    spaced = {
        "echo_urls": [f" {home.facts.echo_url} ", home.facts.echo_url, ""],
        "prober_url": f" {home.facts.prober_url} ",
    }
    entry = await entry_of(hass, await go_on(hass, result, **spaced))
    assert entry.options == services(home)
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
