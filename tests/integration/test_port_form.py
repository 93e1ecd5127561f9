"""The families of a port and the device that it leads to, as they are asked for."""

from typing import Any

from homeassistant.components.http import ApiConfig
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.shared_line import SharedLine
from tests.integration.steps import TEXTS, errors, port, suggested
from tests.integration.test_port_flow import GOOD, begin, send
from tests.integration.test_port_set import set_up_shared

MAC = "52:54:00:12:34:56"
STEPS = TEXTS["config_subentries"]["port"]["step"]
IPV6_ONLY = {key: value for key, value in GOOD.items() if key != "external_port"} | {
    "families": ["ipv6"]
}


async def wrong(
    hass: HomeAssistant, entry: MockConfigEntry, changes: dict[str, Any]
) -> dict[str, str]:
    """Return what the form says to what is filled in."""
    result = await send(hass, await begin(hass, entry), changes)
    return errors(result, "config_subentries", "port")


async def added(hass: HomeAssistant, entry: MockConfigEntry, changes: dict[str, Any]) -> Any:
    """Add a port and return its data and unique id."""
    before = set(entry.subentries)
    result = await send(hass, await begin(hass, entry), changes)
    assert result["type"] == "form"
    assert not result["errors"]
    assert (await send(hass, result, {}))["type"] == "create_entry"
    [subentry_id] = set(entry.subentries) - before
    return entry.subentries[subentry_id]


# --- Families ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("families", "external", "said"),
    [
        (["ipv4"], "25566", "TCP 25566 (IPv4)"),
        (["ipv6", "ipv4"], "25566", "TCP 25566 (IPv4), TCP 25565 (IPv6)"),
        (["ipv6"], "25565", "TCP 25565 (IPv6)"),
    ],
)
@pytest.mark.parametrize("by_hand", [False, True])
async def test_what_is_opened_is_said(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    *,
    families: list[str],
    external: str,
    said: str,
    by_hand: bool,
) -> None:
    entry = await set_up(wait=False)
    wanted = GOOD | {"families": families, "external_port": external, "by_hand": by_hand}
    result = await send(hass, await begin(hass, entry), wanted)
    assert result["step_id"] == ("by_hand" if by_hand else "confirm")
    placeholders = result["description_placeholders"]
    assert placeholders
    assert placeholders["ports"] == said
    assert said in STEPS[result["step_id"]]["description"].format(**placeholders)


