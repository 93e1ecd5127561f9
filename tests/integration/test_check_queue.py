"""A prober with a limit: checks wait for their turn, and what was seen before stays until then."""

from datetime import datetime
from ipaddress import IPv4Address
from itertools import pairwise
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.coordinator.probers import Aim, At, ProberBusy, Probers
from custom_components.homeport.outside import Limit, ProbeTransport, Question, echoip
from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import entity_of, fails, opened, port, press, state_of, until

AIM = Aim(ProbeTransport.TCP, 4, At.US, IPv4Address("127.0.0.1"))
PERIOD = 0.8
"""Seconds between two questions, in place of ifconfig.co's sixty."""


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the prober be one that may be asked once in a while; nobody waits beside it."""
    monkeypatch.setitem(echoip.STRICT, "127.0.0.1", Limit(burst=1, seconds=PERIOD))
    monkeypatch.setattr("custom_components.homeport.coordinator.check.PATIENCE", 0.0)


def ports(home: DemoHome, count: int) -> list[ConfigSubentry]:
    """Return ports that all lead to the demo's game server."""
    first = home.facts.game_port + 1
    return [port(home, f"Game {each}", external_port=first + each) for each in range(count)]


def looked_at(home: DemoHome) -> list[str]:
    """Return what the prober was asked, in order."""
    return [seen.path for seen in home.outside.requests if seen.path.startswith("/port/")]


async def check(
    hass: HomeAssistant, entry: MockConfigEntry, *subentries: ConfigSubentry
) -> dict[str, Any]:
    """Check ports by the action, and return its answers by port."""
    entities = {entity_of(hass, entry, "open", each): each for each in subentries}
    said = await hass.services.async_call(
        "homeport",
        "check_port",
        {"entity_id": list(entities)},
        blocking=True,
        return_response=True,
    )
    assert said
    return {entities[entity].title: answer for entity, answer in said.items()}


def checked(entry: MockConfigEntry, game: ConfigSubentry) -> datetime:
    """Return when a port was looked at; its sensor has whole seconds."""
    time = entry.runtime_data.ports[game.subentry_id].data.checked
    assert isinstance(time, datetime)
    return time


def wait(probers: Probers) -> float:
    """Return how long it takes until the prober may be asked."""
    return probers.wait(AIM)


