"""
Change points of a series: after which runs a figure stayed higher or lower than before.

Pettitt's test (1979) on ranks, again on both sides of each change that it finds (binary segmentation). Ranks make no
outlier a change; the approximation of its significance errs on the safe side in a short series (docs/runs.md).
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

SIGNIFICANCE = 0.01
RUNS_MIN = 4  # on either side of a change: fewer are a bad day


class SteadyRuns(NamedTuple):
    """Runs from ``first`` up to, but without, ``end``, between which nothing changed, and their median."""

    first: int
    end: int
    median: float


def stretches(values: Sequence[float]) -> list[SteadyRuns]:
    """Return the stretches of a series, in order; one if nothing changed, none without values."""
    edges = [0, *sorted(_changes(values, 0)), len(values)]
    return [SteadyRuns(one, two, median(values[one:two])) for one, two in pairwise(edges) if one < two]


def _changes(values: Sequence[float], offset: int) -> Iterator[int]:
    at = _change(values)
    if at is not None:
        yield offset + at
        yield from _changes(values[:at], offset)
        yield from _changes(values[at:], offset + at)


def _change(values: Sequence[float]) -> int | None:
    """Return where the series changes most, if it is significant and leaves enough runs on both sides."""
    count = len(values)
    below, best, most = 0.0, None, 0.0
    for at, rank in enumerate(_ranks(values), start=1):
        below += rank
        distance = abs(2 * below - at * (count + 1))
        if RUNS_MIN <= at <= count - RUNS_MIN and distance > most:
            best, most = at, distance
    chance = 2 * math.exp(-6 * most**2 / (count**3 + count**2)) if count else 1.0
    return best if chance <= SIGNIFICANCE else None


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value, from 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for at in order[start:end]:
            ranks[at] = (start + 1 + end) / 2
        start = end
    return ranks
