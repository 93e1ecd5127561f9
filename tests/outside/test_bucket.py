"""An outside service is asked in haste only a few times, and then at a steady pace."""

import json

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.homeport.outside.bucket import TokenBucket
from tests.fuzz import fuzz


def test_a_burst_and_then_one_at_a_time() -> None:
    bucket = TokenBucket(3, 60.0)
    waits = []
    for _ in range(5):
        waits.append(bucket.wait(100.0))
        bucket.take(100.0)
    assert waits == pytest.approx([0.0, 0.0, 0.0, 60.0, 120.0])
    assert bucket.wait(100.0 + 60.0) == pytest.approx(120.0)


def test_whoever_is_told_to_wait_waits_and_longer_ones_still_count() -> None:
    bucket = TokenBucket(10, 6.0)
    bucket.hold(100.0, 90.0)
    assert bucket.wait(100.0) == pytest.approx(90.0)
    bucket.hold(110.0, 5.0)
    assert bucket.wait(110.0) == pytest.approx(80.0)
    assert bucket.wait(190.0) == pytest.approx(0.0)


def test_those_before_take_what_there_is_first() -> None:
    bucket = TokenBucket(3, 60.0)
    bucket.take(100.0)
    waits = [bucket.wait(100.0, ahead) for ahead in range(4)]
    assert waits == pytest.approx([0.0, 0.0, 60.0, 120.0])


def test_a_long_rest_gives_one_burst_and_no_more() -> None:
    bucket = TokenBucket(2, 60.0)
    bucket.take(0.0)
    now = 1_000_000.0
    for _ in range(2):
        assert bucket.wait(now) == 0.0
        bucket.take(now)
    assert bucket.wait(now) == pytest.approx(60.0)


@settings(deadline=None)
@given(
    burst=st.integers(1, 5),
    seconds=st.floats(0.5, 1000),
    pauses=st.lists(st.floats(0, 500), min_size=1, max_size=60),
)
def test_whoever_waits_as_told_never_asks_more(
    burst: int, seconds: float, pauses: list[float]
) -> None:
    bucket, now, asked = TokenBucket(burst, seconds), 0.0, []
    for pause in pauses:
        now += pause + bucket.wait(now + pause)
        bucket.take(now)
        asked.append(now)
    for first, begin in enumerate(asked):
        for last, end in enumerate(asked[first:], first):
            assert last - first + 1 <= burst + (end - begin) / seconds + 1e-6


def through_json(bucket: TokenBucket, burst: int, seconds: float) -> TokenBucket:
    return TokenBucket.from_dict(json.loads(json.dumps(bucket.to_dict())), burst, seconds)


def test_a_restart_gives_nothing_back() -> None:
    bucket = TokenBucket(2, 60.0)
    for _ in range(2):
        bucket.take(1_700_000_000.0)
    bucket = through_json(bucket, 2, 60.0)
    assert bucket.wait(1_700_000_045.0) == pytest.approx(15.0)
    assert bucket.wait(1_700_000_060.0) == 0.0


def test_one_that_was_never_asked_is_full_after_a_restart() -> None:
    bucket = through_json(TokenBucket(2, 60.0), 2, 60.0)
    bucket.take(5.0)
    assert bucket.wait(5.0) == 0.0


def test_a_limit_that_was_made_stricter_holds_after_a_restart() -> None:
    bucket = through_json(TokenBucket(10, 6.0), 1, 60.0)
    bucket.take(5.0)
    assert bucket.wait(5.0) == pytest.approx(60.0)


@given(st.integers(1, 10), st.integers(0, 20), st.floats(-2e9, 2e9))
def test_a_clock_that_was_set_blocks_for_no_longer_than_a_burst_takes(
    burst: int, taken: int, shift: float
) -> None:
    bucket, now = TokenBucket(burst, 60.0), 1_700_000_000.0
    for _ in range(taken):
        bucket.take(now)
    bucket = through_json(bucket, burst, 60.0)
    now += shift
    wait = bucket.wait(now)
    assert wait <= burst * 60.0
    assert bucket.wait(now + wait) < 1e-3
    # And while it runs:
    bucket.take(now + wait)
    now -= 1e6
    assert bucket.wait(now + bucket.wait(now)) < 1e-3


def test_a_clock_that_was_set_back_gives_no_requests() -> None:
    bucket = TokenBucket(1, 60.0)
    bucket.take(1000.0)
    assert bucket.wait(500.0) == pytest.approx(60.0)
    assert bucket.wait(530.0) == pytest.approx(30.0)


STORED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@fuzz
@given(st.dictionaries(st.sampled_from(["tokens", "time", "x"]), STORED, max_size=3))
@example({"tokens": 10**400, "time": 0})
@example({"tokens": 0, "time": float("nan")})
@example({"tokens": True, "time": 0})
def test_any_stored_thing(stored: dict[str, object]) -> None:
    try:
        bucket = TokenBucket.from_dict(stored, 3, 60.0)
    except KeyError, TypeError, ValueError:
        return
    assert 0.0 <= bucket.wait(1_700_000_000.0) <= 180.0
