"""Ports over IPv6: the switch, the actions, and what is said where only the user can open them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import IPv6Address

from homeassistant.config_entries import ConfigEntryDisabler, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import pytest_socket

from custom_components.homeport.const import DOMAIN
from custom_components.homeport.coordinator import pinhole as coordinator
from custom_components.homeport.diagnostics import async_get_config_entry_diagnostics
from custom_components.homeport.gateway import FirewallPlace
from custom_components.homeport.host import HostAddress, Route
from custom_components.homeport.line import Confidence, Ipv6Mode, LineMode, LineReport, Openable
from tests.fakes.demo import DemoHome
from tests.fakes.igd.firewall import FakeFirewall
from tests.fakes.reply import Reply
from tests.integration.conftest import Machine, SetUp
from tests.integration.reported import report
from tests.integration.steps import (
    TEXTS,
    entity_of,
    fails,
    later,
    port,
    state_of,
    switch,
    until,
)

OWN = "::1"
INSIDE = 8123


class Ipv6:
    """This machine's IPv6: its address, and the router's firewall, both on loopback."""

    def __init__(self, fake: FakeFirewall) -> None:
        self.fake = fake
        self.own: IPv6Address | None = IPv6Address(OWN)

    def own_ipv6(self, *_: object) -> IPv6Address | None:
        return self.own

    def place(self, *_: object) -> FirewallPlace:
        own = (self.own,) if self.own else ()
        return FirewallPlace(own, (IPv6Address(OWN),), self.fake.location)

    @property
    def open(self) -> list[tuple[str, int]]:
        return [(hole.client, hole.port) for hole in self.fake.holes.values()]


@pytest.fixture
async def ipv6(
    home: DemoHome, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Ipv6]:
    """Run the firewall of the home's router, on a line that has IPv6."""
    own = HostAddress(IPv6Address("2a00:77:77:1::10"), 64, "eth0")
    route = Route(IPv6Address("fe80::1"), "eth0", IPv6Address("2a00:77:77:1::10"))
    machine.state = replace(
        machine.state, addresses=(*machine.state.addresses, own), ipv6_route=route
    )
    pytest_socket.socket_allow_hosts(["127.0.0.1", OWN], allow_unix_socket=True)
    async with FakeFirewall() as fake:
        ipv6 = Ipv6(fake)
        monkeypatch.setattr(coordinator, "own_ipv6", ipv6.own_ipv6)
        monkeypatch.setattr(coordinator, "firewall_place", ipv6.place)
        yield ipv6


def over_ipv6(home: DemoHome, *families: str, **changes: object) -> ConfigSubentry:
    """Return a port that is to be reached over IPv6, or over these families."""
    return port(home, families=list(families or ["ipv6"]), internal_port=INSIDE, **changes)


def only_ipv6(home: DemoHome) -> ConfigSubentry:
    return over_ipv6(home, external_port=INSIDE)


async def read(hass: HomeAssistant, entry: MockConfigEntry, game: ConfigSubentry) -> None:
    """Have the gateway read, and the port after it."""
    await entry.runtime_data.line.async_refresh()
    await entry.runtime_data.ports[game.subentry_id].async_refresh()
    await hass.async_block_till_done()


def issue(hass: HomeAssistant, game: ConfigSubentry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"pinhole_by_hand_{game.subentry_id}")


async def test_on_and_off(hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp) -> None:
    game = only_ipv6(home)
    entry = await set_up(game)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    assert not ipv6.fake.requests
    await switch(hass, entry, game, "on")
    assert state_of(hass, entry, "open", game) == "on"
    assert ipv6.open == [(OWN, INSIDE)]
    assert home.igd.table == {}
    await switch(hass, entry, game, "off")
    assert state_of(hass, entry, "open", game) == "off"
    assert ipv6.open == []


async def test_both_families(
    hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp
) -> None:
    game = over_ipv6(home, "ipv4", "ipv6")
    entry = await set_up(game)
    await switch(hass, entry, game, "on")
    assert state_of(hass, entry, "open", game) == "on"
    assert (len(home.igd.table), len(ipv6.open)) == (1, 1)
    # One of them alone is neither on nor off.
    ipv6.fake.holes.clear()
    ipv6.fake.faults["AddPinhole"] = 701
    await read(hass, entry, game)
    assert state_of(hass, entry, "open", game) == "unknown"
    del ipv6.fake.faults["AddPinhole"]
    await read(hass, entry, game)
    assert state_of(hass, entry, "open", game) == "on"
    await switch(hass, entry, game, "off")
    assert (len(home.igd.table), len(ipv6.open)) == (0, 0)


