"""The table of Japanese MAP-E rules: what it holds, and that each rule does what the RFC says."""

from collections import Counter
from datetime import date
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import pairwise
from random import Random
from timeit import repeat

import pytest

from custom_components.homeport.line.carriers import CARRIERS, Carrier, by_ipv6
from custom_components.homeport.line.mape import (
    MapE,
    MapERule,
    RuleConfidence,
    find_rule,
    find_rule_by_ipv4,
    load,
)
from custom_components.homeport.line.prefixes import PrefixTable

HIGH, MEDIUM, LOW = RuleConfidence.HIGH, RuleConfidence.MEDIUM, RuleConfidence.LOW
RULES = load().rules

A_HOME = IPv6Address("240b:10:3f6c:d400::1")


def test_the_rules_of_each_service_and_how_well_they_are_founded() -> None:
    counts = Counter((rule.carrier, rule.confidence) for rule in RULES)
    assert counts == {
        (Carrier.V6PLUS, HIGH): 4,
        (Carrier.BIGLOBE, MEDIUM): 258,
        (Carrier.OCN, HIGH): 116,
        (Carrier.OCN, MEDIUM): 44,
        (Carrier.NURO, MEDIUM): 4,
        (Carrier.NURO, LOW): 14,
    }


def test_the_table_says_of_when_it_is() -> None:
    assert load().date >= date(2026, 11, 24)
    assert load().version >= 1


def test_a_home_has_a_56_and_240_or_1008_ports() -> None:
    assert {rule.end_user_length for rule in RULES} == {56}
    shapes = Counter((rule.carrier, rule.offset, rule.psid_length) for rule in RULES)
    assert shapes == {
        (Carrier.V6PLUS, 4, 8): 4,
        (Carrier.BIGLOBE, 4, 8): 258,
        (Carrier.OCN, 6, 6): 160,
        (Carrier.NURO, 4, 8): 18,
    }
    counts = {carrier: len(home_of(carrier).port_set) for carrier in {rule[0] for rule in shapes}}
    assert counts.pop(Carrier.OCN) == 1008
    assert set(counts.values()) == {240}


def home_of(carrier: Carrier | None) -> MapE:
    rule = next(rule for rule in RULES if rule.carrier is carrier)
    found = MapE.from_ipv6(rule.ipv6[7])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("ipv6", "ipv4"),
    [
        # The sources contradict each other; these are the ones that are networks at all.
        ("240d:f:a000::/36", "219.105.32.0/20"),
        ("240d:f:d000::/36", "219.105.80.0/20"),
    ],
)
def test_disputed_rules_are_marked(ipv6: str, ipv4: str) -> None:
    rule = find_rule(IPv6Network(ipv6)[1])
    assert rule is not None
    assert (rule.ipv6, rule.ipv4) == (IPv6Network(ipv6), IPv4Network(ipv4))
    assert rule.confidence is LOW


@pytest.mark.parametrize("family", ["ipv6", "ipv4"])
def test_no_two_rules_overlap(family: str) -> None:
    networks: list[IPv4Network | IPv6Network] = sorted(getattr(rule, family) for rule in RULES)
    assert not any(before.overlaps(after) for before, after in pairwise(networks))


def test_a_rule_is_in_a_block_of_its_carrier() -> None:
    blocks = {facts.carrier: facts.blocks for facts in CARRIERS}
    for rule in RULES:
        assert rule.carrier is not None
        assert any(rule.ipv6.subnet_of(IPv6Network(block)) for block in blocks[rule.carrier])
        assert by_ipv6(rule.ipv6[1]) is rule.carrier


def expected(ip: IPv4Address | IPv6Address) -> MapERule | None:
    """Return the rule of an address, found by looking at them all."""
    inside = [rule for rule in RULES if ip in (rule.ipv6 if ip.version == 6 else rule.ipv4)]
    assert len(inside) < 2
    return inside[0] if inside else None


def test_every_rule_begins_and_ends_where_it_says() -> None:
    for rule in RULES:
        first, last = rule.ipv6[0], rule.ipv6[-1]
        assert find_rule(first) is rule
        assert find_rule(last) is rule
        for beside in (first - 1, last + 1):
            assert find_rule(beside) is expected(beside) is not rule
        lowest, highest = rule.ipv4[0], rule.ipv4[-1]
        assert find_rule_by_ipv4(lowest) is rule
        assert find_rule_by_ipv4(highest) is rule
        for near in (lowest - 1, highest + 1):
            assert find_rule_by_ipv4(near) is expected(near) is not rule


