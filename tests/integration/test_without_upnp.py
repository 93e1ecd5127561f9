"""A router without UPnP: PCP or NAT-PMP open its ports."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import SOURCE_SSDP, SOURCE_USER, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport import gateway_form
from custom_components.homeport.const import DOMAIN
from custom_components.homeport.gateway import Igd, datagram, link as gateway_link
from custom_components.homeport.gateway.errors import GatewayNotFound
from custom_components.homeport.host import HostState, Neighbour
from tests.fakes.demo import DemoHome
from tests.fakes.pcp import FakePcp
from tests.integration.steps import entity_of, errors, fails, opened, port, state_of, switch, until

MAC = "02:00:5e:10:00:01"
ROUTER = "127.0.0.1"


@pytest.fixture
async def router(home: DemoHome, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakePcp]:
    """Run a router without UPnP, as which the home's own one does not answer a search."""

    async def nothing(*_: object, **__: object) -> str:
        raise GatewayNotFound

    async def neighbours() -> HostState:
        address = gateway_form.IPv4Address(ROUTER)
        return HostState(neighbours=(Neighbour(address, MAC, "eth0"),))

    monkeypatch.setattr(gateway_form, "find_location", nothing)
    monkeypatch.setattr(gateway_link, "find_location", nothing)
    monkeypatch.setattr(gateway_form, "read_state", neighbours)
    async with FakePcp() as fake:
        monkeypatch.setattr(datagram, "PORT", fake.port)
        yield fake


def entry_of(home: DemoHome, *subentries: ConfigSubentry, **data: Any) -> MockConfigEntry:
    return MockConfigEntry(
        domain=DOMAIN,
        title="Router",
        unique_id=MAC,
        data={"gateway": ROUTER} | data,
        options={"echo_urls": [home.facts.echo_url]},
        subentries_data=[subentry.as_dict() for subentry in subentries],
    )


async def set_up(
    hass: HomeAssistant, home: DemoHome, *subentries: ConfigSubentry, **data: Any
) -> MockConfigEntry:
    entry = entry_of(home, *subentries, **data)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: entry.runtime_data.line.gateway_answers)
    await until(lambda: entry.runtime_data.line.surveyed)
    return entry


def key_of(game: ConfigSubentry) -> tuple[int, str, int]:
    return 6, "127.0.0.1", game.data["internal_port"]


async def named(hass: HomeAssistant) -> Any:
    """Begin to set up a line, and name the router."""
    flows = hass.config_entries.flow
    result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flows.async_configure(result["flow_id"], {"next_step_id": "gateway"})
    return await flows.async_configure(result["flow_id"], {"host": ROUTER})


async def test_it_is_found_by_its_address(
    hass: HomeAssistant, home: DemoHome, router: FakePcp
) -> None:
    result = await named(hass)
    assert result["step_id"] == "outside"
    assert ROUTER in result["description_placeholders"]["name"]
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.data == {"gateway": ROUTER}
    assert entry.unique_id == MAC
    again = await named(hass)
    assert (again["type"], again["reason"]) == ("abort", "already_configured")
    await hass.async_block_till_done()


async def test_nobody_there_is_a_form_error(
    hass: HomeAssistant, home: DemoHome, router: FakePcp
) -> None:
    router.silent = True
    assert errors(await named(hass)) == {"host": "gateway_not_found"}


@pytest.mark.parametrize("pcp", [True, False])
async def test_switch(hass: HomeAssistant, home: DemoHome, router: FakePcp, pcp: bool) -> None:
    router.pcp = pcp
    game = port(home)
    entry = await set_up(hass, home, game)
    await until(lambda: state_of(hass, entry, "open", game) == "off")
    await opened(hass, entry, game)
    assert router.table == {key_of(game): game.data["external_port"]}
    await switch(hass, entry, game, "off")
    assert state_of(hass, entry, "open", game) == "off"
    assert router.table == {}


async def test_another_device_has_the_port(
    hass: HomeAssistant, home: DemoHome, router: FakePcp
) -> None:
    game = port(home)
    router.taken = {game.data["external_port"]}
    entry = await set_up(hass, home, game)
    with fails("port_taken"):
        await switch(hass, entry, game, "on")
    assert state_of(hass, entry, "open", game) == "unknown"
    assert router.table == {}


async def test_a_restart_of_the_router_is_mended_with_the_next_reading(
    hass: HomeAssistant, home: DemoHome, router: FakePcp
) -> None:
    game = port(home)
    entry = await set_up(hass, home, game)
    await opened(hass, entry, game)
    await entry.runtime_data.line.async_refresh()
    router.restart()
    await entry.runtime_data.line.async_refresh()
    await until(lambda: router.table == {key_of(game): game.data["external_port"]})


async def test_a_restart_of_home_assistant_keeps_it(
    hass: HomeAssistant, home: DemoHome, router: FakePcp
) -> None:
    game = port(home)
    entry = await set_up(hass, home, game)
    await opened(hass, entry, game)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert router.table
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    await switch(hass, entry, game, "off")
    assert router.table == {}


async def test_removing_the_entry_closes_everything(
    hass: HomeAssistant, home: DemoHome, router: FakePcp
) -> None:
    game = port(home)
    entry = await set_up(hass, home, game)
    await opened(hass, entry, game)
    await hass.config_entries.async_remove(entry.entry_id)
    assert router.table == {}


async def test_upnp_that_comes_later_is_taken_up(
    hass: HomeAssistant, home: DemoHome, router: FakePcp
) -> None:
    """And what was opened before stays with the protocol that opened it, until it is closed."""
    game = port(home)
    entry = await set_up(hass, home, game)
    await opened(hass, entry, game)
    identity = home.igd.identity
    found = SsdpServiceInfo(
        ssdp_usn=f"{identity.udn}::upnp:rootdevice",
        ssdp_st="urn:schemas-upnp-org:device:InternetGatewayDevice:1",
        ssdp_location=home.facts.location,
        ssdp_udn=identity.udn,
        upnp={},
    )
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_SSDP}, data=replace(found)
    )
    assert result["reason"] == "already_configured"
    assert entry.data == {"location": home.facts.location}
    assert entry.unique_id == identity.udn
    await hass.async_block_till_done()
    await until(lambda: entry.runtime_data.line.gateway_info is not None)
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    assert router.table
    assert not home.igd.table
    await switch(hass, entry, game, "off")
    assert router.table == {}
    await opened(hass, entry, game)
    assert home.igd.table
    assert router.table == {}


async def test_without_upnp_for_long_another_protocol_takes_its_place(
    hass: HomeAssistant, home: DemoHome, router: FakePcp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_link, "_PATIENCE", 0.0)
    game = port(home)
    entry = await set_up(hass, home, game, location=home.facts.location)
    connect = Igd.connect

    async def refused(*_: object, **__: object) -> Igd:
        raise GatewayNotFound

    monkeypatch.setattr(Igd, "connect", refused)
    await entry.runtime_data.line.link.stop()
    await entry.runtime_data.line.async_refresh()
    await opened(hass, entry, game)
    assert router.table
    monkeypatch.setattr(Igd, "connect", connect)
    await entry.runtime_data.line.async_refresh()
    assert entry.runtime_data.line.gateway_info is not None
    assert hass.states.get(entity_of(hass, entry, "open", game)) is not None
    await until(lambda: state_of(hass, entry, "open", game) == "on")
