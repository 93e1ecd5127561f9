"""A gateway that has lost its table is noticed, and one with a bad clock is not taken for one."""

import pytest

from custom_components.homeport.gateway.epoch import Epoch, natpmp_lost_state, pcp_lost_state

HEARD = Epoch(1000, 50.0)


@pytest.mark.parametrize(
    ("seconds", "after", "pcp", "natpmp"),
    [
        pytest.param(1000, 0, False, False, id="the same at once"),
        pytest.param(1600, 600, False, False, id="as time goes by"),
        pytest.param(999, 0, False, False, id="packets that have overtaken each other"),
        pytest.param(998, 0, True, False, id="two seconds back"),
        pytest.param(997, 0, True, True, id="three seconds back"),
        pytest.param(0, 0.03, True, True, id="restarted"),
        pytest.param(30, 3600, True, True, id="restarted a while ago"),
        pytest.param(1561, 600, False, False, id="a slow clock"),
        pytest.param(1560, 600, True, False, id="a clock that is too slow for PCP"),
        pytest.param(1523, 600, True, False, id="almost too slow for NAT-PMP"),
        pytest.param(1522, 600, True, True, id="too slow for both"),
        pytest.param(1642, 600, False, False, id="a fast clock"),
        pytest.param(1643, 600, True, False, id="ahead: another gateway, or one that was set"),
        pytest.param(1003, 1, False, False, id="rounding"),
        pytest.param(1004, 1, True, False, id="more than rounding"),
    ],
)
def test_what_a_later_epoch_tells(seconds: int, after: float, pcp: bool, natpmp: bool) -> None:
    later = Epoch(seconds, HEARD.at + after)
    assert pcp_lost_state(HEARD, later) is pcp
    assert natpmp_lost_state(HEARD, later) is natpmp
