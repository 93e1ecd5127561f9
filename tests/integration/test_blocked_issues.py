"""Repair issues about what stops a port: for what people can mend, and for as long as it does."""

from dataclasses import replace
import re
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport import advice
from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.found import (
    BOTH,
    EVERYTHING,
    LANGUAGES,
    REASONS,
    Found,
    holes,
    issue,
    look,
    port_of,
    texts,
)
from tests.integration.steps import foreign, opened, port, state_of, switch, until

CURABLE: Final = frozenset(
    {
        *("service_down", "bound_to_loopback", "host_absent", "host_moved", "host_firewall"),
        *("wrong_target", "upnp_disabled", "second_nat", "router_filter_v6", "filtered"),
        *("unstable_address", "start_service", "check_service", "router_refuses"),
        *("name_elsewhere", "name_missing", "certificate_other_name", "certificate_untrusted"),
        *("certificate_expired", "certificate_none"),
    }
)
"""What is about the user's own machines, router, name and certificate, and nothing else says."""


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Found:
    """Return what every check comes to."""
    return Found(monkeypatch)


async def test_issues_are_about_what_people_can_mend(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, found: Found
) -> None:
    game = port(home, **BOTH, by_hand=True)
    entry = await set_up(game)
    raised = set()
    for name, facts in EVERYTHING.items():
        found.facts = facts
        await look(hass, entry, game)
        other = 4 if facts.family == 6 else 6
        shown = issue(hass, game, facts.family)
        if shown:
            assert shown.translation_key == f"blocked_{name}"
            raised.add(name)
        port_of(entry, game).async_set_updated_data(port_of(entry, game).data.unseen())
        # What may be true no more is said no more.
        assert not issue(hass, game, facts.family)
        assert not issue(hass, game, other)
    assert raised == CURABLE


async def shown_while_wanted(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, found: Found, **changes: Any
) -> tuple[MockConfigEntry, ConfigSubentry]:
    """Return a port whose program was not running when it was looked at."""
    game = port(home, **changes)
    entry = await set_up(game)
    if not changes.get("by_hand"):
        await opened(hass, entry, game)
    found.facts = REASONS["service_down"]
    await look(hass, entry, game)
    assert issue(hass, game)
    return entry, game


async def test_issue_is_gone_when_it_is_cured(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, found: Found
) -> None:
    entry, game = await shown_while_wanted(hass, home, set_up, found)
    found.facts = REASONS["nothing"]
    await look(hass, entry, game)
    assert not issue(hass, game)


async def test_issue_turns_into_another_one(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, found: Found
) -> None:
    entry, game = await shown_while_wanted(hass, home, set_up, found)
    found.facts = REASONS["host_firewall"]
    await look(hass, entry, game)
    shown = issue(hass, game)
    assert shown
    assert shown.translation_key == "blocked_host_firewall"
    # The line's own trouble is not the user's to mend.
    found.facts = REASONS["line_cgnat"]
    await look(hass, entry, game)
    assert not issue(hass, game)


async def test_issue_is_gone_with_the_switch(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, found: Found
) -> None:
    entry, game = await shown_while_wanted(hass, home, set_up, found)
    await switch(hass, entry, game, "off")
    assert not issue(hass, game)
    # Of a port that is switched off nobody is told.
    await look(hass, entry, game)
    assert state_of(hass, entry, "blocked_by", game) == "service_down"
    assert not issue(hass, game)


@pytest.mark.parametrize("by_hand", [False, True])
async def test_issue_is_gone_with_the_port(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, found: Found, *, by_hand: bool
) -> None:
    entry, game = await shown_while_wanted(hass, home, set_up, found, by_hand=by_hand)
    hass.config_entries.async_remove_subentry(entry, game.subentry_id)
    await until(lambda: not issue(hass, game))


async def test_issue_is_gone_with_the_entry(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, found: Found
) -> None:
    entry, game = await shown_while_wanted(hass, home, set_up, found)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert not issue(hass, game)


async def test_issue_is_gone_with_the_address_that_it_was_seen_at(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, found: Found
) -> None:
    entry, game = await shown_while_wanted(hass, home, set_up, found)
    found.facts = REASONS["filtered"]
    await look(hass, entry, game)
    assert issue(hass, game)
    await home.set_wan_address("11.22.33.55")
    await until(lambda: not issue(hass, game))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_text_of_an_issue_is_filled(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, found: Found, language: str
) -> None:
    """All that its texts have to name is there, in the language that the server speaks."""
    await hass.config.async_update(language=language)
    game = port(home, **BOTH, by_hand=True)
    entry = await set_up(game)
    for name in CURABLE:
        found.facts = EVERYTHING[name]
        await look(hass, entry, game)
        shown = issue(hass, game, found.facts.family)
        assert shown
        assert shown.translation_key
        named = shown.translation_placeholders or {}
        assert named["name"] == game.title
        for text in texts(language)["issues"][shown.translation_key].values():
            for hole in holes(text):
                assert named[hole] not in {"", "-"}, (name, hole)
                assert not holes(named[hole]), (name, named[hole])


HOSTILE = "`[Press here](http://evil.example)` <b>\n\n# www.evil.example `"


async def test_what_a_hostile_router_says_stays_what_it_is(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    """The rule that the user made leads elsewhere, and the router has its own words for where."""
    game = port(home, by_hand=True)
    entry = await set_up(game)
    foreign(home, port_of(entry, game).external_port)
    [(key, rule)] = home.igd.table.items()
    home.igd.table[key] = replace(rule, internal_client=HOSTILE)
    said = (await look(hass, entry, game))["ipv4"]
    assert said["blocked_by"] == "wrong_target"
    shown = issue(hass, game)
    assert shown
    for language in LANGUAGES:
        text = texts(language)["issues"]["blocked_wrong_target"]["description"]
        for each in (text.format(**shown.translation_placeholders or {}), said["advice"]):
            assert "evil" in each
            # A code span of CommonMark (section 6.1) shows whatever is in it.
            assert "evil" not in re.sub(r"`[^`\n]+`", "", each)


async def test_what_a_device_calls_itself_is_no_link(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advice, "client_in_words", lambda *_: HOSTILE)
    game = port(home, by_hand=True)
    entry = await set_up(game)
    foreign(home, port_of(entry, game).external_port)
    await look(hass, entry, game)
    shown = issue(hass, game)
    assert shown
    assert "Press here" in (shown.translation_placeholders or {})["client"]
    assert not set((shown.translation_placeholders or {})["client"]) & set("[]<>`")