@cache
def port_sets(offset: int, psid_length: int) -> dict[str, tuple[int, ...]]:
    """Return the ports of each PSID, read off their digits (RFC 7597 section 5.1, figure 2)."""
    found: dict[str, list[int]] = {}
    for port in range(1 << 16):
        digits = f"{port:016b}"
        if "1" in digits[:offset]:
            found.setdefault(digits[offset : offset + psid_length], []).append(port)
    return {psid: tuple(ports) for psid, ports in found.items()}


def by_the_rfc(rule: MapERule, ip: IPv6Address) -> tuple[str, str, tuple[int, ...]]:
    """Return the digits of the IPv4 address and of the PSID, and the ports.

    RFC 7597 section 5.2, figure 6: the EA bits stand behind the rule's prefix, and are the suffix
    of the IPv4 address and then the PSID.
    """
    address, prefix = f"{int(ip):0128b}", f"{int(rule.ipv4.network_address):032b}"
    ea = address[rule.ipv6.prefixlen :][: rule.ea_length]
    prefix = prefix[: rule.ipv4.prefixlen]
    suffix, psid = ea[: 32 - len(prefix)], ea[32 - len(prefix) :]
    return prefix + suffix, psid, port_sets(rule.offset, len(psid))[psid]


def test_each_rule_does_what_the_rfc_says() -> None:
    random = Random(7597)
    for rule in RULES:
        for _ in range(20):
            ip = IPv6Address(int(rule.ipv6[0]) | random.getrandbits(128 - rule.ipv6.prefixlen))
            found = MapE.from_ipv6(ip)
            assert found is not None
            assert found.rule is rule
            ipv4, psid, ports = by_the_rfc(rule, ip)
            assert found.ipv4 == IPv4Address(int(ipv4, 2))
            assert found.psid == int(psid, 2)
            assert found.carrier is rule.carrier
            ranges = found.port_set.ranges()
            assert tuple(port for a, b in ranges for port in range(a, b + 1)) == ports
            assert find_rule_by_ipv4(found.ipv4) is rule
            for address in (found.ce_address, found.ce_address_rfc7597):
                assert MapE.from_ce_address(address) == found


def test_any_address_of_a_home_gives_the_same() -> None:
    """The router, a host in another subnet, and a temporary address are all in the /56."""
    random = Random(56)
    for rule in RULES:
        home = IPv6Address(int(rule.ipv6[0]) | random.getrandbits(128 - rule.ipv6.prefixlen))
        prefix = int(home) >> 72 << 72
        found = {MapE.from_ipv6(IPv6Address(prefix | random.getrandbits(72))) for _ in range(5)}
        assert found == {MapE.from_ipv6(home)}


def test_two_homes_never_have_the_same_port() -> None:
    """Neighbours by prefix share an address and have other ports, or have another address."""
    random = Random(2)
    for rule in RULES:
        start = int(rule.ipv6[0]) | random.getrandbits(56 - rule.ipv6.prefixlen) << 72
        homes = [MapE.from_ipv6(IPv6Address(start ^ each << 72)) for each in range(4)]
        owned = [(home.ipv4, home.psid) for home in homes if home]
        assert len(set(owned)) == 4


def test_the_longest_prefix_decides() -> None:
    table = PrefixTable(
        [(IPv6Network("2001:db8::/32"), "wide"), (IPv6Network("2001:db8:1::/48"), "narrow")]
    )
    assert table.find(IPv6Address("2001:db8:1::1")) == "narrow"
    assert table.find(IPv6Address("2001:db8:2::1")) == "wide"
    assert table.find(IPv6Address("2001:db9::1")) is None


def test_looking_a_rule_up_and_reading_the_table_takes_no_time_to_speak_of() -> None:
    assert min(repeat(load.__wrapped__, number=1, repeat=9)) < 0.015
    assert min(repeat(lambda: find_rule(A_HOME), number=1000, repeat=9)) / 1000 < 5e-6
