"""What stands in the log after a life with all its troubles: no secret, no traceback."""

from base64 import b64encode
import logging

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    hostname,
    later,
    opened,
    port,
    press,
    readings,
    state_of,
    switch,
    until,
)

PASSWORD, WRONG = "Tr0ub4dor-secret", "Corr3ct-horse"
KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
BASIC = b64encode(f"demo:{PASSWORD}".encode()).decode()


async def test_log(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    # As a user sets it who reports a problem. The test package logs the content of its stand-in
    # for the disk, which Home Assistant does not do.
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "pytest_homeassistant_custom_component.common")
    home.dyndns2.users = {"demo": PASSWORD}
    game, bad = port(home), hostname(home, hostname="two.homeport.example", password=WRONG)
    site = hostname(home, password=PASSWORD)
    keyed = hostname(
        home,
        provider="rfc2136",
        hostname="home.example.net",
        server="127.0.0.1:1",
        key_name="home-key",
        key_secret=KEY,
        key_algorithm="hmac-sha256",
        ttl="60",
    )
    entry = await set_up(game, bad, site, keyed)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    await until(lambda: state_of(hass, entry, "status", bad) == "wrong_credentials")
    await until(lambda: state_of(hass, entry, "status", keyed) == "waiting_for_provider")
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)

    failures = 0

    async def fail(key: str, subentry: ConfigSubentry) -> None:
        nonlocal failures
        with pytest.raises(HomeAssistantError):
            await press(hass, entry, key, subentry)
        failures += 1

    home.outside.prober = Reply.html_error()
    await fail("check", game)
    for reply in "911", "abuse", "what", f"badauth {PASSWORD} {BASIC}", Reply(drop=True):
        home.dyndns2.always = reply
        await fail("update", site)
    await fail("update", keyed)
    home.outside.echo = Reply.html_error()
    home.igd.control = home.igd.description = Reply.html_error()
    await readings_fail(hass, entry, game)
    home.igd.control = home.igd.description = None
    home.igd.faults["AddPortMapping"] = 728
    home.igd.table.clear()
    await later(hass, seconds=31)
    await until(lambda: entry.runtime_data.line.gateway_answers)
    await readings(hass, entry, home)
    await later(hass, hours=5)
    said = [message for level, message in of_homeport(caplog) if level == logging.WARNING]
    assert said
    assert sorted(said) == sorted(set(said)), "the same is said once"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: entry.runtime_data.line.gateway_answers)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()

    assert failures == 7
    for text in PASSWORD, WRONG, KEY, BASIC, "Traceback", "Detected", "blocking call":
        assert text not in caplog.text
    assert not [message for level, message in of_homeport(caplog) if level >= logging.ERROR]


def of_homeport(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """Return level and text of what Homeport itself said."""
    return [
        (record.levelno, record.getMessage())
        for record in caplog.records
        if record.name.startswith("custom_components.homeport")
    ]


async def readings_fail(hass: HomeAssistant, entry: MockConfigEntry, game: ConfigSubentry) -> None:
    """Have the router read several times while it answers nothing useful."""
    for _ in range(3):
        await entry.runtime_data.line.async_refresh()
    await until(lambda: state_of(hass, entry, "open", game) == "unknown")
    with pytest.raises(HomeAssistantError):
        await switch(hass, entry, game, "off")
    with pytest.raises(HomeAssistantError):
        await switch(hass, entry, game, "on")
