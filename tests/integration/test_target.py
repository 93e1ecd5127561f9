"""Ports that lead to other devices, which are named and looked up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from custom_components.homeport.coordinator import lan_hosts
from tests.fakes.demo import DemoHome
from tests.integration.conftest import Machine, SetUp
from tests.integration.lan import MAC, NAS, Names, clients, neighbours, tracked
from tests.integration.steps import fails, later, opened, port, readings, state_of, switch, until

# --- By name -------------------------------------------------------------------------------------


async def test_mapping_follows_a_name(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, names: Names
) -> None:
    names.known[NAS] = ["192.168.77.20"]
    game = port(home, internal_client=NAS)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert clients(home) == ["192.168.77.20"]
    names.known[NAS] = ["192.168.77.21"]
    await later(hass, seconds=61)
    await until(lambda: clients(home) == ["192.168.77.21"])
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    await switch(hass, entry, game, "off")
    assert not home.igd.table


async def test_name_is_asked_for_once_a_minute_at_most(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, names: Names
) -> None:
    names.known[NAS] = ["192.168.77.20"]
    game = port(home, internal_client=NAS)
    entry = await set_up(game)
    await opened(hass, entry, game)
    names.asked.clear()
    for _ in range(5):
        await readings(hass, entry, home)
    assert not names.asked
    await later(hass, seconds=61)
    assert names.asked == [NAS]


@pytest.mark.parametrize(
    "address", ["11.22.33.50", "127.0.0.1", "100.64.0.9", "224.0.0.1", "169.254.1.1", "::1"]
)
async def test_addresses_that_are_no_devices_at_home_are_not_believed(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, names: Names, address: str
) -> None:
    names.known[NAS] = [address]
    game = port(home, internal_client=NAS)
    entry = await set_up(game)
    with fails("target_unknown") as raised:
        await switch(hass, entry, game, "on")
    assert raised.value.translation_placeholders == {"client": NAS}
    assert not home.igd.table
    assert state_of(hass, entry, "open", game) == "unknown"


async def test_unknown_name_is_opened_when_it_is_known(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, names: Names
) -> None:
    game = port(home, internal_client=NAS)
    entry = await set_up(game)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    with fails("target_unknown"):
        await switch(hass, entry, game, "on")
    assert state_of(hass, entry, "open", game) == "unknown"
    names.known[NAS] = ["192.168.77.20"]
    await later(hass, seconds=61)
    await until(lambda: clients(home) == ["192.168.77.20"])
    await until(lambda: state_of(hass, entry, "open", game) == "on")


async def test_unknown_name_can_be_switched_off(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, names: Names
) -> None:
    game = port(home, internal_client=NAS)
    entry = await set_up(game)
    with fails("target_unknown"):
        await switch(hass, entry, game, "on")
    await switch(hass, entry, game, "off")
    assert state_of(hass, entry, "open", game) == "off"


async def test_switch_looks_once_more(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, names: Names
) -> None:
    game = port(home, internal_client=NAS)
    entry = await set_up(game)
    await until(lambda: names.asked)
    names.known[NAS] = ["192.168.77.20"]
    await opened(hass, entry, game)
    assert clients(home) == ["192.168.77.20"]


async def test_name_that_is_gone_for_a_while_keeps_its_address(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, names: Names
) -> None:
    names.known[NAS] = ["192.168.77.20"]
    game = port(home, internal_client=NAS)
    entry = await set_up(game)
    await opened(hass, entry, game)
    del names.known[NAS]
    await later(hass, seconds=61)
    await readings(hass, entry, home)
    assert clients(home) == ["192.168.77.20"]
    assert state_of(hass, entry, "open", game) == "on"

    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert clients(home) == ["192.168.77.20"]
    await switch(hass, entry, game, "off")
    assert not home.igd.table


async def test_resolver_that_hangs_holds_up_nothing(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    names: Names,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lan_hosts, "_DNS", 0.05)
    names.silent = True
    here, there = port(home), port(home, "NAS", external_port=25566, internal_client=NAS)
    entry = await set_up(here, there)
    await opened(hass, entry, here)
    with fails("target_unknown"):
        await switch(hass, entry, there, "on")


async def test_change_of_the_name_closes_what_led_to_the_old_one(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, names: Names
) -> None:
    names.known[NAS] = ["192.168.77.20"]
    game = port(home, internal_client=NAS)
    entry = await set_up(game)
    await opened(hass, entry, game)
    for client, expected in ("new.home.arpa", []), ("192.168.77.30", ["192.168.77.30"]):
        changed = entry.subentries[game.subentry_id]
        data = {**changed.data, "internal_client": client}
        hass.config_entries.async_update_subentry(entry, changed, data=data)
        await until(lambda: clients(home) == expected)  # noqa: B023
    await until(lambda: state_of(hass, entry, "open", game) == "on")


async def test_removed_port_is_forgotten(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    names: Names,
    hass_storage: dict[str, Any],
) -> None:
    names.known[NAS] = ["192.168.77.20"]
    game = port(home, internal_client=NAS)
    entry = await set_up(game)
    stored = f"homeport.{entry.entry_id}"
    await until(lambda: hass_storage.get(stored, {}).get("data", {}).get("targets"))
    assert hass_storage[stored]["data"]["targets"][game.subentry_id] == {
        "name": NAS,
        "ipv4": "192.168.77.20",
        "ipv6": None,
    }
    hass.config_entries.async_remove_subentry(entry, game.subentry_id)
    await until(lambda: not hass_storage[stored]["data"]["targets"])


# --- By multicast DNS ----------------------------------------------------------------------------


@pytest.fixture
async def mdns(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncZeroconf]:
    """Run a device that answers to multicast DNS; let Home Assistant's own zeroconf hear it."""
    loopback = partial(AsyncZeroconf, interfaces=["127.0.0.1"])
    shared, device = loopback(), loopback()

    async def get(_: HomeAssistant) -> AsyncZeroconf:
        return shared

    monkeypatch.setattr(lan_hosts.zeroconf, "async_get_async_instance", get)
    hass.config.components.add("zeroconf")
    yield device
    await device.async_close()
    await shared.async_close()


