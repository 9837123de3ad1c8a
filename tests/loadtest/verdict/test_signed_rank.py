"""The signed-rank statistic: the published critical values, and what an interval promises."""

import math
import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.verdict.signed_rank import centre, chance_of_agreement, interval

differences = st.lists(st.floats(-2, 2, allow_nan=False), min_size=6, max_size=20)


def test_the_bounds_are_those_of_the_tables() -> None:
    """The two-sided 5 % critical values of Wilcoxon's test for 6, 8, 10 and 12 pairs are 0, 3, 8 and 13."""
    for count, critical in ((6, 0), (8, 3), (10, 8), (12, 13)):
        powers = [float(2**at) for at in range(count)]  # no two means are equal, so that a bound tells its place
        means = sorted((one + other) / 2 for at, one in enumerate(powers) for other in powers[at:])
        assert interval(powers, 0.025) == (means[critical], means[-1 - critical])


def test_too_few_differences_have_no_bounds() -> None:
    """Five agree by chance once in 32 times, which is more than 2.5 %."""
    assert interval([1.0] * 5, 0.025) is None
    assert interval([], 0.5) is None
    assert centre([]) == 0


@given(differences, st.floats(-1, 1))
def test_the_interval_moves_with_what_it_bounds(values: list[float], shift: float) -> None:
    """The centre lies in the interval, both follow a shift, and both change sides with the sign."""
    bounds = interval(values, 1 / 64)
    moved = interval([value + shift for value in values], 1 / 64)
    turned = interval([-value for value in values], 1 / 64)
    assert bounds is not None
    assert moved is not None
    assert turned is not None
    assert bounds[0] <= centre(values) <= bounds[1]
    assert moved == pytest.approx((bounds[0] + shift, bounds[1] + shift))
    assert turned == pytest.approx((-bounds[1], -bounds[0]))


def test_the_interval_covers_where_a_bootstrap_of_the_median_does_not() -> None:
    """Eight differences with a drift to either side: the exact interval holds the truth as often as it says."""
    rng = random.Random(7)
    exact = bootstrap = 0
    for _ in range(300):
        values = [rng.gauss(0.05 if at % 2 else -0.05, 0.02) for at in range(8)]
        low, high = interval(values, 0.025) or (math.nan, math.nan)
        exact += low <= 0 <= high
        medians = sorted(median(rng.choices(values, k=8)) for _ in range(79))
        bootstrap += medians[1] <= 0 <= medians[-2]
    assert exact >= 0.95 * 300
    assert bootstrap <= exact


def test_agreement_is_that_of_coins() -> None:
    """All of six agree once in 64 times, seven or more of eight nine times in 256."""
    assert chance_of_agreement(6, 6) == 1 / 64
    assert chance_of_agreement(7, 8) == 9 / 256
    assert chance_of_agreement(0, 3) == 1
