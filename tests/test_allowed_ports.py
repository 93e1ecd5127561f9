"""Which external port is proposed where not all are this home's."""

from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.allowed_ports import (
    in_words,
    nearest_free,
    own_port_set,
    range_texts,
)
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
