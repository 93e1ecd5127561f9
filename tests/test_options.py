"""Options as they are stored, whole or damaged."""

from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.homeport.line import Ipv6Mode, LineMode, MapERule
from custom_components.homeport.options import LineOptions

RULE = {
    "rule_ipv6": "240b:10::/31",
    "rule_ipv4": "106.72.0.0/15",
    "rule_ea_length": 25,
    "rule_psid_offset": 4,
}
WHOLE: dict[str, Any] = {
    "echo_urls": ["https://a.example.net", "http://b.example.net/ip"],
    "stun_servers": ["stun.example.net", "[2001:db8::1]:3479"],
    "stun_minutes": 0,
    "prober_url": "https://c.example.net",
    "look_up_names": True,
    "look_behind": True,
    "line_mode": "ds_lite",
    "ipv6_mode": "ipoe",
    **RULE,
}


def test_whole() -> None:
    assert LineOptions.from_mapping(WHOLE) == LineOptions(
        echo_urls=("https://a.example.net", "http://b.example.net/ip"),
        stun_servers=("stun.example.net", "[2001:db8::1]:3479"),
        stun_minutes=0,
        prober_url="https://c.example.net",
        look_up_names=True,
        look_behind=True,
        line_mode=LineMode.DS_LITE,
        ipv6_mode=Ipv6Mode.IPOE,
        rule=MapERule.parse("240b:10::/31", "106.72.0.0/15", 25, 4),
    )


def test_nothing_set_means_that_nobody_is_asked() -> None:
    options = LineOptions.from_mapping({})
    assert (options.echo_urls, options.stun_servers, options.prober_url) == ((), (), None)
    assert (options.look_up_names, options.look_behind) == (False, False)
    assert options.stun_minutes == 5


DAMAGED: list[tuple[str, Any]] = [
    *((key, None) for key in WHOLE),
    *((key, {"a": 1}) for key in WHOLE),
    *((key, float("nan")) for key in WHOLE),
    ("echo_urls", "https://a.example.net"),
    ("echo_urls", ["ftp://a.example.net", 7, None, "https://[::1", "https://me:x@example.net"]),
    ("stun_servers", ["stun:stun.example.net", "", 3478, "stun.example.net:0"]),
    ("stun_minutes", -1),
    ("stun_minutes", 121),
    ("stun_minutes", True),
    ("stun_minutes", 5.5),
    ("prober_url", "c.example.net"),
    ("look_up_names", "yes"),
    ("look_behind", 1),
    ("line_mode", "automatic"),
    ("ipv6_mode", "ds_lite"),
    ("rule_ipv6", "240b:10::/65"),
    ("rule_ipv4", "106.72.0.1/15"),
    ("rule_ea_length", 60),
    ("rule_ea_length", "25"),
    ("rule_psid_offset", 9),
    ("rule_psid_offset", True),
]


@pytest.mark.parametrize(("key", "value"), DAMAGED)
def test_damaged_value_is_as_good_as_none(key: str, value: object) -> None:
    without = {each: WHOLE[each] for each in WHOLE if each != key}
    damaged = LineOptions.from_mapping(WHOLE | {key: value})
    assert damaged == LineOptions.from_mapping(without)


def test_good_entries_of_a_list_remain() -> None:
    urls = ["nonsense", *(f"https://{n}.example.net" for n in range(7)), "https://0.example.net"]
    options = LineOptions.from_mapping({"echo_urls": urls})
    assert options.echo_urls == tuple(f"https://{n}.example.net" for n in range(5))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), ANYTHING, max_size=12))
def test_any_options_can_be_read(stored: dict[str, Any]) -> None:
    options = LineOptions.from_mapping(stored)
    assert len(options.echo_urls) <= 5
    assert len(options.stun_servers) <= 5
    assert 0 <= options.stun_minutes <= 120
