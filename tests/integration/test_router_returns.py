"""A router that comes back is noticed by what it announces, and by asking often enough."""

from homeassistant.components.ssdp import SsdpChange
from homeassistant.core import HomeAssistant
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import Announce, SetUp
from tests.integration.steps import later, opened, port, sent, state_of, until

DEVICE = "urn:schemas-upnp-org:device:InternetGatewayDevice:2"
ALIVE, BYEBYE = SsdpChange.ALIVE, SsdpChange.BYEBYE


def said(udn: str, boot: str | None, target: str = DEVICE) -> SsdpServiceInfo:
    """Return an announcement of a device."""
    headers = {} if boot is None else {"BOOTID.UPNP.ORG": boot}
    return SsdpServiceInfo(
        ssdp_usn=f"{udn}::{target}",
        ssdp_st=target,
        ssdp_nt=target,
        ssdp_udn=udn,
        ssdp_headers=headers,
        upnp={},
    )


async def test_the_first_announcement_is_a_reason_to_look(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, announce: Announce
) -> None:
    """It may have restarted before anything was heard of it."""
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.table.clear()
    announce(said(home.igd.identity.udn, "2"), ALIVE)
    await until(lambda: home.igd.table, "the mapping")
    await until(lambda: state_of(hass, entry, "open", game) == "on")


@pytest.fixture
async def entry(home: DemoHome, set_up: SetUp) -> MockConfigEntry:
    return await set_up()


async def test_a_restart_that_is_announced_brings_ports_and_events_back(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, announce: Announce
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    udn = home.igd.identity.udn
    announce(said(udn, "1"), ALIVE)
    before = len(sent(home, "AddPortMapping"))
    home.igd.table.clear()
    announce(said(udn, "2"), ALIVE)
    await until(lambda: home.igd.table, "the mapping")
    assert len(sent(home, "AddPortMapping")) == before + 1
    await until(lambda: state_of(hass, entry, "open", game) == "on")


@pytest.mark.parametrize("target", [DEVICE, "upnp:rootdevice"])
async def test_goodbye_and_hello_is_a_restart_too(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, announce: Announce, target: str
) -> None:
    game = port(home)
    entry = await set_up(game)
    await opened(hass, entry, game)
    home.igd.table.clear()
    announce(said(home.igd.identity.udn, None, target), BYEBYE)
    await hass.async_block_till_done()
    assert not home.igd.table
    announce(said(home.igd.identity.udn, None), ALIVE)
    await until(lambda: home.igd.table, "the mapping")


async def test_the_usual_announcements_are_no_news(
    hass: HomeAssistant, home: DemoHome, entry: MockConfigEntry, announce: Announce
) -> None:
    udn = home.igd.identity.udn
    line = entry.runtime_data.line
    reads = line.reads
    announce(said(udn, "7"), ALIVE)  # the first one may be one
    await until(lambda: line.reads > reads and line.link.pushes)
    await hass.async_block_till_done()
    asked = len(home.igd.requests)
    for _ in range(20):
        announce(said(udn, "7"), ALIVE)
        announce(said(udn, None), ALIVE)
        announce(said("uuid:another-device", "8"), ALIVE)
        announce(said("uuid:another-device", None), BYEBYE)
    await hass.async_block_till_done()
    assert len(home.igd.requests) == asked


async def test_a_silent_router_is_asked_every_few_seconds(
    hass: HomeAssistant, home: DemoHome, entry: MockConfigEntry
) -> None:
    home.igd.control = Reply(drop=True)
    await entry.runtime_data.line.async_refresh()
    assert not entry.runtime_data.line.gateway_answers
    home.igd.control = None
    await later(hass, seconds=5)
    await until(lambda: entry.runtime_data.line.gateway_answers)


async def test_a_silent_router_that_says_hello_is_asked_at_once(
    hass: HomeAssistant, home: DemoHome, entry: MockConfigEntry, announce: Announce
) -> None:
    home.igd.control = Reply(drop=True)
    await entry.runtime_data.line.async_refresh()
    home.igd.control = None
    announce(said(home.igd.identity.udn, None), ALIVE)
    await until(lambda: entry.runtime_data.line.gateway_answers)


async def test_nothing_listens_after_unloading(
    hass: HomeAssistant, home: DemoHome, entry: MockConfigEntry, announce: Announce
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    asked = len(home.igd.requests)
    announce(said(home.igd.identity.udn, None), BYEBYE)
    announce(said(home.igd.identity.udn, "99"), ALIVE)
    await hass.async_block_till_done()
    assert len(home.igd.requests) == asked