async def only_ports(home: DemoHome, hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let nobody look at whether this machine is exposed: that takes turns as well."""
    entry.runtime_data.exposure._place = lambda _: None


@pytest.mark.usefixtures("strict")
async def test_ports_are_looked_at_one_after_the_other(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    games = ports(home, 4)
    entry = await set_up(*games)
    await only_ports(home, hass, entry)
    await opened(hass, entry, *games)
    said = await check(hass, entry, *games)
    queued = {name: answer["ipv4"]["queued"] for name, answer in said.items()}
    assert sorted(queued.values()) == [False, True, True, True]
    problems = {name: answer["ipv4"]["problem"] for name, answer in said.items()}
    assert {problems[name] for name, waits in queued.items() if waits} == {"prober_busy"}
    waiting = [answer["ipv4"] for answer in said.values() if answer["ipv4"]["queued"]]
    assert {(each["blocked_by"], each["next_step"]) for each in waiting} == {
        (None, "wait_for_prober")
    }
    assert len(looked_at(home)) == 1
    await until(
        lambda: all(state_of(hass, entry, "reachability", each) == "reachable" for each in games)
    )
    assert len(looked_at(home)) == len(set(looked_at(home))) == 4
    assert not any(answer["ipv4"]["queued"] for answer in (await at_rest(entry, games)).values())
    times = sorted(checked(entry, each) for each in games)
    assert all((after - before).total_seconds() > PERIOD / 2 for before, after in pairwise(times))


async def at_rest(entry: MockConfigEntry, games: list[ConfigSubentry]) -> dict[str, Any]:
    """Return whether each port still waits, as the action would say."""
    data = entry.runtime_data
    return {
        each.title: {"ipv4": {"queued": data.ports[each.subentry_id].checks.waits(4)}}
        for each in games
    }


@pytest.mark.usefixtures("strict")
async def test_what_was_seen_before_stays_until_its_turn(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await only_ports(home, hass, entry)
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)
    before = checked(entry, game)
    home.outside.reachable = False
    with fails("prober_busy"):
        await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "reachable"
    assert checked(entry, game) == before
    await until(lambda: state_of(hass, entry, "reachability", game) == "unreachable")
    assert checked(entry, game) > before


@pytest.mark.usefixtures("strict")
async def test_what_is_not_true_any_more_does_not_stay(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await only_ports(home, hass, entry)
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)
    await hass.services.async_call(
        "switch", "turn_off", {"entity_id": entity_of(hass, entry, "open", game)}, blocking=True
    )
    said = await check(hass, entry, game)
    assert said["Game"]["ipv4"]["queued"]
    assert said["Game"]["ipv4"]["reachability"] is None
    assert said["Game"]["ipv4"]["blocked_by"] == "no_mapping"


@pytest.mark.usefixtures("strict")
async def test_a_port_that_is_removed_waits_no_more(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    first, second, third = games = ports(home, 3)
    entry = await set_up(*games)
    await only_ports(home, hass, entry)
    await check(hass, entry, first)
    await check(hass, entry, second, third)
    hass.config_entries.async_remove_subentry(entry, second.subentry_id)
    await until(lambda: state_of(hass, entry, "reachability", third) != "unknown")
    assert looked_at(home) == [f"/port/{each.data['external_port']}" for each in (first, third)]


@pytest.mark.usefixtures("strict")
async def test_a_prober_that_has_enough_is_asked_again_when_it_says(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await only_ports(home, hass, entry)
    await opened(hass, entry, game)
    home.outside.prober = Reply(status=429, headers={"Retry-After": "2"}, body="{}")
    with fails("prober_busy"):
        await press(hass, entry, "check", game)
    assert wait(entry.runtime_data.probers) == pytest.approx(2.0, abs=0.5)
    home.outside.prober = None
    with fails("prober_busy"):
        await press(hass, entry, "check", game)
    assert len(looked_at(home)) == 1
    await until(lambda: state_of(hass, entry, "reachability", game) == "reachable")
    assert len(looked_at(home)) == 2


@pytest.mark.usefixtures("strict")
async def test_a_prober_that_never_has_time_is_asked_less_and_less(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await only_ports(home, hass, entry)
    home.outside.prober = Reply(status=429, headers={"Retry-After": "0"}, body="{}")
    probers = entry.runtime_data.probers
    question = Question(AIM.transport, IPv4Address("11.22.33.44"), 1, AIM.source)
    waits = []
    for _ in range(4):
        with pytest.raises(ProberBusy):
            await probers.ask(AIM, lambda prober: prober.check(question), patience=3600.0)
        waits.append(wait(probers))
    assert waits == pytest.approx([PERIOD, 2 * PERIOD, 4 * PERIOD, 8 * PERIOD], abs=0.1)


async def test_what_the_line_is_counts_when_the_turn_has_come(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has waited may have another line by then, on which the port is another home's."""
    monkeypatch.setitem(echoip.STRICT, "127.0.0.1", Limit(burst=1, seconds=2.0))
    first, second = games = ports(home, 2)
    entry = await set_up(*games)
    await only_ports(home, hass, entry)
    await check(hass, entry, first)
    checking = hass.async_create_task(check(hass, entry, second))
    probers = entry.runtime_data.probers
    await until(lambda: any(turns.waiting for turns in probers._turns_of.values()))
    await home.igd.set_wan_address("100.64.0.9")
    await until(lambda: state_of(hass, entry, "line_mode") == "cgnat")
    said = (await checking)[second.title]["ipv4"]
    assert (said["reachability"], said["problem"]) == (None, "line_cgnat")
    assert looked_at(home) == [f"/port/{first.data['external_port']}"]
