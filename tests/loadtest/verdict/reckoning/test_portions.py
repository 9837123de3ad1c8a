"""Portions: exact, to the fen, and ties to the earlier."""

from fractions import Fraction

import pytest

from loadtest.verdict.reckoning.portions import half_up, portions


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [(Fraction(0), 0), (Fraction(1, 2), 1), (Fraction(3, 2), 2), (Fraction(4_999, 10_000), 0), (Fraction(7, 3), 2)],
)
def test_a_half_is_rounded_up(exact: Fraction, rounded: int) -> None:
    """And anything less down."""
    assert half_up(exact) == rounded


@pytest.mark.parametrize(
    ("total_fen", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (2, [1, 1, 1], [1, 1, 0]),
        (10, [3, 3, 1], [4, 4, 2]),
        (7, [0, 5, 0], [0, 7, 0]),
        (0, [0, 0], [0, 0]),
        (1, [1, 2], [0, 1]),
    ],
)
def test_the_largest_remainders_are_rounded_up(total_fen: int, weights: list[int], parts: list[int]) -> None:
    """Of equal ones the earlier."""
    assert portions(total_fen, weights) == parts
