"""What is shown of a port as seen from outside, and when it is shown no more."""

import asyncio

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.homeport.coordinator import port_checks
from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    fails,
    opened,
    port,
    press,
    readings,
    state_of,
    switch,
    until,
)

type Seen = tuple[MockConfigEntry, ConfigSubentry]

UNUSABLE = {
    "nothing": (Reply(drop=True), "outside_unreachable"),
    "a web page": (Reply.html_error(200), "outside_invalid"),
    "an error": (Reply.html_error(503), "outside_invalid"),
    "a redirect": (Reply.redirect("http://127.0.0.1:1/"), "outside_invalid"),
    "too much": (Reply.huge(100_000), "outside_invalid"),
    "no object": (Reply(body="[1]"), "outside_invalid"),
    "too little": (Reply(body='{"ip":"11.22.33.44","reachable":true}'), "outside_invalid"),
    "another port": (
        Reply(body='{"ip":"11.22.33.44","port":1,"reachable":true}'),
        "outside_invalid",
    ),
    "another address": (None, "outside_other_address"),
}


async def test_open_port_is_reachable(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert state_of(hass, entry, "reachability", game) == "unknown"
    assert state_of(hass, entry, "last_check", game) == "unknown"
    assert {seen.path for seen in home.outside.requests} == {"/ip"}
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "reachable"
    assert state_of(hass, entry, "last_check", game) != "unknown"
    assert home.outside.requests[1].path == f"/port/{home.facts.game_port + 1}"
    await readings(hass, entry, home)
    assert state_of(hass, entry, "reachability", game) == "reachable"


async def test_where_every_port_accepts_none_is_believed_not_even_at_first(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    home.outside.reachable = True
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    shown = async_capture_events(hass, EVENT_STATE_CHANGED)
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "possible"
    assert "reachable" not in {event.data["new_state"].state for event in shown}


async def test_until_it_is_known_whether_every_port_accepts_none_is_believed(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_checks, "PATIENCE", 0.0)
    game, known = port(home), asyncio.Event()

    async def accepted(_: str, number: int) -> bool:
        if number == home.facts.game_port + 1:
            return True
        await known.wait()
        return False

    home.outside.reachable = accepted
    entry = await set_up(game)
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "possible"
    known.set()
    await until(lambda: state_of(hass, entry, "reachability", game) == "reachable")


async def test_closed_port_is_not(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "unreachable"


async def test_open_port_without_a_program(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home, internal_port=1)
    entry = await set_up(game)
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)
    # Our own listener stood in for it, and met nobody who is outside of this machine.
    assert state_of(hass, entry, "reachability", game) == "possible"


async def test_who_answers_at_a_closed_port_is_not_known(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    home.outside.reachable = True
    game = port(home)
    entry = await set_up(game)
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "possible"


async def test_who_answers_behind_a_second_router_is_not_known(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    await home.igd.set_wan_address("192.168.0.2")
    entry = await set_up(game)
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "possible"


async def test_without_a_gateway(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    home.outside.reachable = True
    game = port(home)
    entry = await set_up(game, gateway=False)
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "possible"


@pytest.mark.parametrize("name", UNUSABLE)
async def test_unusable_answer(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "reachable"

    reply, key = UNUSABLE[name]
    home.outside.prober, home.outside.prober_ip = reply, "11.22.33.99"
    caplog.clear()
    for _ in range(3):
        with fails(key):
            await press(hass, entry, "check", game)
        assert state_of(hass, entry, "reachability", game) == "unknown"
        assert state_of(hass, entry, "last_check", game) == "unknown"
    assert caplog.text.count("The prober gave no usable answer") == 1

    home.outside.prober = home.outside.prober_ip = None
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "reachable"


async def test_udp_is_not_probed(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home, protocol="UDP")
    entry = await set_up(game)
    with fails("prober_tcp_only", ServiceValidationError):
        await press(hass, entry, "check", game)
    assert {seen.path for seen in home.outside.requests} == {"/ip"}


async def test_no_prober(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game, prober_url="")
    with fails("no_prober", ServiceValidationError):
        await press(hass, entry, "check", game)


@pytest.mark.parametrize(
    ("address", "mode"), [("100.64.0.9", "cgnat"), ("192.0.0.2", "ds_lite"), ("", "offline")]
)
async def test_another_homes_port_is_not_probed(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, address: str, mode: str
) -> None:
    game = port(home)
    entry = await set_up(game)
    if mode == "offline":
        home.outside.down = True
        await home.igd.set_connection_status("Disconnected")
    await home.igd.set_wan_address(address)
    await until(lambda: state_of(hass, entry, "line_mode") == mode)
    with fails(f"line_{mode}", ServiceValidationError):
        await press(hass, entry, "check", game)
    assert {seen.path for seen in home.outside.requests} == {"/ip"}


async def test_unknown_address_is_not_probed(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game, wait=False, echo_urls=[], stun_servers=[])
    await until(lambda: state_of(hass, entry, "line_mode") == "public")
    with fails("no_public_address", ServiceValidationError):
        await press(hass, entry, "check", game)


async def seen(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> Seen:
    """Return an entry and its port that was seen to be reachable."""
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "reachable"
    return entry, game


async def test_gone_with_the_switch(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry, game = await seen(hass, home, set_up)
    await switch(hass, entry, game, "off")
    assert state_of(hass, entry, "reachability", game) == "unknown"


async def test_gone_with_the_address(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry, game = await seen(hass, home, set_up)
    await home.set_wan_address("11.22.33.55")
    await until(lambda: state_of(hass, entry, "reachability", game) == "unknown")
    assert state_of(hass, entry, "open", game) == "on"


async def test_gone_with_the_mapping(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry, game = await seen(hass, home, set_up)
    home.igd.faults["AddPortMapping"] = 501
    home.igd.table.clear()
    await readings(hass, entry, home)
    await until(lambda: state_of(hass, entry, "reachability", game) == "unknown")


async def test_gone_with_the_router(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry, game = await seen(hass, home, set_up)
    home.igd.control = Reply(drop=True)
    await entry.runtime_data.line.async_refresh()
    await until(lambda: state_of(hass, entry, "open", game) == "unknown")
    assert state_of(hass, entry, "reachability", game) == "unknown"


async def test_gone_with_a_reload(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry, game = await seen(hass, home, set_up)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert state_of(hass, entry, "reachability", game) == "unknown"


async def test_switched_off_during_the_check(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry, game = await seen(hass, home, set_up)

    async def accepted(_: str, __: int) -> bool:
        await switch(hass, entry, game, "off")
        return True

    home.outside.reachable = accepted
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "open", game) == "off"
    assert state_of(hass, entry, "reachability", game) == "possible"


async def test_another_address_during_the_check(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry, game = await seen(hass, home, set_up)

    async def accepted(_: str, __: int) -> bool:
        await home.set_wan_address("11.22.33.55")
        await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.55")
        return True

    home.outside.reachable, home.outside.prober_ip = accepted, "11.22.33.44"
    with fails("outside_other_address"):
        await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "unknown"
