"""What stops a port, as the sensors and the action say it."""

from ipaddress import IPv6Address
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.homeport.coordinator import Check
from custom_components.homeport.coordinator.check import Subject
from custom_components.homeport.gateway import GatewayError, Pinhole, Transport
from custom_components.homeport.gateway.errors import NatPmpRefused, PcpRefused, refusal
from custom_components.homeport.gateway.firewall import PinholeUnsupported
from custom_components.homeport.gateway.pinhole import Forbidden, PinholeForbidden
from custom_components.homeport.ports import Advice, BlockedBy, diagnose
from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.found import (
    BOTH,
    EVERYTHING,
    LANGUAGES,
    Found,
    assert_is,
    holes,
    issue,
    look,
    raising,
    texts,
)
from tests.integration.reported import report
from tests.integration.steps import TEXTS, entity_of, opened, port, state_of, switch
from tests.ports.port_facts import LINE, MAP_E


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Found:
    """Return what every check comes to."""
    return Found(monkeypatch)


def test_there_is_a_case_for_everything_that_is_said() -> None:
    never = {step.value for step in (*BlockedBy, *Advice)} ^ EVERYTHING.keys()
    assert not never
    for name, facts in EVERYTHING.items():
        assert (diagnose(facts).next_step or BlockedBy.NOTHING).value == name


@pytest.mark.parametrize("language", LANGUAGES)
async def test_everything_is_said_in_words(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, found: Found, language: str
) -> None:
    """Have each step that may be the next one found, and read what is said of it."""
    await hass.config.async_update(language=language)
    game = port(home, **BOTH)
    entry = await set_up(game)
    with pytest.MonkeyPatch.context() as patch:
        # What the text about another home has to name.
        await report(hass, entry, patch, MAP_E)
        for name, facts in EVERYTHING.items():
            found.facts = facts
            said = (await look(hass, entry, game))[f"ipv{facts.family}"]
            expected = diagnose(facts)
            assert said["blocked_by"] == expected.blocked_by
            assert said["next_step"] == expected.next_step
            if expected.next_step is None:
                assert said["advice"] is None
            else:
                assert_is(said["advice"], texts(language)["issues"][f"blocked_{name}"])


REFUSALS: Final[tuple[GatewayError, ...]] = (
    *(refusal(code) for code in (401, 501, 606, 725, 799)),
    PcpRefused(2, 0),
    NatPmpRefused(5),
    PcpRefused(77, 0),
    NatPmpRefused(77),
)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_refusal_is_said_in_words(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, language: str
) -> None:
    """Have the router refuse in many ways; all that its words name is there."""
    await hass.config.async_update(language=language)
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.table.clear()
    refusing = entry.runtime_data.line.gateway
    told = texts(language)
    with pytest.MonkeyPatch.context() as patch:
        for each in REFUSALS:
            patch.setattr(refusing, "open", raising(each))
            said = (await look(hass, entry, game))["ipv4"]
            assert said["next_step"] == "router_refuses"
            text = told["issues"]["blocked_router_refuses"]["description"]
            message = told["exceptions"][each.translation_key]["message"]
            reason = message.format(**each.placeholders)
            assert_is(said["advice"], {"description": text.replace("{reason}", reason)})
            shown = issue(hass, game)
            assert shown
            assert (shown.translation_placeholders or {})["reason"] == reason


async def test_router_refuses_over_ipv6(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = port(home, **BOTH)
    entry = await set_up(game)
    pinhole = Pinhole(IPv6Address("2a00:77::1"), 25565, Transport.TCP)
    pinholes = entry.runtime_data.pinholes
    await report(hass, entry, monkeypatch, LINE)

    async def at_home(subject: Subject, _: object) -> Check:
        return Check(subject.facts, diagnose(subject.facts))

    monkeypatch.setattr("custom_components.homeport.coordinator.port_checks.check", at_home)
    monkeypatch.setattr(type(pinholes), "own_address", pinhole.client)
    monkeypatch.setattr(type(pinholes), "begun", True)
    for error in PinholeUnsupported(pinhole), PinholeForbidden(pinhole, Forbidden.LOW_PORT):
        monkeypatch.setattr(pinholes, "keep", raising(error))
        with pytest.raises(HomeAssistantError):
            await switch(hass, entry, game, "on")
        said = (await look(hass, entry, game))["ipv6"]
        assert said["next_step"] == "pinhole_by_hand"
        message = TEXTS["exceptions"][error.translation_key]["message"]
        assert message.format(**error.placeholders) in said["advice"]
        assert not holes(said["advice"])


@pytest.mark.parametrize("name", EVERYTHING)
async def test_sensors(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, found: Found, name: str
) -> None:
    """The sensor of the family has it, with what may be meant and the chain; the other has not."""
    game = port(home, **BOTH)
    entry = await set_up(game)
    found.facts = facts = EVERYTHING[name]
    await look(hass, entry, game)
    expected = diagnose(facts)
    keys = {4: "blocked_by", 6: "blocked_by_ipv6"}
    state = hass.states.get(entity_of(hass, entry, keys.pop(facts.family), game))
    assert state
    assert state.state == (expected.blocked_by or "unknown")
    assert state.attributes["candidates"] == [each.value for each in expected.candidates]
    assert (state.attributes["candidates"] != []) is (expected.blocked_by == "filtered")
    assert state.attributes["next_step"] == expected.next_step
    assert state.attributes["steps"] == {
        each.step.value: each.state.value for each in expected.steps
    }
    [other] = keys.values()
    assert state_of(hass, entry, other, game) == "unknown"
