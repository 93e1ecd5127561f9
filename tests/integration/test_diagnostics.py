"""What is given to strangers who help: how things stand, but not who or where."""

from ipaddress import ip_address
import json
import re

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant
import pytest

from custom_components.homeport.diagnostics import async_get_config_entry_diagnostics
from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import hostname, opened, port, press, state_of, until

PASSWORD = "Tr0ub4dor-secret"


def strings(value: object) -> list[str]:
    """Return every text and number in a structure."""
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in strings(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in strings(each)]
    return [str(value)]


def is_address(text: str) -> bool:
    """Say whether a text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("down", [False, True])
async def test_nothing_that_identifies(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, down: bool
) -> None:
    home.dyndns2.users = {"some-user": PASSWORD}
    home.dyndns2.hostnames = dict.fromkeys(home.dyndns2.hostnames, "some-user")
    game = port(home, "My private game", internal_client="127.0.0.1", external_port=54321)
    site = hostname(home, username="some-user", password=PASSWORD)
    entry = await set_up(game, site)
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    if down:
        home.igd.control = Reply(drop=True)
        await entry.runtime_data.line.async_refresh()
    shown = await async_get_config_entry_diagnostics(hass, entry)
    text = json.dumps(shown)
    store = entry.runtime_data._store
    secret = [
        *("11.22.33.44", "127.0.0.1", "54321", str(home.facts.game_port), str(home.igd.port)),
        *(home.facts.hostname, "some-user", PASSWORD, home.facts.location, home.igd.identity.udn),
        *(home.igd.identity.serial_number, game.title, entry.entry_id, game.subentry_id),
        *(home.outside.url, home.facts.dyndns2_url, entry.runtime_data._tag),
        store.hostnames[site.subentry_id]["fingerprint"],
    ]
    assert [each for each in secret if each in text] == []
    assert not [each for each in strings(shown) if is_address(each)]
    assert not re.search(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", text, re.IGNORECASE)
    assert REDACTED not in text


async def test_how_things_stand(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game, site = port(home), hostname(home, password="wrong")
    entry = await set_up(game, site, prober_url="")
    await opened(hass, entry, game)
    await until(lambda: state_of(hass, entry, "status", site) == "wrong_credentials")
    shown = json.loads(json.dumps(await async_get_config_entry_diagnostics(hass, entry)))
    assert shown == {
        "gateway": {"manufacturer": "Homeport", "model": "Demo router"},
        "gateway_answers": True,
        "echo": True,
        "prober": False,
        "line": {
            "mode": "public",
            "confidence": "possible",
            "ipv4_openable": "all",
            "internet": True,
            "wan_kind": "global",
            "wan_is_public": True,
        },
        "ports": [{"protocol": "TCP", "wanted": True, "mapping": "open", "reachability": None}],
        "hostnames": [{"provider": "dyndns2", "status": "wrong_credentials", "failures": 1}],
    }


async def test_without_a_gateway(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up(gateway=False)
    shown = await async_get_config_entry_diagnostics(hass, entry)
    assert shown["gateway"] is None
    assert shown["gateway_answers"] is False
