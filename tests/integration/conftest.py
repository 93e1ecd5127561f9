"""A simulated home, and Homeport set up against it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.const import DOMAIN
from tests.fakes.demo import DemoHome

type SetUp = Callable[..., Awaitable[MockConfigEntry]]

DEADLINE = 5.0
"""Seconds that anything on loopback may take."""


@pytest.fixture
async def home(socket_enabled: None) -> AsyncIterator[DemoHome]:
    """Run a router, an outside and a dynamic DNS service."""
    async with DemoHome() as demo:
        yield demo


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
        facts = home.facts
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Demo router",
            unique_id=home.igd.identity.udn if gateway else None,
            data={"location": facts.location} if gateway else {},
            options={"echo_url": facts.echo_url, "prober_url": facts.prober_url} | options,
            subentries_data=[subentry.as_dict() for subentry in subentries],
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        if wait:
            await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
        return entry

    return run


def port(home: DemoHome, name: str = "Game", **changes: Any) -> ConfigSubentry:
    """Return a port that leads to the demo's game server, with changes."""
    data = {
        "protocol": "TCP",
        "internal_port": home.facts.game_port,
        "external_port": home.facts.game_port + 1,
        "try_anyway": False,
    } | changes
    return ConfigSubentry(
        data=MappingProxyType(data),
        subentry_type="port",
        title=name,
        unique_id=f"{data['protocol']}_{data['external_port']}",
    )


def hostname(home: DemoHome, **changes: Any) -> ConfigSubentry:
    """Return the demo's hostname, with changes."""
    facts = home.facts
    data = {
        "provider": "dyndns2",
        "hostname": facts.hostname,
        "server": facts.dyndns2_url,
        "username": facts.username,
        "password": facts.password,
    } | changes
    return ConfigSubentry(
        data=MappingProxyType(data),
        subentry_type="hostname",
        title=facts.hostname,
        unique_id=facts.hostname,
    )


def entity_of(
    hass: HomeAssistant, entry: MockConfigEntry, key: str, subentry: ConfigSubentry | None = None
) -> str:
    """Return the entity id for a key of the line, or of a subentry."""
    owner = entry.entry_id + (f"_{subentry.subentry_id}" if subentry else "")
    found = [
        registered.entity_id
        for registered in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if registered.unique_id == f"{owner}_{key}"
    ]
    assert len(found) == 1, f"{key}: {found}"
    return found[0]


def state_of(
    hass: HomeAssistant, entry: MockConfigEntry, key: str, subentry: ConfigSubentry | None = None
) -> str:
    """Return the state for a key of the line, or of a subentry."""
    state = hass.states.get(entity_of(hass, entry, key, subentry))
    return state.state if state else "absent"


async def until(condition: Callable[[], object], what: str = "it") -> None:
    """Wait until something is true."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"{what} did not come true within {DEADLINE} s")
