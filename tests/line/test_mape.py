"""What follows from a home's IPv6 address is what the rules and known lines say."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network
import json
from pathlib import Path
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.line.carriers import Carrier
from custom_components.homeport.line.mape import (
    InvalidRule,
    MapE,
    MapERule,
    RuleConfidence,
    find_rule,
)
from custom_components.homeport.line.portset import PortSet
from tests.fuzz import fuzz

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data/mape_vectors.json").read_text(encoding="utf-8")
)["vectors"]


def rule_of(vector: dict[str, Any]) -> MapERule:
    ipv6, ipv4, ea_length = vector["rule"]
    return MapERule.parse(ipv6, ipv4, ea_length, vector["offset"])


def addresses(vector: dict[str, Any]) -> list[IPv6Address]:
    """Return some addresses of the home that a vector is about."""
    first = IPv6Network(vector["prefix"], strict=False).network_address
    return [first, first + 1, first + 0x0211_22FF_FE33_4455]


@pytest.mark.parametrize("vector", [pytest.param(each, id=each["id"]) for each in VECTORS])
def test_the_ports_of_known_homes(vector: dict[str, Any]) -> None:
    ports = PortSet(vector["offset"], vector["psid_length"], vector["psid"])
    ranges = [list(each) for each in ports.ranges()]
    assert (ranges[0], ranges[-1]) == (vector["first"], vector["last"])
    assert len(ports) == vector["count"]


@pytest.mark.parametrize(
    "vector", [pytest.param(each, id=each["id"]) for each in VECTORS if "rule" in each]
)
def test_the_address_of_known_homes(vector: dict[str, Any]) -> None:
    own = None if vector["carrier"] else rule_of(vector)
    for ipv6 in addresses(vector):
        found = MapE.from_ipv6(ipv6, own)
        assert found is not None
        assert found.carrier == vector["carrier"]
        assert found.ipv4 == IPv4Address(vector["ipv4"])
        assert found.psid == vector["psid"]
        assert found.port_set == PortSet(vector["offset"], vector["psid_length"], vector["psid"])
        assert (found.rule.ipv6, found.rule.ipv4, found.rule.ea_length, found.rule.offset) == (
            rule_of(vector).ipv6,
            rule_of(vector).ipv4,
            rule_of(vector).ea_length,
            vector["offset"],
        )


@pytest.mark.parametrize(
    "vector", [pytest.param(each, id=each["id"]) for each in VECTORS if "ce" in each]
)
def test_the_tunnel_address_of_known_homes_to_and_fro(vector: dict[str, Any]) -> None:
    own = None if vector["carrier"] else rule_of(vector)
    address = IPv6Address(vector["ce_address"])
    found = MapE.from_ipv6(addresses(vector)[1], own)
    assert found is not None
    form = {"draft": found.ce_address, "standard": found.ce_address_rfc7597}[vector["ce"]]
    assert form == address
    assert MapE.from_ce_address(address, own) == found


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("240b:10:3f6c:d400::1", id="a host's address"),
        pytest.param("240b:10:3f6c:d400:6a:483f:6c00:d500", id="another PSID"),
        pytest.param("240b:10:3f6c:d400:6a:483f:6d00:d400", id="another IPv4 address"),
        pytest.param("240b:10:3f6c:d400:6a:483f:6c00:d401", id="something in the last byte"),
        pytest.param("240b:10:3f6c:d400:16a:483f:6c00:d400", id="something in the first byte"),
        pytest.param("240b:10:3f6c:d401:6a:483f:6c00:d400", id="another subnet"),
        pytest.param("2a00:10:3f6c:d400:6a:483f:6c00:d400", id="no rule"),
        pytest.param("::", id="nothing"),
    ],
)
def test_what_is_no_tunnel_address_is_not_taken_for_one(text: str) -> None:
    assert MapE.from_ce_address(IPv6Address(text)) is None


def test_both_forms_of_a_tunnel_address_say_the_same() -> None:
    draft = MapE.from_ce_address(IPv6Address("240b:10:3f6c:d400:6a:483f:6c00:d400"))
    standard = MapE.from_ce_address(IPv6Address("240b:10:3f6c:d400:0:6a48:3f6c:d4"))
    assert draft == standard
    assert draft is not None
    assert (draft.ipv4, draft.psid) == (IPv4Address("106.72.63.108"), 212)


def test_the_prefix_is_the_home_s_own() -> None:
    found = MapE.from_ipv6(IPv6Address("240b:10:3f6c:d4ab:1:2:3:4"))
    assert found is not None
    assert found.prefix == IPv6Network("240b:10:3f6c:d400::/56")


OWN = MapERule.parse("240b:10::/32", "198.51.100.0/24", 16, 6)


def test_a_rule_of_the_user_wins_where_it_holds() -> None:
    inside, outside = IPv6Address("240b:10:3f6c:d400::1"), IPv6Address("240b:12:a1b2:c3ff::1")
    found = MapE.from_ipv6(inside, OWN)
    assert found is not None
    assert (found.rule, found.carrier, found.ipv4) == (OWN, None, IPv4Address("198.51.100.63"))
    assert found.psid == 0x6C
    found = MapE.from_ipv6(outside, OWN)
    assert found is not None
    assert (found.carrier, found.ipv4) == (Carrier.V6PLUS, IPv4Address("14.8.161.178"))


def test_no_rule_for_an_address_no_result() -> None:
    assert MapE.from_ipv6(IPv6Address("2a00:77::1")) is None
    assert MapE.from_ipv6(IPv6Address("2a00:77::1"), OWN) is None


def test_an_address_that_is_not_shared_has_all_ports() -> None:
    rule = MapERule.parse("2001:db8::/32", "198.51.100.0/24", 8, 6)
    found = MapE.from_ipv6(IPv6Address("2001:db8:4200::1"), rule)
    assert found is not None
    assert (found.ipv4, found.psid) == (IPv4Address("198.51.100.66"), 0)
    assert len(found.port_set) == 65535
    # RFC 7597 section 5.2: without EA bits the rule itself holds the whole address.
    found = MapE.from_ipv6(
        IPv6Address("2001:db8:0:1::9"), MapERule.parse("2001:db8:0:1::/64", "198.51.100.7/32", 0, 6)
    )
    assert found is not None
    assert (found.ipv4, len(found.port_set)) == (IPv4Address("198.51.100.7"), 65535)


@pytest.mark.parametrize(
    ("ipv6", "ipv4", "ea_length", "offset", "key"),
    [
        pytest.param("", "198.51.100.0/24", 16, 6, "ipv6_prefix", id="no IPv6 prefix"),
        pytest.param("home", "198.51.100.0/24", 16, 6, "ipv6_prefix", id="not an address"),
        pytest.param("2001:db8::", "198.51.100.0/24", 16, 6, "ipv6_prefix", id="no length"),
        pytest.param("2001:db8::/", "198.51.100.0/24", 16, 6, "ipv6_prefix", id="empty length"),
        pytest.param("2001:db8::/129", "198.51.100.0/24", 16, 6, "ipv6_prefix", id="length 129"),
        pytest.param("2001:db8::1/40", "198.51.100.0/24", 16, 6, "ipv6_prefix", id="host bits"),
        pytest.param("2001:db8::/65", "198.51.100.0/24", 16, 6, "ipv6_prefix", id="beyond /64"),
        pytest.param("fe80::%eth0/40", "198.51.100.0/24", 16, 6, "ipv6_prefix", id="a zone"),
        pytest.param("198.51.100.0/24", "198.51.100.0/24", 16, 6, "ipv6_prefix", id="IPv4"),
        pytest.param("2001:db8::/40", "", 16, 6, "ipv4_prefix", id="no IPv4 prefix"),
        pytest.param("2001:db8::/40", "198.51.100.0", 16, 6, "ipv4_prefix", id="no IPv4 length"),
        pytest.param("2001:db8::/40", "198.51.100.1/24", 16, 6, "ipv4_prefix", id="IPv4 host bits"),
        pytest.param("2001:db8::/40", "198.51.100.0/33", 16, 6, "ipv4_prefix", id="IPv4 length 33"),
        pytest.param("2001:db8::/40", "198.51.100/24", 16, 6, "ipv4_prefix", id="three parts"),
        pytest.param(
            "2001:db8::/40", "198.51.100.0/255.255.255.0", 16, 6, "ipv4_prefix", id="a netmask"
        ),
        pytest.param("2001:db8::/40", "2001:db8::/40", 16, 6, "ipv4_prefix", id="IPv6"),
        pytest.param("2001:db8::/40", "198.51.100.0/24", -1, 6, "ea_length", id="EA below 0"),
        pytest.param("2001:db8::/40", "198.51.100.0/24", 7, 6, "ea_length", id="EA too short"),
        pytest.param("2001:db8::/40", "198.51.100.0/24", 25, 6, "ea_length", id="EA beyond /64"),
        pytest.param("2001:db8::/40", "198.51.100.0/24", 24, 0, "ea_length", id="a port each"),
        pytest.param("2001::/16", "0.0.0.0/0", 48, 0, "ea_length", id="PSID of 16 bits"),
        pytest.param("2000::/12", "0.0.0.0/0", 49, 0, "ea_length", id="EA of 49 bits"),
        pytest.param("2001:db8::/40", "198.51.100.0/24", 16, -1, "psid_offset", id="below 0"),
        pytest.param("2001:db8::/40", "198.51.100.0/24", 16, 9, "psid_offset", id="no bits left"),
        pytest.param("2001:db8::/40", "198.51.100.0/24", 8, 16, "psid_offset", id="offset 16"),
    ],
)
def test_a_rule_that_cannot_be_one_is_refused_with_the_part_that_is_wrong(
    ipv6: str, ipv4: str, ea_length: int, offset: int, key: str
) -> None:
    with pytest.raises(InvalidRule) as caught:
        MapERule.parse(ipv6, ipv4, ea_length, offset)
    assert caught.value.translation_key == f"invalid_{key}"


def test_a_rule_of_the_user_as_it_is_typed() -> None:
    rule = MapERule.parse(" 2001:DB8:0::/40 ", "198.51.100.0/24\n", 16, 6)
    assert rule.ipv6 == IPv6Network("2001:db8::/40")
    assert (rule.suffix_length, rule.psid_length, rule.end_user_length) == (8, 8, 56)
    assert (rule.carrier, rule.confidence) == (None, RuleConfidence.HIGH)


RULE_TEXT = st.text(max_size=60) | st.text("0123456789abcdef:./%", max_size=50)


@fuzz
@given(RULE_TEXT, RULE_TEXT, st.integers(-5, 70), st.integers(-5, 20))
def test_any_text_is_a_rule_or_refused(ipv6: str, ipv4: str, ea_length: int, offset: int) -> None:
    for first, second in ((ipv6, ipv4), (ipv6, "198.51.100.0/24"), ("2001:db8::/40", ipv4)):
        with suppress(InvalidRule):
            rule = MapERule.parse(first, second, ea_length, offset)
            found = MapE.from_ipv6(rule.ipv6.network_address, rule)
            assert found is not None
            assert len(found.port_set) > 0


@fuzz
@given(st.integers(0, (1 << 128) - 1).map(IPv6Address))
def test_any_address_has_a_rule_or_none(ipv6: IPv6Address) -> None:
    rule = find_rule(ipv6)
    assert rule is None or ipv6 in rule.ipv6
