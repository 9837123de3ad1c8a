"""Change points: where a figure changed, and that noise and outliers are no change."""

import random

from hypothesis import given
from hypothesis import strategies as st

from loadtest.verdict.change_points import RUNS_MIN, stretches


def noisy(rng: random.Random, level: float, count: int) -> list[float]:
    """Return figures with 5 % of noise, now and then twice as large."""
    return [level * rng.lognormvariate(0, 0.05) * (2 if rng.random() < 0.05 else 1) for _ in range(count)]


def test_a_step_is_found_where_it_is() -> None:
    """A quarter more from the twentieth run on, within a few runs."""
    for seed in range(20):
        rng = random.Random(seed)
        found = stretches(noisy(rng, 100, 20) + noisy(rng, 125, 20))
        assert len(found) == 2
        assert abs(found[1].first - 20) <= 4
        assert 1.15 < found[1].median / found[0].median < 1.35


def test_two_steps_are_two_changes() -> None:
    """It became slower, and was mended."""
    rng = random.Random(1)
    found = stretches(noisy(rng, 100, 30) + noisy(rng, 150, 30) + noisy(rng, 100, 30))
    assert [round(one.first, -1) for one in found] == [0, 30, 60]


def test_noise_is_no_change() -> None:
    """At most two of a hundred series of thirty runs are thought to change."""
    alarms = sum(len(stretches(noisy(random.Random(seed), 100, 30))) > 1 for seed in range(100))
    assert alarms <= 2


def test_a_bad_day_is_no_change() -> None:
    """Three runs of ten times the figure, at the end too."""
    assert len(stretches([100.0 + at % 3 for at in range(30)] + [1_000.0] * (RUNS_MIN - 1))) == 1
    assert stretches([]) == []
    assert [tuple(one) for one in stretches([5.0] * 40)] == [(0, 40, 5.0)]


@given(st.lists(st.floats(0, 1e9), max_size=60))
def test_stretches_are_the_whole_series(values: list[float]) -> None:
    """They follow each other without a gap, from the first run to the last."""
    found = stretches(values)
    assert [one.first for one in found] == [0, *(one.end for one in found[:-1])][: len(found)]
    assert sum(one.end - one.first for one in found) == len(values)
