"""A port set holds the ports that RFC 7597 says, and no others."""

from functools import cache

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.homeport.line.portset import PortSet
from tests.fuzz import fuzz

PORTS = tuple(range(1, 65536))


@cache
def by_the_rfc(offset: int, psid_length: int) -> dict[str, list[int]]:
    """Return the ports of each PSID, all read off the ports' digits (RFC 7597 section 5.1)."""
    found: dict[str, list[int]] = {}
    for port in PORTS:
        bits = digits(port, 16)
        if "1" in bits[:offset] or offset == 0 or psid_length == 0:
            found.setdefault(bits[offset : offset + psid_length], []).append(port)
    return found


def digits(number: int, length: int) -> str:
    return f"{number:0{length}b}" if length else ""


@st.composite
def port_sets(draw: st.DrawFn) -> PortSet:
    offset = draw(st.integers(0, 15))
    psid_length = draw(st.integers(0, 16 - offset))
    lowest = 1 if psid_length == 16 else 0
    return PortSet(offset, psid_length, draw(st.integers(lowest, (1 << psid_length) - 1)))


def listed(ports: PortSet) -> list[int]:
    return [port for first, last in ports.ranges() for port in range(first, last + 1)]


@pytest.mark.parametrize(
    ("ports", "first", "last", "number", "count"),
    [
        pytest.param(PortSet(4, 8, 212), (7488, 7503), (64832, 64847), 15, 240, id="v6plus"),
        pytest.param(PortSet(4, 8, 86), (5472, 5487), (62816, 62831), 15, 240, id="a real list"),
        pytest.param(PortSet(6, 6, 53), (1872, 1887), (65360, 65375), 63, 1008, id="OCN"),
        pytest.param(PortSet(6, 8, 52), (1232, 1235), (64720, 64723), 63, 252, id="RFC example"),
        pytest.param(PortSet(0, 8, 5), (1280, 1535), (1280, 1535), 1, 256, id="one range"),
        pytest.param(PortSet(0, 2, 1), (16384, 32767), (16384, 32767), 1, 16384, id="a quarter"),
        pytest.param(PortSet(0, 2, 0), (1, 16383), (1, 16383), 1, 16383, id="with system ports"),
        pytest.param(PortSet(6, 0, 0), (1, 65535), (1, 65535), 1, 65535, id="not shared"),
        pytest.param(PortSet(1, 15, 9), (32777, 32777), (32777, 32777), 1, 1, id="a single port"),
    ],
)
def test_ranges(
    ports: PortSet, first: tuple[int, int], last: tuple[int, int], number: int, count: int
) -> None:
    ranges = ports.ranges()
    assert (ranges[0], ranges[-1], len(ranges), len(ports)) == (first, last, number, count)


@settings(max_examples=200, deadline=None)
@given(port_sets())
def test_a_set_is_what_the_rfc_says(ports: PortSet) -> None:
    expected = by_the_rfc(ports.offset, ports.psid_length)[digits(ports.psid, ports.psid_length)]
    assert listed(ports) == expected
    assert len(ports) == len(expected)
    some = {*expected[:3], *expected[-3:], *range(20), 1023, 1024, 4095, 4096, 65534, 65535}
    near = {each + step for each in some for step in (-1, 0, 1)}
    assert {port for port in near if port in ports} == near & set(expected)


@pytest.mark.parametrize(("offset", "psid_length"), [(4, 8), (6, 6), (0, 2)])
def test_every_port_is_one_home_s_at_most(offset: int, psid_length: int) -> None:
    sets = [PortSet(offset, psid_length, psid) for psid in range(1 << psid_length)]
    seen = [port for ports in sets for port in listed(ports)]
    first = 1 << (16 - offset) if offset else 1
    assert sorted(seen) == list(range(first, 65536))


@pytest.mark.parametrize("port", [-1, 0, 65536, 65536 + 7488, 1 << 40])
def test_what_is_no_port_is_in_no_set(port: int) -> None:
    assert port not in PortSet(4, 8, 212)
    assert port not in PortSet(0, 2, 0)
    assert port not in PortSet(6, 0, 0)


@pytest.mark.parametrize(
    ("wanted", "offered"),
    [
        pytest.param(7490, 7490, id="in the set"),
        pytest.param(1, 7488, id="below the first block"),
        pytest.param(65535, 64847, id="above the last block"),
        pytest.param(7487, 7488, id="just below a block"),
        pytest.param(7504, 7503, id="just above a block"),
        pytest.param(9543, 7503, id="nearer to the block below"),
        pytest.param(9544, 11584, id="nearer to the block above"),
        pytest.param(8123, 7503, id="Home Assistant"),
    ],
)
def test_the_nearest_port(wanted: int, offered: int) -> None:
    assert PortSet(4, 8, 212).nearest(wanted) == offered


def test_of_two_ports_as_near_the_higher_one_is_offered() -> None:
    ports = PortSet(1, 15, 0)
    assert ports.nearest(1) == 32768
    ports = PortSet(4, 12, 0)  # 4096, 8192, ...
    assert ports.nearest(6144) == 8192
    assert ports.nearest(6143) == 4096


@fuzz
@given(port_sets(), st.integers(0, 65535))
def test_no_port_of_the_set_is_nearer(ports: PortSet, wanted: int) -> None:
    offered = ports.nearest(wanted)
    assert offered in ports
    distance = abs(offered - wanted)
    assert distance == 0 or wanted not in ports
    nearer = range(wanted - distance + 1, wanted + distance)
    assert not any(first in nearer or last in nearer for first, last in ports.ranges())
    assert offered == wanted + distance or wanted + distance not in ports


@pytest.mark.parametrize(
    ("offset", "psid_length", "psid"),
    [
        pytest.param(-1, 8, 0, id="offset below 0"),
        pytest.param(16, 0, 0, id="offset of all bits"),
        pytest.param(4, -1, 0, id="PSID length below 0"),
        pytest.param(4, 13, 0, id="more bits than a port has"),
        pytest.param(4, 8, 256, id="PSID too large"),
        pytest.param(4, 8, -1, id="PSID below 0"),
        pytest.param(4, 0, 1, id="PSID without bits"),
        pytest.param(0, 16, 0, id="port 0 alone"),
    ],
)
def test_impossible_values_are_refused(offset: int, psid_length: int, psid: int) -> None:
    with pytest.raises(ValueError):
        PortSet(offset, psid_length, psid)
