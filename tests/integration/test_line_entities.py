"""What the entities of the line show of a report."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.homeport.line import (
    Carrier,
    Confidence,
    Ipv6Mode,
    LineMode,
    LineReport,
    MtuEvidence,
    Openable,
    PortSet,
    Reason,
    Remedy,
)
from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.reported import report
from tests.integration.shared_line import SharedLine
from tests.integration.steps import (
    entity_of,
    fails,
    later,
    opened,
    port,
    state_of,
    switch,
    until,
)

MAP_E = LineReport(
    mode=LineMode.MAP_E,
    confidence=Confidence.CERTAIN,
    ipv6_mode=Ipv6Mode.IPOE,
    ipv6_confidence=Confidence.LIKELY,
    ipv4_openable=Openable.PORT_SET,
    ipv6_openable=Openable.ALL,
    port_set=PortSet(4, 8, 0x34),
    carrier=Carrier.V6PLUS,
    carrier_confidence=Confidence.CERTAIN,
    internet=True,
    second_nat=False,
    public_ipv4=IPv4Address("106.73.2.1"),
    public_ipv6=IPv6Address("240b:10:1234:5600::1"),
    ipv6_prefix=IPv6Network("240b:10:1234:5600::/64"),
    reasons=(Reason.COMPUTED_MATCHES, Reason.MTU_OF_TUNNEL),
    remedies=(Remedy.CHECK_A_PORT,),
)


def attributes(hass: HomeAssistant, entry: Any, key: str) -> dict[str, Any]:
    """Return the attributes of an entity of the line."""
    state = hass.states.get(entity_of(hass, entry, key))
    assert state
    return dict(state.attributes)


async def test_all_of_a_report_is_shown(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up()
    await report(hass, entry, monkeypatch, MAP_E)
    shown = {
        key: state_of(hass, entry, key)
        for key in (
            *("public_ipv4", "public_ipv6", "line_mode", "ipv6_mode", "carrier", "openable_ports"),
            *("internet", "ipv4_openable", "ipv6_openable", "second_nat"),
        )
    }
    assert shown == {
        "public_ipv4": "106.73.2.1",
        "public_ipv6": "240b:10:1234:5600::1",
        "line_mode": "map_e",
        "ipv6_mode": "ipoe",
        "carrier": "v6plus",
        "openable_ports": "240",
        "internet": "on",
        "ipv4_openable": "on",
        "ipv6_openable": "on",
        "second_nat": "off",
    }
    why = attributes(hass, entry, "line_mode")
    assert (why["confidence"], why["overridden"]) == ("certain", False)
    assert why["reasons"] == ["computed_matches", "mtu_of_tunnel"]
    assert why["remedies"] == ["check_a_port"]
    assert attributes(hass, entry, "ipv6_mode")["confidence"] == "likely"
    assert attributes(hass, entry, "carrier")["confidence"] == "certain"
    ranges = attributes(hass, entry, "openable_ports")["ranges"]
    assert (len(ranges), ranges[0], ranges[-1]) == (15, "4928-4943", "62272-62287")
    assert attributes(hass, entry, "openable_ports")["unit_of_measurement"] == "ports"
    assert attributes(hass, entry, "ipv4_openable")["openable"] == "port_set"
    assert attributes(hass, entry, "second_nat")["device_class"] == "problem"


OPENABLE = [
    (Openable.ALL, None, "65535", "on"),
    (Openable.PORT_SET, PortSet(4, 8, 0), "240", "on"),
    (Openable.AFTER_SECOND_ROUTER, PortSet(4, 8, 0), "240", "on"),
    (Openable.AFTER_SECOND_ROUTER, None, "unknown", "on"),
    (Openable.NONE, None, "0", "off"),
    (Openable.UNKNOWN, None, "unknown", "unknown"),
    (Openable.UNKNOWN, PortSet(4, 8, 0), "unknown", "unknown"),
]


async def test_what_can_be_opened(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up()
    for openable, port_set, number, can in OPENABLE:
        line = LineReport(ipv4_openable=openable, ipv6_openable=openable, port_set=port_set)
        await report(hass, entry, monkeypatch, line)
        assert (openable, state_of(hass, entry, "openable_ports")) == (openable, number)
        for key in "ipv4_openable", "ipv6_openable":
            assert (openable, state_of(hass, entry, key)) == (openable, can)
            assert attributes(hass, entry, key)["openable"] == openable.value
        assert ("ranges" in attributes(hass, entry, "openable_ports")) is (port_set is not None)


async def test_what_is_not_known_is_unknown(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up()
    await report(hass, entry, monkeypatch, LineReport())
    keys = (
        *("public_ipv4", "public_ipv6", "line_mode", "ipv6_mode", "carrier", "openable_ports"),
        *("internet", "ipv4_openable", "ipv6_openable", "second_nat"),
    )
    for key in keys:
        assert (key, state_of(hass, entry, key)) == (key, "unknown")
    assert attributes(hass, entry, "line_mode")["reasons"] == []


async def test_path_mtu_is_there_for_who_wants_it(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    registry = er.async_get(hass)
    for key in "path_mtu_ipv4", "path_mtu_ipv6":
        registered = registry.async_get(entity_of(hass, entry, key))
        assert registered
        assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        assert registered.entity_category == "diagnostic"
        registry.async_update_entity(registered.entity_id, disabled_by=None)
    await later(hass, seconds=31)  # Home Assistant itself reloads after half a minute
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
    line = entry.runtime_data.line
    line.evidence = replace(line.evidence, mtu=MtuEvidence(ipv4=1454))
    line.async_update_listeners()
    assert state_of(hass, entry, "path_mtu_ipv4") == "1454"
    assert attributes(hass, entry, "path_mtu_ipv4")["unit_of_measurement"] == "B"
    assert state_of(hass, entry, "path_mtu_ipv6") == "unknown"


async def test_event(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    assert state_of(hass, entry, "address") == "unknown"
    await home.set_wan_address("11.22.33.55")
    await until(lambda: state_of(hass, entry, "address") != "unknown")
    told = attributes(hass, entry, "address")
    assert (told["event_type"], told["old"], told["new"]) == (
        "ipv4_changed",
        "11.22.33.44",
        "11.22.33.55",
    )
    assert told["event_types"] == [
        "ipv4_changed",
        "ipv6_changed",
        "ipv6_prefix_changed",
        "line_changed",
    ]
    # The same again is no event.
    happened = state_of(hass, entry, "address")
    await entry.runtime_data.line.async_detect()
    assert state_of(hass, entry, "address") == happened


async def test_every_kind_of_event(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up()
    await report(hass, entry, monkeypatch, MAP_E)
    told = []
    entity = entity_of(hass, entry, "address")

    def last() -> object:
        state = hass.states.get(entity)
        return state and state.attributes.get("new")

    await until(lambda: last() == "map_e")
    hass.bus.async_listen("state_changed", lambda event: told.append(event.data))
    moved = replace(
        MAP_E,
        mode=LineMode.DS_LITE,
        public_ipv4=IPv4Address("106.73.2.2"),
        public_ipv6=IPv6Address("240b:10:1234:5700::1"),
        ipv6_prefix=IPv6Network("240b:10:1234:5700::/64"),
    )
    await report(hass, entry, monkeypatch, moved)
    await until(lambda: sum(each["entity_id"] == entity for each in told) == 4)
    # An automation that waits for another state must hear of each.
    assert len({each["new_state"].state for each in told if each["entity_id"] == entity}) == 4
    events = {
        each["new_state"].attributes["event_type"]: (
            each["new_state"].attributes["old"],
            each["new_state"].attributes["new"],
        )
        for each in told
        if each["entity_id"] == entity
    }
    assert events == {
        "ipv4_changed": ("106.73.2.1", "106.73.2.2"),
        "ipv6_changed": ("240b:10:1234:5600::1", "240b:10:1234:5700::1"),
        "ipv6_prefix_changed": ("240b:10:1234:5600::/64", "240b:10:1234:5700::/64"),
        "line_changed": ("map_e", "ds_lite"),
    }


async def test_button_looks_anew(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    entry = await set_up(stun_servers=[shared.server])
    await shared.recognised(hass, entry)
    shared.psid = 0x80
    entity = {"entity_id": entity_of(hass, entry, "detect_line")}
    await hass.services.async_call("button", "press", entity, blocking=True)
    assert attributes(hass, entry, "openable_ports")["ranges"][0] == "6144-6159"


CLOSED = [LineMode.DS_LITE, LineMode.CGNAT, LineMode.NAT64, LineMode.NONE]


async def test_switch_says_why_nothing_can_be_opened(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = port(home)
    entry = await set_up(game)
    for mode in CLOSED:
        # Sure or not: that nothing can be opened is only said where it is sure.
        line = LineReport(mode=mode, confidence=Confidence.POSSIBLE, ipv4_openable=Openable.NONE)
        await report(hass, entry, monkeypatch, line)
        with fails(f"line_{mode}", ServiceValidationError):
            await switch(hass, entry, game, "on")
        guess = replace(line, ipv4_openable=Openable.UNKNOWN)
        await report(hass, entry, monkeypatch, guess)
        await opened(hass, entry, game)
        await switch(hass, entry, game, "off")