async def test_by_hand_where_the_router_refuses(
    hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp
) -> None:
    game = over_ipv6(home, "ipv4", "ipv6")
    entry = await set_up(game)
    ipv6.fake.allowed = False
    with fails("upnp_703"):
        await switch(hass, entry, game, "on")
    # IPv4 goes on working.
    assert len(home.igd.table) == 1
    assert entry.runtime_data.ports[game.subentry_id].data.mapping == "open"
    assert state_of(hass, entry, "open", game) == "unknown"
    shown = issue(hass, game)
    assert shown
    assert shown.translation_placeholders == {
        "name": "Game",
        "client": OWN,
        "protocol": "TCP",
        "port": str(INSIDE),
    }
    for text in TEXTS["issues"]["pinhole_by_hand"].values():
        assert text.format(**shown.translation_placeholders)
    # Nothing new is known while the router is silent.
    control = home.igd.control
    home.igd.control = Reply(drop=True)
    await read(hass, entry, game)
    assert issue(hass, game)
    home.igd.control = control
    ipv6.fake.allowed = True
    await read(hass, entry, game)
    assert issue(hass, game) is None
    assert state_of(hass, entry, "open", game) == "on"


async def test_switched_off_nothing_is_left_to_do_by_hand(
    hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp
) -> None:
    game = only_ipv6(home)
    entry = await set_up(game)
    ipv6.fake.faults["AddPinhole"] = 606
    with fails("pinhole_not_permitted"):
        await switch(hass, entry, game, "on")
    assert issue(hass, game)
    await switch(hass, entry, game, "off")
    assert issue(hass, game) is None
    assert state_of(hass, entry, "open", game) == "off"


async def test_a_firewall_that_is_off(
    hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp
) -> None:
    game = only_ipv6(home)
    entry = await set_up(game)
    ipv6.fake.enabled = False
    entity = entity_of(hass, entry, "open", game)
    answer = await hass.services.async_call(
        DOMAIN, "open_port", {"entity_id": entity}, blocking=True, return_response=True
    )
    assert answer
    assert answer[entity]["pinhole"] == {
        "state": "firewall_off",
        "reason": None,
        "address": OWN,
        "port": INSIDE,
    }
    assert state_of(hass, entry, "open", game) == "on"
    shown = await async_get_config_entry_diagnostics(hass, entry)
    [told] = shown["ports"]
    assert (told["families"], told["pinhole"]) == (["ipv6"], "firewall_off")


async def test_no_address_to_open(
    hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp
) -> None:
    ipv6.own = None
    game = only_ipv6(home)
    entry = await set_up(game)
    with fails("ipv6_unknown"):
        await switch(hass, entry, game, "on")
    assert state_of(hass, entry, "open", game) == "unknown"
    ipv6.own = IPv6Address(OWN)
    await read(hass, entry, game)
    assert state_of(hass, entry, "open", game) == "on"
    # While it is not known any more, what is open stays as it is.
    ipv6.own = None
    await read(hass, entry, game)
    assert ipv6.open == [(OWN, INSIDE)]
    assert state_of(hass, entry, "open", game) == "unknown"


async def test_another_address_of_our_own_is_followed(
    hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp
) -> None:
    game = only_ipv6(home)
    entry = await set_up(game)
    ipv6.own = None
    with fails("ipv6_unknown"):
        await switch(hass, entry, game, "on")
    ipv6.own = IPv6Address(OWN)
    reads = entry.runtime_data.line.reads
    entry.runtime_data.line.async_update_listeners()
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert entry.runtime_data.line.reads == reads


async def test_what_is_remembered_is_closed_after_a_restart(
    hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp
) -> None:
    game = only_ipv6(home)
    entry = await set_up(game)
    await switch(hass, entry, game, "on")
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert ipv6.open == [(OWN, INSIDE)]
    assert hass.config_entries.async_remove_subentry(entry, game.subentry_id)
    await until(lambda: ipv6.open == [])
    await until(lambda: entry.runtime_data.store.pinholes == {})


