"""A port, from its switch to the router's table and back."""

import asyncio
from dataclasses import replace

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest

from tests.fakes.demo import GAME_TEXT, DemoHome
from tests.fakes.igd import Quirk
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    age,
    entity_of,
    fails,
    foreign,
    free_port,
    later,
    opened,
    port,
    readings,
    sent,
    state_of,
    switch,
    until,
)


async def get(host: str, at: int) -> str:
    """Return what an HTTP server at a port answers; "" when nobody does."""
    try:
        reader, writer = await asyncio.open_connection(host, at)
    except OSError:
        return ""
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode()


async def test_switch_shows_what_the_router_shows(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    outside = free_port()
    game = port(home, external_port=outside)
    entry = await set_up(game)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    assert not sent(home, "AddPortMapping")

    await switch(hass, entry, game, "on")
    assert state_of(hass, entry, "open", game) == "on"
    [mapping] = home.igd.table.values()
    assert mapping.internal_port == home.facts.game_port
    assert mapping.external_port == outside
    assert mapping.internal_client == "127.0.0.1"
    assert mapping.lease == 7200
    assert GAME_TEXT in await get("127.0.0.1", outside)

    await switch(hass, entry, game, "off")
    assert state_of(hass, entry, "open", game) == "off"
    assert not home.igd.table
    assert await get("127.0.0.1", outside) == ""


async def test_switch_is_kept_from_voice_and_areas(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    registered = er.async_get(hass).async_get(entity_of(hass, entry, "open", game))
    assert registered is not None
    assert registered.entity_category == "config"


async def test_two_protocols_at_one_port(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    tcp, udp = port(home, "T"), port(home, "U", protocol="UDP", internal_client="127.0.0.7")
    entry = await set_up(tcp, udp)
    await opened(hass, entry, tcp, udp)
    await switch(hass, entry, tcp, "off")
    [mapping] = home.igd.table.values()
    assert (mapping.protocol, mapping.internal_client) == ("UDP", "127.0.0.7")
    assert state_of(hass, entry, "open", udp) == "on"


@pytest.mark.parametrize("code", [402, 501, 606, 718, 725, 728])
async def test_refused_opening(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, code: int
) -> None:
    game = port(home)
    entry = await set_up(game)
    home.igd.faults["AddPortMapping"] = code
    with fails(f"upnp_{code}"):
        await switch(hass, entry, game, "on")
    assert state_of(hass, entry, "open", game) == "unknown"

    del home.igd.faults["AddPortMapping"]
    await readings(hass, entry, home)
    await until(lambda: state_of(hass, entry, "open", game) == "on")


async def test_unexplained_refusal_names_its_code(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    home.igd.faults["AddPortMapping"] = 899
    with fails("upnp_other"):
        await switch(hass, entry, game, "on")


async def test_wanted_but_absent_is_not_off(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    home.igd._router.table._quirks = frozenset({Quirk.FINITE_VANISHES})
    await switch(hass, entry, game, "on")
    assert sent(home, "AddPortMapping")
    assert state_of(hass, entry, "open", game) == "unknown"
    await switch(hass, entry, game, "off")
    assert state_of(hass, entry, "open", game) == "off"


async def test_refused_closing(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.faults["DeletePortMapping"] = 606
    with fails("upnp_606"):
        await switch(hass, entry, game, "off")
    assert state_of(hass, entry, "open", game) == "unknown"
    assert home.igd.table
    del home.igd.faults["DeletePortMapping"]
    await readings(hass, entry, home)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    assert not home.igd.table


async def test_foreign_mapping_is_not_touched(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    theirs = foreign(home, home.facts.game_port + 1)
    with fails("foreign_mapping"):
        await switch(hass, entry, game, "on")
    assert state_of(hass, entry, "open", game) == "unknown"
    assert list(home.igd.table.values()) == [theirs]

    await switch(hass, entry, game, "off")
    assert state_of(hass, entry, "open", game) == "off"
    assert list(home.igd.table.values()) == [theirs]
    assert not sent(home, "AddPortMapping")
    assert not sent(home, "DeletePortMapping")


async def test_own_mapping_is_known_by_all_its_marks(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    [(key, mapping)] = home.igd.table.items()
    home.igd.table[key] = replace(mapping, description="Somebody else's")
    await readings(hass, entry, home)
    await until(lambda: state_of(hass, entry, "open", game) == "unknown")
    await switch(hass, entry, game, "off")
    assert home.igd.table[key].description == "Somebody else's"


async def test_gateway_down(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    home.igd.control = Reply(drop=True)
    with fails("gateway_unreachable"):
        await switch(hass, entry, game, "on")
    await entry.runtime_data.line.async_refresh()
    with fails("gateway_unreachable"):
        await switch(hass, entry, game, "on")
    assert state_of(hass, entry, "open", game) == "unknown"

    home.igd.control = None
    await readings(hass, entry, home)
    await until(lambda: state_of(hass, entry, "open", game) == "on")


async def test_gateway_is_being_connected_to_anew(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    link = entry.runtime_data.line.link
    assert link
    await link.stop(lost=True)
    await switch(hass, entry, game, "on")
    assert state_of(hass, entry, "open", game) == "on"
    assert len(home.igd.table) == 1


@pytest.mark.parametrize(("address", "mode"), [("100.64.0.9", "cgnat"), ("192.0.0.2", "ds_lite")])
async def test_line_that_cannot_open(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, address: str, mode: str
) -> None:
    game, stubborn = port(home), port(home, "Stubborn", external_port=40001, try_anyway=True)
    await home.igd.set_wan_address(address)
    entry = await set_up(game, stubborn)
    await until(lambda: state_of(hass, entry, "line_mode") == mode)
    with fails(f"line_{mode}", ServiceValidationError):
        await switch(hass, entry, game, "on")
    assert not sent(home, "AddPortMapping")
    await readings(hass, entry, home)
    assert not sent(home, "AddPortMapping")
    assert state_of(hass, entry, "open", game) == "off"

    await opened(hass, entry, stubborn)
    assert [mapping.external_port for mapping in home.igd.table.values()] == [40001]


async def test_double_nat_may_open(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    await home.igd.set_wan_address("192.168.0.2")
    entry = await set_up(game)
    await until(lambda: state_of(hass, entry, "line_mode") == "private_wan")
    await opened(hass, entry, game)


async def test_lost_mapping_comes_back(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.table.clear()
    await readings(hass, entry, home)
    await until(lambda: home.igd.table, "the mapping")
    await until(lambda: state_of(hass, entry, "open", game) == "on")


async def test_a_short_lease_is_renewed_in_time(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    home.igd._router.table._longest_lease = 120
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    await age(home, 60)
    before = len(sent(home, "AddPortMapping"))
    await later(hass, seconds=61)
    await until(lambda: len(sent(home, "AddPortMapping")) > before)


async def test_loss_is_told_by_an_event(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert entry.runtime_data.line.update_interval.total_seconds() >= 60
    home.igd.table.clear()
    await home.igd.changed()
    # The event may be the echo of our own change a moment ago: no hurry, but no poll either.
    await later(hass, seconds=11)
    await until(lambda: home.igd.table, "the mapping")
    await until(lambda: state_of(hass, entry, "open", game) == "on")


async def test_lost_mapping_that_cannot_come_back(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.faults["AddPortMapping"] = 728
    home.igd.table.clear()
    await readings(hass, entry, home)
    await until(lambda: state_of(hass, entry, "open", game) == "unknown")


async def test_renewal_at_half_the_lease(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    await age(home, 3500)
    await readings(hass, entry, home)
    assert len(sent(home, "AddPortMapping")) == 1
    await age(home, 200)
    await readings(hass, entry, home)
    await until(lambda: len(sent(home, "AddPortMapping")) == 2)
    [mapping] = home.igd.table.values()
    assert mapping.lease == 7200
    assert state_of(hass, entry, "open", game) == "on"
