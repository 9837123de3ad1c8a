"""Fen arithmetic: money is an integer number of fen, and no operation loses or creates any."""

from collections.abc import Sequence
from typing import NewType

Fen = NewType("Fen", int)

FEN_MAX = 2**53 - 1  # the largest integer that the store's scripts, whose numbers are doubles, hold exactly


def half_up(numerator: int, denominator: int) -> int:
    """
    Return numerator / denominator rounded half-up to a whole number (AMB-19).

    Both are integers, *numerator* not negative and *denominator* positive.
    """
    assert numerator >= 0
    assert denominator > 0
    return (2 * numerator + denominator) // (2 * denominator)


def largest_remainder(total_fen: int, weights: Sequence[int]) -> list[int]:
    """
    Allocate *total_fen* to parts in proportion to *weights*, exactly (section 14 of the rules).

    Equal remainders go to the earlier part. If all weights are zero, so must the total be.
    """
    assert total_fen >= 0
    assert all(weight >= 0 for weight in weights)
    whole = sum(weights)
    if whole == 0:
        assert total_fen == 0
        return [0] * len(weights)
    parts = [total_fen * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total_fen * weights[i] % whole), i))
    for i in by_remainder[: total_fen - sum(parts)]:
        parts[i] += 1

    assert sum(parts) == total_fen
    return parts
