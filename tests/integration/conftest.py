"""A simulated home, and Homeport set up against it."""

from collections.abc import AsyncIterator, Awaitable, Callable

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.const import DOMAIN
from tests.fakes.demo import DemoHome
from tests.integration.steps import state_of, until

type SetUp = Callable[..., Awaitable[MockConfigEntry]]


@pytest.fixture
async def home(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[DemoHome]:
    """Run a router, an outside and a dynamic DNS service; unload what was set up against them."""
    async with DemoHome() as demo:
        yield demo
        for entry in hass.config_entries.async_entries(DOMAIN):
            if entry.state is ConfigEntryState.LOADED and hass.is_running:
                assert await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave out what the test package does in this fixture: half of the time would go there."""


@pytest.fixture(autouse=True)
def no_discovery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep Home Assistant's own discovery off the network; Homeport's tests start flows."""

    async def nothing(*_: object) -> bool:
        return True

    monkeypatch.setattr("homeassistant.components.ssdp.async_setup", nothing)


@pytest.fixture
def set_up(hass: HomeAssistant, home: DemoHome) -> SetUp:
    """Return what sets an entry up and waits for its first readings."""

    async def run(
        *subentries: ConfigSubentry, gateway: bool = True, wait: bool = True, **options: str
    ) -> MockConfigEntry:
        entry = entry_for(home, *subentries, gateway=gateway, **options)
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        if wait:
            await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
            await until(lambda: not gateway or home.igd.subscriptions == 1)
            await until(lambda: not gateway or entry.runtime_data.line.gateway_answers)
        return entry

    return run


def entry_for(
    home: DemoHome, *subentries: ConfigSubentry, gateway: bool = True, **options: str
) -> MockConfigEntry:
    """Return an entry for the home's router, or for none, that is not set up yet."""
    facts = home.facts
    services = {"echo_url": facts.echo_url, "prober_url": facts.prober_url} | options
    return MockConfigEntry(
        domain=DOMAIN,
        title="Demo router",
        unique_id=home.igd.identity.udn if gateway else None,
        data={"location": facts.location} if gateway else {},
        options={key: url for key, url in services.items() if url},
        subentries_data=[subentry.as_dict() for subentry in subentries],
    )
