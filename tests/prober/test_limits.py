"""Nobody gets more than a share, and nobody fills the memory."""

import pytest

from prober.limits import Buckets


def test_a_burst_and_then_one_at_a_time() -> None:
    buckets = Buckets(3, 2.0)
    assert [buckets.take("a", 10.0) for _ in range(4)] == [0, 0, 0, 2.0]
    assert buckets.take("a", 11.0) == pytest.approx(1.0)
    assert [buckets.take("a", 12.0) for _ in range(2)] == [0, 2.0]


def test_who_is_refused_does_not_wait_longer() -> None:
    buckets = Buckets(1, 10.0)
    buckets.take("a", 0.0)
    assert all(buckets.take("a", each / 10) > 0 for each in range(99))
    assert buckets.take("a", 10.0) == 0


def test_it_never_holds_more_than_the_burst() -> None:
    buckets = Buckets(2, 1.0)
    buckets.take("a", 0.0)
    assert [buckets.take("a", 1000.0) for _ in range(3)] == [0, 0, 1.0]


def test_everybody_has_an_own_one() -> None:
    buckets = Buckets(1, 1.0)
    assert [buckets.take(each, 0.0) for each in "abca"] == [0, 0, 0, 1.0]


def test_who_is_seen_keeps_a_place_among_strangers() -> None:
    buckets = Buckets(1, 1e9, remembered=100)
    buckets.take("mine", 0.0)
    for each in range(10_000):
        buckets.take(each, 0.0)
        assert buckets.take("mine", 0.0) > 0
    assert len(buckets) == 100
