"""Looks: few pairs where these are enough, more where not, and few false alarms over all of them."""

import math
import random

import pytest

from loadtest.verdict.comparison import Compared, Comparison, Conclusion, Pair
from loadtest.verdict.looks import LOOKS, More, confirming_pairs, enough

CPU = Compared("cpu_us_per_grab", 0.03)
MOST = LOOKS[-1] + confirming_pairs(LOOKS[-1])


def legs(rng: random.Random, noise: float, change: float, count: int, outliers: float) -> list[Pair]:
    """Return log-normal pairs in ABBA order on a machine that slows by 1 % from leg to leg and now and then stalls."""
    slow = 0.0
    pairs = []
    for at in range(count):
        figures = {}
        for build in ("base", "head") if at % 2 == 0 else ("head", "base"):
            slow += 0.01
            stall = math.log(2) if rng.random() < outliers else 0.0
            own = math.log1p(change) if build == "head" else 0.0
            figures[build] = math.exp(own + slow + stall + rng.gauss(0, noise))
        pairs.append(Pair(**figures))
    return pairs


def runs_of(noise: float, change: float, runs: int, most: int = MOST, outliers: float = 0.02) -> list[Comparison]:
    """Return the ends of so many gates."""
    ends = []
    for run in range(runs):
        end = enough(CPU, legs(random.Random(f"{noise} {change} {run}"), noise, change, most, outliers), last=True)
        assert isinstance(end, Comparison)
        ends.append(end)
    return ends


@pytest.mark.parametrize("noise", [0.03, 0.1, 0.3])
def test_a_build_against_itself_fails_at_most_once_in_a_hundred(noise: float) -> None:
    """Noise, drift and stalls of twice the time do not look like a regression, over all looks together."""
    ends = runs_of(noise, 0.0, 200)
    assert sum(end.conclusion is Conclusion.REGRESSION for end in ends) <= 2


def test_a_quiet_machine_passes_a_build_against_itself() -> None:
    """With noise of 1 % the question is answered, and mostly by the first looks."""
    ends = runs_of(0.01, 0.0, 60, outliers=0.0)
    assert sum(end.conclusion in {Conclusion.PASS, Conclusion.IMPROVEMENT} for end in ends) >= 58
    assert sum(end.pairs <= 8 for end in ends) >= 40


@pytest.mark.parametrize(("noise", "change"), [(0.03, 0.1), (0.1, 0.25)])
def test_a_slowdown_is_found(noise: float, change: float) -> None:
    """10 % at a noise of 3 %, and 25 % at 10 %, fail in nine of ten gates, seen by the twelfth pair and confirmed."""
    ends = runs_of(noise, change, 100, most=12 + confirming_pairs(12), outliers=0.0)
    assert sum(end.conclusion is Conclusion.REGRESSION for end in ends) >= 90


def test_pairs_are_asked_for_look_by_look() -> None:
    """Without enough pairs the next look's number is asked for, and a clear case needs no second look."""
    assert enough(CPU, []) == More(6, confirming=False)
    assert enough(CPU, [Pair(100, 100)] * 5) == More(6, confirming=False)
    noisy = [Pair(100, 150), Pair(150, 100)] * 3
    assert enough(CPU, noisy, ()) == More(8, confirming=False)
    end = enough(CPU, [Pair(100, 100.1)] * 6, ())
    assert isinstance(end, Comparison)
    assert end.conclusion is Conclusion.PASS


def test_a_failure_is_confirmed_once_by_fresh_pairs() -> None:
    """Eight pairs that fail ask for four more; if these deny it nothing fails."""
    slow = [Pair(100, 120 + at) for at in range(8)]
    assert enough(CPU, slow[:6], ()) == More(8, confirming=False)  # six may pass, not fail
    assert enough(CPU, slow, ()) == More(12, confirming=True)
    confirmed = enough(CPU, slow + slow[:4], ())
    denied = enough(CPU, [*slow, *[Pair(100, 100)] * 4], ())
    assert isinstance(confirmed, Comparison)
    assert isinstance(denied, Comparison)
    assert (confirmed.conclusion, confirmed.pairs) == (Conclusion.REGRESSION, 12)
    assert denied.conclusion is Conclusion.INCONCLUSIVE
    assert "not confirmed" in denied.reason


def test_the_first_look_that_decides_stands() -> None:
    """Whatever other metrics' pairs show later, a metric that was answered stays answered."""
    fast = [Pair(100, 100.1)] * 6
    assert enough(CPU, [*fast, *[Pair(100, 200)] * 26], ()) == enough(CPU, fast, ())


def test_the_last_pairs_are_used_once_when_time_is_up() -> None:
    """Ten pairs are judged in place of the next look, four are too few, and an unconfirmed failure is none."""
    ten = [Pair(100, 103 + 0.5 * (-1) ** at) for at in range(10)]
    used = enough(CPU, ten, (), last=True)
    few = enough(CPU, ten[:4], (), last=True)
    unconfirmed = enough(CPU, [Pair(100, 120)] * 9, (), last=True)
    assert isinstance(used, Comparison)
    assert isinstance(few, Comparison)
    assert isinstance(unconfirmed, Comparison)
    assert (used.pairs, used.conclusion) == (10, Conclusion.INCONCLUSIVE)
    assert (few.pairs, few.conclusion) == (4, Conclusion.INCONCLUSIVE)
    assert unconfirmed.conclusion is Conclusion.INCONCLUSIVE
    assert "no time" in unconfirmed.reason
