"""What has to survive a restart survives it, and a damaged file takes nothing else down."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from homeassistant.core import HomeAssistant
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.homeport.gateway import Opening, Transport
from custom_components.homeport.store import HomeportStore, SeenTarget

ENTRY = "0123"
KEY = f"homeport.{ENTRY}"
OPENING = Opening(Transport.UDP, 18123, IPv4Address("192.168.1.10"), 8123, "Homeport 玄関")
CLOSES = datetime(2026, 11, 24, 12, tzinfo=UTC)
STORED: dict[str, Any] = {
    "protocol": "UDP",
    "external_port": 18123,
    "internal_client": "192.168.1.10",
    "internal_port": 8123,
    "description": "Homeport 玄関",
}


async def load(hass: HomeAssistant, hass_storage: dict[str, Any], data: object) -> HomeportStore:
    hass_storage[KEY] = {"version": 1, "minor_version": 1, "key": KEY, "data": data}
    return await HomeportStore.load(hass, ENTRY)


def is_empty(store: HomeportStore) -> bool:
    parts = store.wanted, store.closes, store.openings, store.hostnames, store.seen
    return not any(parts)


async def test_nothing_was_stored_yet(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    assert is_empty(await HomeportStore.load(hass, ENTRY))
    assert KEY not in hass_storage


async def test_everything_comes_back(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    store = await HomeportStore.load(hass, ENTRY)
    store.wanted |= {"b", "a"}
    store.closes["a"] = CLOSES
    store.openings |= {"a": OPENING, "b": replace(OPENING, protocol=Transport.TCP)}
    store.hostnames["h"] = {"sent": "11.22.33.44", "halted": None}
    store.seen["ipv4_changed"] = "11.22.33.44"
    store.targets["a"] = SeenTarget("nas.local", IPv4Address("192.168.1.20"))
    store.targets["b"] = SeenTarget("nas.local", None, IPv6Address("2400:1::20"))
    await store.save()
    again = await HomeportStore.load(hass, ENTRY)
    assert again.wanted == {"a", "b"}
    assert again.closes == {"a": CLOSES}
    assert again.openings == store.openings
    assert again.hostnames == store.hostnames
    assert again.seen == {"ipv4_changed": "11.22.33.44"}
    assert again.targets == store.targets


async def test_it_is_written_at_once_and_in_full(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    store = await HomeportStore.load(hass, ENTRY)
    store.openings["a"] = OPENING
    store.closes["a"] = CLOSES
    await store.save()
    assert hass_storage[KEY]["data"] == {
        "wanted": [],
        "closes": {"a": 1_795_521_600},
        "openings": {"a": STORED},
        "pinholes": {},
        "hostnames": {},
        "targets": {},
        "limits": {},
        "seen": {},
        "gateway": store.gateway.to_dict(),
    }
    store.openings.clear()
    await store.save()
    assert hass_storage[KEY]["data"]["openings"] == {}


async def test_two_entries_do_not_share_a_file(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    store = await HomeportStore.load(hass, ENTRY)
    store.wanted.add("a")
    await store.save()
    assert is_empty(await HomeportStore.load(hass, "4567"))


async def test_removing_deletes_the_file(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    store = await load(hass, hass_storage, {"wanted": ["a"]})
    assert store.wanted == {"a"}
    await store.remove()
    assert KEY not in hass_storage


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": "SCTP"},
        {"protocol": None},
        {"protocol": ["UDP"]},
        {"external_port": 0},
        {"external_port": -1},
        {"external_port": 65_536},
        {"external_port": "18123"},
        {"external_port": 18123.0},
        {"external_port": True},
        {"external_port": float("inf")},
        {"internal_port": 0},
        {"internal_port": None},
        {"internal_port": {}},
        {"internal_client": "router"},
        {"internal_client": 3_232_235_786},
        {"internal_client": "2001:db8::1"},
        {"internal_client": None},
    ],
)
async def test_an_opening_that_is_none_does_not_hide_the_others(
    hass: HomeAssistant, hass_storage: dict[str, Any], change: dict[str, Any]
) -> None:
    data = {"wanted": ["bad", "good"], "openings": {"bad": STORED | change, "good": STORED}}
    store = await load(hass, hass_storage, data)
    assert store.openings == {"good": OPENING}
    assert store.wanted == {"bad", "good"}


@pytest.mark.parametrize(
    "bad", [-1, 253_402_300_800, 10**30, 1.5, float("nan"), True, None, "1795521600", [], {}]
)
async def test_a_time_that_is_none_does_not_hide_the_others(
    hass: HomeAssistant, hass_storage: dict[str, Any], bad: object
) -> None:
    closes = {"bad": bad, "good": 1_795_521_600, "last": 253_402_300_799}
    store = await load(hass, hass_storage, {"closes": closes})
    assert set(store.closes) == {"good", "last"}
    assert store.closes["good"] == CLOSES


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "nas"},
        {"name": "nas", "ipv4": "nas", "ipv6": None},
        {"name": "nas", "ipv4": None, "ipv6": "192.168.1.20"},
        {"name": "nas", "ipv4": 5, "ipv6": []},
        ["name", "ipv4", "ipv6"],
        None,
    ],
)
async def test_a_target_that_is_none_does_not_hide_the_others(
    hass: HomeAssistant, hass_storage: dict[str, Any], bad: object
) -> None:
    good = {"name": "nas", "ipv4": "192.168.1.20", "ipv6": None}
    store = await load(hass, hass_storage, {"targets": {"bad": bad, "good": good}})
    assert store.targets == {"good": SeenTarget("nas", IPv4Address("192.168.1.20"))}


@pytest.mark.parametrize("missing", STORED)
async def test_an_opening_that_is_incomplete_is_none(
    hass: HomeAssistant, hass_storage: dict[str, Any], missing: str
) -> None:
    part = {name: value for name, value in STORED.items() if name != missing}
    store = await load(hass, hass_storage, {"openings": {"bad": part}})
    assert store.openings == {}


@pytest.mark.parametrize("data", [None, [], "text", 1, True, {}, {"else": 1}, {"wanted": {"a": 1}}])
async def test_a_file_without_sense_is_as_good_as_none(
    hass: HomeAssistant, hass_storage: dict[str, Any], data: object
) -> None:
    store = await load(hass, hass_storage, data)
    assert is_empty(store)
    store.wanted.add("a")
    await store.save()
    assert (await HomeportStore.load(hass, ENTRY)).wanted == {"a"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*STORED, "wanted", "closes", "openings"]), inner, max_size=5
        )
    ),
    max_leaves=10,
)
OPENINGS = st.dictionaries(
    st.text(max_size=3),
    JSON | st.fixed_dictionaries({name: JSON | st.just(good) for name, good in STORED.items()}),
)
DATA = JSON | st.fixed_dictionaries(
    {},
    optional={
        "wanted": JSON,
        "closes": JSON | st.dictionaries(st.text(max_size=3), JSON),
        "openings": JSON | OPENINGS,
        "hostnames": JSON,
        "seen": JSON,
        "targets": JSON,
    },
)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=DATA)
async def test_no_content_of_the_file_raises(
    hass: HomeAssistant, hass_storage: dict[str, Any], data: object
) -> None:
    store = await load(hass, hass_storage, data)
    for opening in store.openings.values():
        assert 0 < opening.external_port < 65_536
        assert 0 < opening.internal_port < 65_536
    assert all(isinstance(port, str) for port in store.wanted)
    assert all(isinstance(state, dict) for state in store.hostnames.values())
    assert all(isinstance(value, str) for value in store.seen.values())


async def test_a_hostname_without_a_state_does_not_hide_the_others(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    data = {"hostnames": {"a": {"sent": "11.22.33.44"}, "b": None, "c": [], "d": "halted"}}
    assert (await load(hass, hass_storage, data)).hostnames == {"a": {"sent": "11.22.33.44"}}