async def test_families_are_kept(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    both = await added(hass, entry, GOOD | {"families": ["ipv6", "ipv4"]})
    assert both.data["families"] == ["ipv4", "ipv6"]
    assert both.unique_id == "TCP_25566"
    result = await begin(hass, entry, both.subentry_id)
    shown = suggested(result)
    assert shown["families"] == ["ipv4", "ipv6"]
    result = await send(hass, result, shown | {"name": "New"})
    assert (await send(hass, result, {}))["reason"] == "reconfigure_successful"
    assert entry.subentries[both.subentry_id].data == both.data

    result = await begin(hass, entry, both.subentry_id)
    result = await send(hass, result, shown | {"families": ["ipv4"]})
    await send(hass, result, {})
    assert "families" not in entry.subentries[both.subentry_id].data


@pytest.mark.usefixtures("names")
async def test_ipv6_alone_has_no_other_port(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    other = IPV6_ONLY | {"external_port": "25566"}
    assert await wrong(hass, entry, other) == {"external_port": "no_other_port"}
    alone = await added(hass, entry, IPV6_ONLY)
    assert alone.data == {
        "protocol": "TCP",
        "families": ["ipv6"],
        "internal_port": 25565,
        "external_port": 25565,
        "try_anyway": False,
    }
    # It takes none of the line's IPv4 ports, nor one of another device.
    await added(hass, entry, GOOD | {"external_port": "25565"})
    await added(hass, entry, IPV6_ONLY | {"internal_client": "nas.local"})
    ids = [each.unique_id for each in entry.subentries.values()]
    assert ids == ["TCP_25565__ipv6", "TCP_25565", "TCP_25565_nas.local_ipv6"]


async def test_one_port_of_a_device_is_opened_once_over_ipv6(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home, internal_port=25565, external_port=30000, families=["ipv4", "ipv6"])
    entry = await set_up(game)
    assert await wrong(hass, entry, IPV6_ONLY) == {"internal_port": "taken_over_ipv6"}
    both = GOOD | {"families": ["ipv4", "ipv6"], "external_port": "30000"}
    assert await wrong(hass, entry, both) == {
        "external_port": "port_taken",
        "internal_port": "taken_over_ipv6",
    }
    result = await begin(hass, entry, game.subentry_id)
    result = await send(hass, result, suggested(result) | {"name": "New"})
    assert (await send(hass, result, {}))["reason"] == "reconfigure_successful"


@pytest.mark.parametrize(
    "changes",
    [
        {"families": ["ipv6"], "internal_port": "22"},
        {"families": ["ipv4", "ipv6"], "internal_port": "22", "external_port": "2222"},
        {"families": ["ipv6"], "internal_port": "8123"},
        {"internal_port": "8123", "internal_client": "homeassistant.local"},
        {"internal_port": "8123", "internal_client": MAC},
    ],
)
async def test_danger(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, changes: dict[str, Any]
) -> None:
    hass.config.api = ApiConfig("192.168.1.2", "192.168.1.2", 8123, use_ssl=False)
    entry = await set_up(wait=False)
    result = await send(
        hass, await begin(hass, entry), IPV6_ONLY | {"families": ["ipv4"]} | changes
    )
    assert result["step_id"] == "danger"


# --- Devices -------------------------------------------------------------------------------------


def device(hass: HomeAssistant, entry: MockConfigEntry, *macs: str) -> dr.DeviceEntry:
    """Let Home Assistant know a device."""
    return dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        connections={(dr.CONNECTION_NETWORK_MAC, mac) for mac in macs},
        identifiers={("nas", "1")},
        name="NAS",
    )


async def test_device_that_is_known(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    nas = device(hass, entry, MAC)
    result = await send(hass, await begin(hass, entry), GOOD | {"device": nas.id})
    assert result["description_placeholders"]
    assert result["description_placeholders"]["client"] == f"NAS ({MAC})"
    await send(hass, result, {})
    [subentry] = entry.subentries.values()
    assert subentry.data["internal_client"] == MAC
    assert "device" not in subentry.data

    result = await begin(hass, entry, subentry.subentry_id)
    shown = suggested(result)
    assert shown["device"] == nas.id
    assert "internal_client" not in shown
    await send(hass, await send(hass, result, shown), {})
    assert entry.subentries[subentry.subentry_id].data == subentry.data


async def test_mac_address_of_no_known_device(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    nas = await added(hass, entry, GOOD | {"internal_client": MAC.upper()})
    assert nas.data["internal_client"] == MAC
    assert suggested(await begin(hass, entry, nas.subentry_id))["internal_client"] == MAC


async def test_device_that_cannot_be_found(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    for nas in device(hass, entry).id, "no_such_device":
        wanted = GOOD | {"device": nas}
        assert await wrong(hass, entry, wanted) == {"device": "device_without_mac"}


async def test_two_devices(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    wanted = GOOD | {"device": device(hass, entry, MAC).id, "internal_client": "192.168.1.9"}
    assert await wrong(hass, entry, wanted) == {"device": "two_devices"}


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("name", ["NAS.local", "nas", "nas.home.arpa."])
async def test_name(hass: HomeAssistant, home: DemoHome, set_up: SetUp, name: str) -> None:
    entry = await set_up(wait=False)
    nas = await added(hass, entry, GOOD | {"internal_client": name})
    assert nas.data["internal_client"] == name.lower().removesuffix(".")


async def test_ipv6_alone_does_not_care_for_the_set_of_ipv4_ports(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    entry = await set_up_shared(hass, set_up, shared)
    alone = await added(hass, entry, IPV6_ONLY)
    assert entry.runtime_data.ports[alone.subentry_id].port_allowed is None


async def test_router_without_upnp_is_told_as_well(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up(gateway=False)
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, data={"gateway": "192.168.77.1"})
    assert (await send(hass, await begin(hass, entry), GOOD))["step_id"] == "confirm"
