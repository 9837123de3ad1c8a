"""The comparison of two builds: what fails, what passes, and what it says when it cannot tell."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.verdict.comparison import Better, Compared, Conclusion, Pair, compare, is_beyond, same_builds

CPU = Compared("cpu_us_per_grab", 0.05)
THROUGHPUT = Compared("grabs_per_second", 0.05, Better.LARGER)
WOBBLE = (0.99, 1.01, 0.995, 1.005, 1.0, 0.992, 1.008, 1.001)

figures = st.floats(1e-3, 1e6)


def pairs_of(change: float, count: int = 8) -> list[Pair]:
    """Return pairs whose heads take longer by *change*, give or take one per cent."""
    return [Pair(100.0, 100.0 * (1 + change) * WOBBLE[at % len(WOBBLE)]) for at in range(count)]


@pytest.mark.parametrize(
    ("change", "conclusion"),
    [(0.12, "regression"), (0.0, "pass"), (0.03, "pass"), (0.05, "inconclusive"), (-0.1, "improvement")],
)
def test_the_budget_decides(change: float, conclusion: str) -> None:
    """Beyond the budget fails, below it passes, around it nobody knows; better than the base has its own name."""
    found = compare(CPU, pairs_of(change), ())
    assert found.conclusion == conclusion
    assert found.change == pytest.approx(change, abs=0.01)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.change <= found.high


def test_throughput_is_worse_where_it_is_smaller() -> None:
    """A head that answers a tenth less is 11 % slower, and one that answers more is an improvement."""
    slower = compare(THROUGHPUT, [Pair(pair.head, pair.base) for pair in pairs_of(0.11)], ())
    assert (slower.conclusion, round(slower.change, 2)) == (Conclusion.REGRESSION, 0.11)
    assert compare(THROUGHPUT, pairs_of(0.11), ()).conclusion is Conclusion.IMPROVEMENT


def test_nothing_fails_that_equal_builds_showed_too() -> None:
    """A head that is 12 % worse does not fail where base against base differed by 20 %."""
    found = compare(CPU, pairs_of(0.12), [Pair(100, 120), Pair(100, 121), Pair(101, 121)])
    assert found.conclusion is Conclusion.INCONCLUSIVE
    assert found.floor == pytest.approx(0.2, abs=0.01)
    assert "equal builds" in found.reason


def test_equal_builds_are_found_among_the_pairs() -> None:
    """In the order base, head, head, base, base, head the second and third legs are heads, the next two bases."""
    assert same_builds([Pair(1, 2), Pair(4, 3), Pair(5, 6)]) == [Pair(2, 3), Pair(4, 5)]
    slowing = [1.1**leg for leg in range(16)]
    turns = [(slowing[at : at + 4]) for at in range(0, 16, 4)]
    drifted = [pair for one, two, three, four in turns for pair in (Pair(one, two), Pair(four, three))]
    assert compare(CPU, drifted).floor == pytest.approx(0.1)
    assert compare(CPU, drifted).change == pytest.approx(0)


def test_pairs_must_agree() -> None:
    """A regression needs as many pairs on its side as coins would show once in twenty times."""
    mixed = [*pairs_of(0.5, 18), *(Pair(100, 99.9) for _ in range(9))]
    found = compare(CPU, mixed, ())
    assert (found.conclusion, found.agreeing) == (Conclusion.INCONCLUSIVE, 18)
    assert "18 of 27" in found.reason


def test_too_few_pairs_tell_nothing() -> None:
    """Without an interval there are no bounds, no detectable change and no count of pairs."""
    found = compare(CPU, pairs_of(0.5, 3))
    assert (found.conclusion, found.low, found.detectable, found.pairs_needed) == ("inconclusive", None, None, None)
    assert compare(CPU, []).conclusion is Conclusion.INCONCLUSIVE
    assert compare(CPU, pairs_of(0.5), may_fail=False).conclusion is Conclusion.INCONCLUSIVE


def test_a_leg_that_measured_nothing_is_left_out() -> None:
    """A figure of 0 has no logarithm; it is counted, not judged."""
    found = compare(CPU, [*pairs_of(0.0), Pair(0, 5), Pair(5, math.inf)], ())
    assert (found.conclusion, found.pairs, found.unmeasured) == (Conclusion.PASS, 8, 2)


def test_an_open_question_says_what_would_answer_it() -> None:
    """Ten times the noise makes ten times the width, and takes a hundred times the pairs."""
    quiet = compare(CPU, [Pair(1, math.exp(0.01 * at)) for at in (-3, -1, 1, 3, -2, 2, -1, 1)], ())
    noisy = compare(CPU, [Pair(1, math.exp(0.1 * at)) for at in (-3, -1, 1, 3, -2, 2, -1, 1)], ())
    assert noisy.conclusion is Conclusion.INCONCLUSIVE
    assert quiet.detectable is not None
    assert noisy.detectable is not None
    assert noisy.detectable > quiet.detectable > CPU.budget
    assert quiet.pairs_needed is not None
    assert noisy.pairs_needed is not None
    assert noisy.pairs_needed == pytest.approx(100 * quiet.pairs_needed, abs=100)


def test_a_centre_is_beyond_a_change_or_not() -> None:
    """Fresh pairs alone are asked whether they are worse than the limit."""
    assert is_beyond(CPU, pairs_of(0.12), 0.1)
    assert not is_beyond(CPU, pairs_of(0.08), 0.1)


@settings(max_examples=40)
@given(st.lists(st.tuples(figures, figures), min_size=8, max_size=12), st.floats(0.1, 10))
def test_units_and_order_do_not_matter(legs: list[tuple[float, float]], unit: float) -> None:
    """Other units, or another order of the pairs, change nothing; exchanged builds turn the sign."""
    pairs = [Pair(*leg) for leg in legs]
    found = compare(CPU, pairs, ())
    assert found.low is not None
    assert found.high is not None
    other = compare(CPU, [Pair(base * unit, head * unit) for base, head in reversed(pairs)], ())
    turned = compare(CPU, [Pair(head, base) for base, head in pairs], ())
    assert other.change == pytest.approx(found.change, rel=1e-6, abs=1e-9)
    assert turned.low == pytest.approx(1 / (1 + found.high) - 1, rel=1e-6, abs=1e-9)
    assert not (found.conclusion is turned.conclusion is Conclusion.REGRESSION)


@settings(max_examples=40)
@given(st.lists(st.tuples(figures, figures), min_size=8, max_size=12), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_larger_budget_never_turns_a_pass_into_a_failure(
    legs: list[tuple[float, float]], one: float, other: float
) -> None:
    """Whatever passes a budget passes a larger one."""
    pairs = [Pair(*leg) for leg in legs]
    strict, lax = (compare(Compared("x", budget), pairs, ()).conclusion for budget in sorted((one, other)))
    passes = {Conclusion.PASS, Conclusion.IMPROVEMENT}
    assert strict not in passes or lax in passes
    assert lax is not Conclusion.REGRESSION or strict is Conclusion.REGRESSION
