"""Which external port is proposed where not all are this home's."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.homeport.allowed_ports import (
    families_of,
    free_port,
    in_words,
    nearest_free,
    own_port_set,
    range_texts,
    unique_id,
)
from custom_components.homeport.const import Family
from custom_components.homeport.line import Confidence, LineReport, PortSet

V6PLUS = PortSet(4, 8, 0x34)


@pytest.mark.parametrize(
    ("wanted", "taken", "expected"),
    [
        (25565, (), 25423),
        (25565, (25423,), 25422),
        (25565, range(25408, 25424), 29504),
        (1, (), 4928),
        (65535, (), 62287),
        (4930, (), 4930),
        (4930, (4930,), 4931),
    ],
)
def test_nearest_free(wanted: int, taken: tuple[int, ...], expected: int) -> None:
    assert nearest_free(V6PLUS, wanted, taken) == expected


def test_none_is_left() -> None:
    assert nearest_free(PortSet(0, 14, 5000), 80, range(20000, 20004)) is None


def test_system_ports_are_not_proposed() -> None:
    assert nearest_free(PortSet(0, 2, 0), 443, ()) == 1024
    assert nearest_free(PortSet(0, 14, 5), 80, ()) is None


@settings(deadline=None)
@given(
    st.integers(0, 0xFF).map(lambda psid: PortSet(4, 8, psid)),
    st.integers(1, 65535),
    st.sets(st.integers(4096, 65535), max_size=50),
)
def test_proposal_is_the_nearest_of_the_set(
    port_set: PortSet, wanted: int, taken: set[int]
) -> None:
    proposed = nearest_free(port_set, wanted, taken)
    free = [port for port in range(1024, 65536) if port in port_set and port not in taken]
    assert proposed in free
    assert abs(proposed - wanted) == min(abs(port - wanted) for port in free)


def test_long_sets_are_shortened_in_a_sentence() -> None:
    assert in_words(V6PLUS) == "4928-4943, 9024-9039, 13120-13135, …"
    assert in_words(PortSet(0, 2, 1)) == "16384-32767"
    assert len(range_texts(V6PLUS)) == 15


@pytest.mark.parametrize("confidence", Confidence)
def test_set_counts_where_it_is_sure(confidence: Confidence) -> None:
    sure = confidence in {Confidence.CERTAIN, Confidence.LIKELY}
    line = LineReport(confidence=confidence, port_set=V6PLUS)
    assert own_port_set(line) == (V6PLUS if sure else None)


@pytest.mark.parametrize(
    ("port_set", "near", "taken", "expected"),
    [
        (None, 25565, (), 25565),
        (None, 25565, (25565, 25566), 25567),
        (None, 443, (), 443),
        # Another system port would need a consent of its own.
        (None, 443, (443,), 1024),
        (None, 65535, (65535,), 1024),
        (None, 2000, range(1, 65536), None),
        (V6PLUS, 25565, (), 25423),
        (V6PLUS, 443, (), 4928),
        (PortSet(0, 14, 5000), 25565, range(20000, 20004), None),
    ],
)
def test_free_port(
    port_set: PortSet | None, near: int, taken: tuple[int, ...], expected: int | None
) -> None:
    assert free_port(port_set, near, taken) == expected


DATA = {"protocol": "TCP", "internal_port": 80, "external_port": 8080}


@pytest.mark.parametrize(
    ("changes", "families", "identity"),
    [
        ({}, {Family.IPV4}, "TCP_8080"),
        ({"families": ["ipv4", "ipv6"]}, {Family.IPV4, Family.IPV6}, "TCP_8080"),
        ({"families": ["ipv6"]}, {Family.IPV6}, "TCP_80__ipv6"),
        ({"families": ["ipv6"], "internal_client": "nas"}, {Family.IPV6}, "TCP_80_nas_ipv6"),
    ],
)
def test_identity(changes: dict[str, object], families: set[Family], identity: str) -> None:
    assert families_of(DATA | changes) == families
    assert unique_id(DATA | changes) == identity
