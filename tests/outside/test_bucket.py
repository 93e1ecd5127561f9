"""An outside service is asked in haste only a few times, and then at a steady pace."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.homeport.outside import TokenBucket


def test_a_burst_and_then_one_at_a_time() -> None:
    bucket = TokenBucket(3, 60.0)
    waits = []
    for _ in range(5):
        waits.append(bucket.wait(100.0))
        bucket.take(100.0)
    assert waits == pytest.approx([0.0, 0.0, 0.0, 60.0, 120.0])
    assert bucket.wait(100.0 + 60.0) == pytest.approx(120.0)


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
