"""Tallies: buckets, counts and extremes."""

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
    """Count, sum and extremes are exact."""
    tally = Tally()
    for tenth in range(1, 101):
        tally.add(tenth / 10, 5)
    assert (tally.count, tally.total_bytes, tally.min_ms, tally.max_ms) == (100, 500, 0.1, 10.0)
    assert tally.total_ms == pytest.approx(505)