async def test_the_entry_is_disabled(
    hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp
) -> None:
    entry = await set_up(game := only_ipv6(home))
    await switch(hass, entry, game, "on")
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert ipv6.open == []


async def test_the_entry_is_removed(
    hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp
) -> None:
    entry = await set_up(game := only_ipv6(home))
    await switch(hass, entry, game, "on")
    await hass.config_entries.async_remove(entry.entry_id)
    assert ipv6.open == []


async def test_ipv6_is_left_out(
    hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp
) -> None:
    game = over_ipv6(home, "ipv4", "ipv6")
    entry = await set_up(game)
    await switch(hass, entry, game, "on")
    data = {key: value for key, value in game.data.items() if key != "families"}
    hass.config_entries.async_update_subentry(entry, entry.subentries[game.subentry_id], data=data)
    await until(lambda: ipv6.open == [])
    assert len(home.igd.table) == 1
    await until(lambda: state_of(hass, entry, "open", game) == "on")


async def test_a_timer_ends_both(
    hass: HomeAssistant, home: DemoHome, ipv6: Ipv6, set_up: SetUp
) -> None:
    game = over_ipv6(home, "ipv4", "ipv6")
    entry = await set_up(game)
    entity = {"entity_id": entity_of(hass, entry, "open", game), "duration": {"minutes": 5}}
    await hass.services.async_call(DOMAIN, "open_port", entity, blocking=True)
    assert (len(home.igd.table), len(ipv6.open)) == (1, 1)
    await later(hass, minutes=5, seconds=1)
    await until(lambda: (len(home.igd.table), len(ipv6.open)) == (0, 0))


DS_LITE = LineReport(
    mode=LineMode.DS_LITE,
    confidence=Confidence.CERTAIN,
    ipv4_openable=Openable.NONE,
    ipv6_mode=Ipv6Mode.IPOE,
    ipv6_openable=Openable.ALL,
)
NO_IPV6 = LineReport(
    mode=LineMode.PUBLIC,
    confidence=Confidence.CERTAIN,
    ipv4_openable=Openable.ALL,
    ipv6_mode=Ipv6Mode.NONE,
    ipv6_openable=Openable.NONE,
)


async def test_a_line_without_openable_ipv4_does_not_stop_ipv6(
    hass: HomeAssistant,
    home: DemoHome,
    ipv6: Ipv6,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    six, both = only_ipv6(home), over_ipv6(home, "ipv4", "ipv6", protocol="UDP")
    entry = await set_up(six, both)
    await report(hass, entry, monkeypatch, DS_LITE)
    await switch(hass, entry, six, "on")
    assert state_of(hass, entry, "open", six) == "on"
    with fails("line_ds_lite", ServiceValidationError):
        await switch(hass, entry, both, "on")


async def test_a_line_without_ipv6(
    hass: HomeAssistant,
    home: DemoHome,
    ipv6: Ipv6,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    game = only_ipv6(home)
    entry = await set_up(game)
    await report(hass, entry, monkeypatch, NO_IPV6)
    with fails("line_no_ipv6", ServiceValidationError):
        await switch(hass, entry, game, "on")
    assert ipv6.open == []


async def test_a_reading_that_takes_long_does_not_bring_back_what_was_before(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, ipv6: Ipv6
) -> None:
    game = over_ipv6(home, "ipv4", "ipv6", external_port=40000)
    entry = await set_up(game)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    port = entry.runtime_data.ports[game.subentry_id]
    keep, go_on, held = port.pinhole.keep, asyncio.Event(), []

    async def slow() -> coordinator.PinholeReport:
        kept = await keep()
        if not held:
            held.append(kept)
            await go_on.wait()
        return kept

    port.pinhole.keep = slow
    reading = hass.async_create_task(port.async_refresh())
    await until(lambda: held)
    wish = hass.async_create_task(switch(hass, entry, game, "on"))
    # Whether it waits for its turn or not: the older reading ends last, if it can.
    await asyncio.wait({wish}, timeout=0.5)
    go_on.set()
    await asyncio.gather(reading, wish)
    assert state_of(hass, entry, "open", game) == "on"
