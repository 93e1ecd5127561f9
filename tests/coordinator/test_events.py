"""What automations are told of, and what not."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest

from custom_components.homeport.coordinator.events import AddressEvent, changes
from custom_components.homeport.line import Confidence, LineMode, LineReport

A, B = IPv4Address("11.22.33.44"), IPv4Address("11.22.33.55")
V6A, V6B = IPv6Address("2a00:77:77:1::10"), IPv6Address("2a00:77:77:1::20")
NEW_V6 = IPv6Address("2a00:77:77:2::10")
PREFIX, NEW_PREFIX = IPv6Network("2a00:77:77:1::/64"), IPv6Network("2a00:77:77:2::/64")
SEEN = {
    "ipv4_changed": str(A),
    "ipv6_changed": str(V6A),
    "ipv6_prefix_changed": str(PREFIX),
    "line_changed": "public",
}
SURE, GUESS = Confidence.CERTAIN, Confidence.POSSIBLE

SITUATIONS: dict[str, tuple[dict[str, str], LineReport, list[AddressEvent]]] = {
    "nothing was known before": ({}, LineReport(public_ipv4=A, public_ipv6=V6A), []),
    "nothing is known now": (SEEN, LineReport(), []),
    "all is as it was": (
        SEEN,
        LineReport(
            public_ipv4=A,
            public_ipv6=V6A,
            ipv6_prefix=PREFIX,
            mode=LineMode.PUBLIC,
            confidence=SURE,
        ),
        [],
    ),
    "another IPv4": (
        SEEN,
        LineReport(public_ipv4=B),
        [AddressEvent("ipv4_changed", str(A), str(B))],
    ),
    "what is confirmed counts, not what is seen": (
        SEEN,
        LineReport(public_ipv4=B, confirmed_ipv4=A),
        [],
    ),
    "another address in the same link": (
        SEEN,
        LineReport(public_ipv6=V6B, ipv6_prefix=PREFIX),
        [AddressEvent("ipv6_changed", str(V6A), str(V6B))],
    ),
    "another prefix": (
        SEEN,
        LineReport(public_ipv6=NEW_V6, ipv6_prefix=NEW_PREFIX),
        [
            AddressEvent("ipv6_prefix_changed", str(PREFIX), str(NEW_PREFIX)),
            AddressEvent("ipv6_changed", str(V6A), str(NEW_V6)),
        ],
    ),
    "another line": (
        SEEN,
        LineReport(mode=LineMode.CGNAT, confidence=SURE),
        [AddressEvent("line_changed", "public", "cgnat")],
    ),
    "another line, perhaps": (SEEN, LineReport(mode=LineMode.CGNAT, confidence=GUESS), []),
    "everything at once": (
        SEEN,
        LineReport(
            public_ipv4=B,
            public_ipv6=NEW_V6,
            ipv6_prefix=NEW_PREFIX,
            mode=LineMode.MAP_E,
            confidence=SURE,
        ),
        [
            AddressEvent("ipv4_changed", str(A), str(B)),
            AddressEvent("ipv6_prefix_changed", str(PREFIX), str(NEW_PREFIX)),
            AddressEvent("ipv6_changed", str(V6A), str(NEW_V6)),
            AddressEvent("line_changed", "public", "map_e"),
        ],
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_changes(situation: str) -> None:
    seen, line, expected = SITUATIONS[situation]
    seen = dict(seen)
    assert changes(seen, line) == expected
    # Told once.
    assert changes(seen, line) == []


def test_an_address_that_comes_back_is_no_change() -> None:
    seen: dict[str, str] = {}
    for address in A, None, A:
        assert changes(seen, LineReport(public_ipv4=address)) == []
    assert changes(seen, LineReport()) == []
    # Between the two nothing was known: what was before is said all the same.
    assert changes(seen, LineReport(public_ipv4=B)) == [
        AddressEvent("ipv4_changed", str(A), str(B))
    ]
