"""What tests do and look at: services, flows, states and the router's own table."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
import json
from pathlib import Path
import socket
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.homeport.const import DOMAIN
from tests.fakes.demo import DemoHome
from tests.fakes.igd import Entry

DEADLINE = 20.0
"""Seconds that anything on loopback may take, also on a busy machine."""
INTEGRATION = Path(__file__).parents[2] / "custom_components/homeport"
TEXTS: dict[str, Any] = json.loads((INTEGRATION / "translations/en.json").read_text("utf-8"))


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
        title=data["hostname"],
        unique_id=data["hostname"],
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


async def switch(
    hass: HomeAssistant, entry: MockConfigEntry, subentry: ConfigSubentry, to: str
) -> None:
    """Turn the switch of a port "on" or "off"."""
    entity = {"entity_id": entity_of(hass, entry, "open", subentry)}
    await hass.services.async_call("switch", f"turn_{to}", entity, blocking=True)


async def press(
    hass: HomeAssistant, entry: MockConfigEntry, key: str, subentry: ConfigSubentry
) -> None:
    """Press a button of a subentry."""
    entity = {"entity_id": entity_of(hass, entry, key, subentry)}
    await hass.services.async_call("button", "press", entity, blocking=True)


async def opened(hass: HomeAssistant, entry: MockConfigEntry, *ports: ConfigSubentry) -> None:
    """Turn the switches of ports on, and see to it that they are."""
    for each in ports:
        await switch(hass, entry, each, "on")
        assert state_of(hass, entry, "open", each) == "on"


def free_port() -> int:
    """Return a TCP port that nobody has on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def foreign(home: DemoHome, external_port: int) -> Entry:
    """Put a mapping of another device into the router's table and return it."""
    entry = Entry(
        protocol="TCP",
        external_port=external_port,
        internal_client="127.0.0.9",
        internal_port=4711,
        description="Console",
    )
    home.igd.table[entry.key] = entry
    return entry


async def age(home: DemoHome, seconds: float) -> None:
    """Let the leases of all mappings be older by some time; the router tells its subscribers."""
    for key, entry in home.igd.table.items():
        if entry.expires is not None:
            home.igd.table[key] = replace(entry, expires=entry.expires - seconds)
    await home.igd.changed()


def sent(home: DemoHome, action: str) -> list[dict[str, Any]]:
    """Return the arguments of each call of an action that reached the router."""
    return [arguments for name, arguments in home.igd.requests if name == action]


async def later(hass: HomeAssistant, **time: float) -> None:
    """Let every timer run that ends within some time from now, when nothing is under way."""
    families = socket.AF_UNSPEC, socket.AF_INET
    connectors = [async_get_clientsession(hass, family=each).connector for each in families]
    # The time limit of a request would run out as well.
    await until(lambda: not any(connector._acquired for connector in connectors if connector))
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(**time))
    await hass.async_block_till_done()


async def readings(hass: HomeAssistant, entry: MockConfigEntry, home: DemoHome) -> None:
    """Have the router read as its timer does, and wait until each port has read its mapping."""
    ports = sum(subentry.subentry_type == "port" for subentry in entry.subentries.values())
    before = len(sent(home, "GetSpecificPortMappingEntry"))
    await entry.runtime_data.line.async_refresh()
    await until(lambda: len(sent(home, "GetSpecificPortMappingEntry")) >= before + ports)
    await hass.async_block_till_done()


async def until(condition: Callable[[], object], what: str = "it") -> None:
    """Wait until something is true."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"{what} did not come true within {DEADLINE} s")


def errors(result: Any, *path: str) -> dict[str, str]:
    """Return the errors of a form; each must be explained at `path` in the translations."""
    assert result["type"] == "form", result
    texts = TEXTS
    for part in path or ("config",):
        texts = texts[part]
    for key in result["errors"].values():
        assert texts["error"][key]
    return dict(result["errors"])


@contextmanager
def fails(
    key: str, kind: type[HomeAssistantError] = HomeAssistantError
) -> Iterator[pytest.ExceptionInfo[HomeAssistantError]]:
    """Expect an error of Homeport with this translation key, whole and in plain words."""
    with pytest.raises(kind) as raised:
        yield raised
    error = raised.value
    assert (error.translation_domain, error.translation_key) == (DOMAIN, key)
    message = TEXTS["exceptions"][key]["message"].format(**error.translation_placeholders or {})
    assert str(error) == message.removesuffix(".")


def suggested(result: Any) -> dict[str, Any]:
    """Return what a form shows in its fields."""
    fields = {}
    for marker in result["data_schema"].schema:
        description = marker.description or {}
        if (value := description.get("suggested_value")) is not None:
            fields[str(marker)] = value
    return fields
