"""What is remembered of pinholes, saved and read again."""

from ipaddress import IPv6Address
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.gateway import Hole, Pinhole, Transport
from custom_components.homeport.gateway.hole import hole_from_dict, hole_to_dict
from custom_components.homeport.gateway.memory import By
from tests.fuzz import fuzz

OWN = IPv6Address("2a00:77:77:1::10")
HOLE = Hole(Pinhole(OWN, 8123, Transport.UDP), By.IGD, OWN, 3600, 1_795_521_600, 7)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=3,
)


@pytest.mark.parametrize(
    "hole",
    [HOLE, Hole(HOLE.pinhole, By.PCP, OWN, 10, 1_795_521_600, None, True)],
    ids=["UPnP", "PCP"],
)
def test_it_is_read_as_it_was_saved(hole: Hole) -> None:
    read = hole_from_dict(json.loads(json.dumps(hole_to_dict(hole))))
    assert 0 < read.ends - hole.ends <= 1
    assert hole_to_dict(read) | {"ends": 0} == hole_to_dict(hole) | {"ends": 0}


@fuzz
@given(st.sampled_from(list(hole_to_dict(HOLE))), ANYTHING)
def test_what_is_damaged_is_refused_in_one_way(key: str, value: Any) -> None:
    try:
        read = hole_from_dict(hole_to_dict(HOLE) | {key: value})
    except KeyError, TypeError, ValueError:
        return
    assert 0 < read.pinhole.port < 65536
    assert hole_from_dict(hole_to_dict(read)) is not None
