"""What is shown of the line, and how it follows the router."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import (
    DEADLINE,
    entity_of,
    hostname,
    later,
    readings,
    sent,
    state_of,
    until,
)

WAN_SENSORS = "wan_address", "wan_address_kind"


@pytest.fixture
def patient_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the echo be asked as often as a test has something to ask."""
    monkeypatch.setattr("custom_components.homeport.coordinator.lookout._BURST", 1000)


async def with_wan_sensors(hass: HomeAssistant, set_up: SetUp) -> MockConfigEntry:
    """Return an entry whose disabled sensors are enabled."""
    entry = await set_up()
    registry = er.async_get(hass)
    for key in WAN_SENSORS:
        entity = entity_of(hass, entry, key)
        registered = registry.async_get(entity)
        assert registered is not None
        assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        registry.async_update_entity(entity, disabled_by=None)
    await later(hass, seconds=31)  # Home Assistant itself reloads after half a minute
    await until(lambda: state_of(hass, entry, "wan_address_kind") == "global")
    return entry


KINDS = [
    ("192.168.0.2", "private", "private_wan"),
    ("10.1.2.3", "private", "private_wan"),
    ("100.64.0.9", "shared", "cgnat"),
    ("192.0.0.2", "service_continuity", "ds_lite"),
    ("169.254.7.7", "link_local", "unknown"),
    ("198.51.100.7", "documentation", "unknown"),
    ("", "none", "unknown"),
    ("0.0.0.0", "none", "unknown"),
    ("dunno", "none", "unknown"),
    ("11.22.33.44", "global", "public"),
]


async def test_kinds(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, patient_echo: None
) -> None:
    entry = await with_wan_sensors(hass, set_up)
    for address, kind, mode in KINDS:
        await home.igd.set_wan_address(address)
        shown = address if kind != "none" else "unknown"
        await until(lambda at=shown: state_of(hass, entry, "wan_address") == at, address)
        await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
        assert state_of(hass, entry, "wan_address_kind") == kind
        await until(lambda mode=mode: state_of(hass, entry, "line_mode") == mode, address)


async def test_no_wan_sensors_without_a_gateway(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up(gateway=False)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    keys = {each.unique_id.removeprefix(f"{entry.entry_id}_") for each in entities}
    assert "public_ipv4" in keys
    assert not [key for key in keys if key.startswith("wan_")]
    assert state_of(hass, entry, "internet") == "on"
    assert state_of(hass, entry, "line_mode") == "unknown"


async def test_device_is_named_after_the_router(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.name == "Internet line"
    assert (device.manufacturer, device.model) == ("Homeport", "Demo router")
    assert device.configuration_url == f"{home.igd.url}/"


async def test_internet(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    assert state_of(hass, entry, "internet") == "on"

    home.outside.down = home.stun.down = True
    await home.igd.set_connection_status("Disconnected")
    await home.igd.set_wan_address("")
    await until(lambda: state_of(hass, entry, "internet") == "off")
    await until(lambda: state_of(hass, entry, "line_mode") == "offline")
    assert state_of(hass, entry, "public_ipv4") == "unknown"

    home.outside.down = home.stun.down = False
    await home.igd.set_connection_status("Connected")
    await home.igd.set_wan_address("11.22.33.44")
    await until(lambda: state_of(hass, entry, "internet") == "on")
    await until(lambda: state_of(hass, entry, "line_mode") == "public")


async def test_internet_is_unknown_where_evidence_disagrees(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    home.outside.down = True
    entry = await set_up(wait=False, stun_servers=[])
    await until(lambda: state_of(hass, entry, "line_mode") == "public")
    await until(lambda: "No address echo answers" in caplog.text)
    assert state_of(hass, entry, "internet") == "unknown"
    assert state_of(hass, entry, "public_ipv4") == "unknown"


NONSENSE = [
    Reply.html_error(200),
    Reply.html_error(502),
    Reply(body="192.168.1.1"),
    Reply(body="100.64.0.1"),
    Reply(body="2001:db8::1"),
    Reply(body='{"ip":7}'),
    Reply(body='{"ip'),
    Reply(body='{"ip":"127.0.0.1"}'),
    Reply.redirect("http://127.0.0.1:1/"),
    Reply.huge(100_000),
    Reply(drop=True),
]


async def test_nonsense_of_the_echo(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    patient_echo: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = await set_up(stun_servers=[])
    line = entry.runtime_data.line
    for reply in NONSENSE:
        home.outside.echo = reply
        await line.async_detect()
        assert state_of(hass, entry, "public_ipv4") == "unknown", reply
        assert state_of(hass, entry, "line_mode") == "public"
    assert caplog.text.count("No address echo answers") == 1

    home.outside.echo = None
    await line.async_detect()
    assert state_of(hass, entry, "public_ipv4") == "11.22.33.44"
    assert caplog.text.count("The address echoes answer again") == 1


def polls_every(entry: MockConfigEntry) -> float:
    """Return the seconds between two readings without an event."""
    return float(entry.runtime_data.line.update_interval.total_seconds())


async def test_event_is_followed(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    name = hostname(home)
    entry = await set_up(name)
    await until(lambda: state_of(hass, entry, "status", name) == "ok")
    assert polls_every(entry) > DEADLINE
    await home.set_wan_address("11.22.33.55")
    await until(lambda: home.dyndns2.records[home.facts.hostname] == {"A": "11.22.33.55"})
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.55")


async def test_forged_event_changes_nothing(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    name = hostname(home)
    entry = await set_up(name)
    await until(lambda: state_of(hass, entry, "status", name) == "ok")
    read = len(sent(home, "GetExternalIPAddress"))
    # Whoever knows the subscription can send one; here the router itself lies in it.
    evented = {"ExternalIPAddress": "66.66.66.66", "ConnectionStatus": "Disconnected"}
    home.igd._service("connection")._evented = lambda: evented
    await home.igd.changed()
    await until(lambda: len(sent(home, "GetExternalIPAddress")) > read)
    await readings(hass, entry, home)
    assert state_of(hass, entry, "public_ipv4") == "11.22.33.44"
    assert state_of(hass, entry, "internet") == "on"
    assert state_of(hass, entry, "line_mode") == "public"
    assert home.dyndns2.records == {home.facts.hostname: {"A": "11.22.33.44"}}
    assert len(home.dyndns2.requests) == 1


async def test_flood_of_events_is_not_followed_one_by_one(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    reads = entry.runtime_data.line.reads
    for _ in range(50):
        await home.igd.changed()
    assert entry.runtime_data.line.reads - reads <= 10
    await home.set_wan_address("11.22.33.55")
    await until(lambda: entry.runtime_data.line.data.wan_ipv4 is not None)
    await until(lambda: str(entry.runtime_data.line.data.wan_ipv4) == "11.22.33.55")


async def test_poll_finds_what_no_event_told(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    home.igd.events = Reply.html_error(503)
    entry = await set_up(wait=False)
    await until(lambda: state_of(hass, entry, "line_mode") == "public")
    home.igd._router.wan_address = "100.64.0.9"
    assert polls_every(entry) == 60
    await later(hass, seconds=61)
    await until(lambda: state_of(hass, entry, "line_mode") == "cgnat")


async def test_echo_does_not_put_off_the_poll(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    line = entry.runtime_data.line
    await until(lambda: line._unsub_refresh)
    due = line._unsub_refresh
    hass.config_entries.async_update_entry(entry, options={})
    await until(lambda: state_of(hass, entry, "public_ipv4") == "unknown")
    assert line._unsub_refresh is due
