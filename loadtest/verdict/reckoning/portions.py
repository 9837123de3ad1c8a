"""Portions: exact fractions of an amount, rounded as the rules say (KS-PRC-2, AMB-19, AMB-42)."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor


def half_up(exact: Fraction) -> int:
    """Return a fraction rounded to a whole number, a half upwards."""
    return floor(exact + Fraction(1, 2))


def portions(total_fen: int, weights: Sequence[int]) -> list[int]:
    """Return *total_fen* in proportion to *weights*: the largest remainders are rounded up, of equals the earlier."""
    whole = sum(weights)
    exact = [Fraction(total_fen * weight, whole) if whole else Fraction(0) for weight in weights]
    parts = [floor(each) for each in exact]
    missing = total_fen - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda at: exact[at] - parts[at], reverse=True)
    for at in by_remainder[: max(0, missing)]:
        parts[at] += 1
    return parts