def nas_at(*addresses: str) -> AsyncServiceInfo:
    """Return what makes a device answer to the name nas.local with these addresses."""
    kind = "_smb._tcp.local."
    return AsyncServiceInfo(
        kind, f"NAS.{kind}", port=445, server="nas.local.", parsed_addresses=[*addresses]
    )


async def test_mapping_follows_an_mdns_name(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, mdns: AsyncZeroconf
) -> None:
    await (await mdns.async_register_service(nas_at("fe80::1", "192.168.77.20")))
    game = port(home, internal_client="nas.local")
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert clients(home) == ["192.168.77.20"]
    await (await mdns.async_update_service(nas_at("192.168.77.21")))
    target = entry.runtime_data.ports[game.subentry_id].target
    # What is known of a name lives on for a second (RFC 6762 section 10.2).
    await until_looked(target.async_look, lambda: clients(home) == ["192.168.77.21"])


async def until_looked(look: Callable[[], Awaitable[None]], condition: Callable[[], bool]) -> None:
    """Look again until something is true."""
    async with asyncio.timeout(10):
        while not condition():
            await look()
            await asyncio.sleep(0.05)


async def test_mdns_name_without_zeroconf_goes_to_the_system(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, names: Names
) -> None:
    names.known["nas.local"] = ["192.168.77.20"]
    game = port(home, internal_client="nas.local")
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert clients(home) == ["192.168.77.20"]


# --- By MAC address ------------------------------------------------------------------------------


async def test_mac_is_found_among_the_neighbours(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, machine: Machine
) -> None:
    neighbours(machine, "fe80::1", "192.168.77.20")
    game = port(home, internal_client=MAC)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert clients(home) == ["192.168.77.20"]


async def test_mapping_follows_a_device_tracker_at_once(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, machine: Machine
) -> None:
    tracked(hass, "192.168.77.20")
    game = port(home, internal_client=MAC)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert clients(home) == ["192.168.77.20"]
    # What other devices do is of no interest, nor where this one is when it is not at home.
    tracked(hass, "192.168.77.66", mac="52:54:00:00:00:01")
    tracked(hass, "10.1.1.1", state="not_home")
    await hass.async_block_till_done()
    assert clients(home) == ["192.168.77.20"]
    tracked(hass, "192.168.77.21")
    await until(lambda: clients(home) == ["192.168.77.21"])
    await until(lambda: state_of(hass, entry, "open", game) == "on")


async def test_mapping_follows_dhcp(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [DhcpServiceInfo("192.168.77.20", "nas", MAC.replace(":", ""))]
    monkeypatch.setattr(
        "homeassistant.components.dhcp.async_discovered_service_info", lambda _: told
    )
    hass.config.components.add("dhcp")
    game = port(home, internal_client=MAC)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert clients(home) == ["192.168.77.20"]
    told[:] = [DhcpServiceInfo("192.168.77.21", "nas", MAC.replace(":", ""))]
    await later(hass, seconds=61)
    await until(lambda: clients(home) == ["192.168.77.21"])


async def test_old_address_that_the_kernel_still_knows_is_searched_for(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, machine: Machine
) -> None:
    neighbours(machine, "192.168.77.20")
    game = port(home, internal_client=MAC)
    entry = await set_up(game)
    await opened(hass, entry, game)
    assert not machine.searched
    neighbours(machine, "192.168.77.20", "192.168.77.21")
    await later(hass, seconds=61)
    await until(lambda: clients(home) == ["192.168.77.21"])
    assert {*map(str, machine.searched)} == {"192.168.77.20", "192.168.77.21"}
    # Nobody answered at the new one: it was of the past.
    neighbours(machine, "192.168.77.20")
    await later(hass, seconds=61)
    await until(lambda: clients(home) == ["192.168.77.20"])


async def test_restart_while_the_device_is_away(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, machine: Machine
) -> None:
    neighbours(machine, "192.168.77.20")
    game = port(home, internal_client=MAC)
    entry = await set_up(game)
    await opened(hass, entry, game)
    neighbours(machine)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert clients(home) == ["192.168.77.20"]
    neighbours(machine, "192.168.77.40")
    await later(hass, seconds=61)
    await until(lambda: clients(home) == ["192.168.77.40"])
