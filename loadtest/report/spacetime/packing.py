"""Packing: gives what would overlap on one line of a diagram rows of its own."""

from collections.abc import Sequence
from itertools import count
from math import ceil, floor


def rows_of(extents: Sequence[tuple[float, float]], rows_max: int) -> list[int]:
    """Return a row for each extent, from and to, in the order given: the first free one, or the last of *rows_max*."""
    taken: list[list[tuple[float, float]]] = []
    rows = []
    for begins, ends in extents:
        free = (at for at, row in enumerate(taken) if all(ends < other[0] or other[1] < begins for other in row))
        row = min(next(free, len(taken)), rows_max - 1)
        if row == len(taken):
            taken.append([])
        taken[row].append((begins, ends))
        rows.append(row)
    return rows


def ticks_of(low: float, high: float, most: int) -> list[float]:
    """Return round numbers between two, at most *most* of them, evenly apart."""
    steps = (factor * 10.0**power for power in count(-4) for factor in (1, 2, 5))
    step = next(each for each in steps if (high - low) / each <= most - 1)
    return [round(at * step, 6) for at in range(ceil(low / step), floor(high / step) + 1)]
