"""Tallies: buckets, merging, percentiles."""

import pytest

from client_sim.tally import Tally, bucket_ms


@pytest.mark.parametrize(
    ("latency_ms", "bucket"),
    [(0.04, 0.0), (0.06, 0.1), (9.94, 9.9), (10.4, 10), (99.4, 99), (147, 150), (3_432, 3_400), (58_760, 59_000)],
)
def test_buckets_are_fine_where_it_matters(latency_ms: float, bucket: float) -> None:
    """Tenths below 10 ms, whole milliseconds below 100, two digits above."""
    assert bucket_ms(latency_ms) == bucket


def test_a_tally_keeps_what_it_counts() -> None:
    """Count, sum and extremes are exact, percentiles are those of the buckets."""
    tally = Tally()
    for tenth in range(1, 101):
        tally.add(tenth / 10, 5)
    assert (tally.count, tally.total_bytes, tally.min_ms, tally.max_ms) == (100, 500, 0.1, 10.0)
    assert tally.total_ms == pytest.approx(505)
    assert tally.percentile(0.5) == 5.0
    assert tally.percentile(0.99) == 9.9
    assert tally.percentile(1.0) == 10.0


def test_merging_is_adding() -> None:
    """Two merged tallies are one that has counted everything, also if one is empty."""
    one, two, both = Tally(), Tally(), Tally()
    for number in range(20):
        (one if number % 3 else two).add(number * 1.7)
        both.add(number * 1.7)
    two.merge(Tally())
    merged = Tally()
    merged.merge(one)
    merged.merge(two)
    assert (merged.buckets, merged.count, merged.min_ms, merged.max_ms) == (
        both.buckets, both.count, both.min_ms, both.max_ms
    )  # fmt: skip
    assert merged.total_ms == pytest.approx(both.total_ms)


def test_an_empty_tally_has_no_percentile() -> None:
    """None is not 0 ms."""
    assert Tally().percentile(0.5) is None
