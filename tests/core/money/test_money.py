"""Fen arithmetic: rounding, and parts that sum exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.money.money import half_up, largest_remainder


@pytest.mark.parametrize(("numerator", "denominator", "whole"), [(0, 2, 0), (1, 2, 1), (3, 2, 2), (1, 3, 0), (2, 3, 1)])
def test_halves_go_up(numerator: int, denominator: int, whole: int) -> None:
    """A half rounds up, and so does everything above it (AMB-19)."""
    assert half_up(numerator, denominator) == whole


@given(st.integers(0, 2**60), st.integers(1, 2**40))
def test_rounding_is_never_off_by_more_than_a_half(numerator: int, denominator: int) -> None:
    """The rounded number lies within a half of the exact one, above it at a tie."""
    assert -Fraction(1, 2) < half_up(numerator, denominator) - Fraction(numerator, denominator) <= Fraction(1, 2)


def test_equal_remainders_go_to_the_earlier_part() -> None:
    """The fen that does not divide falls on the first of equals."""
    assert largest_remainder(100, [1, 1, 1]) == [34, 33, 33]
    assert largest_remainder(101, [1, 1, 1]) == [34, 34, 33]


def test_a_larger_remainder_comes_first() -> None:
    """The part that lost most by rounding down gets the fen, wherever it stands."""
    assert largest_remainder(10, [1, 5, 4, 3]) == [1, 4, 3, 2]


def test_nothing_is_spread_over_no_weight() -> None:
    """Zero weights take a total of zero, and only that."""
    assert largest_remainder(0, [0, 0]) == [0, 0]
    with pytest.raises(AssertionError):
        largest_remainder(1, [0, 0])


@given(st.integers(0, 2**53), st.lists(st.integers(0, 2**40), min_size=1, max_size=30).filter(any))
def test_parts_sum_exactly_and_lie_next_to_their_quota(total_fen: int, weights: list[int]) -> None:
    """No fen is lost or made, and no part is a whole fen away from its exact quota."""
    parts = largest_remainder(total_fen, weights)
    assert sum(parts) == total_fen
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total_fen * weight, sum(weights))) < 1
