"""
The signed-rank statistic of a few paired differences: their centre, and an exact interval for it.

Wilcoxon (1945); the centre is that of Hodges and Lehmann (1963), the interval Tukey's. Where the sides of a pair were
taken in turns (ABBA), the differences of two equal sides are symmetric about 0 whatever their distribution, which is
all that the interval presumes: no normal noise, no large number. docs/gate.md says why it is no bootstrap.
"""

import math
from collections.abc import Sequence
from functools import cache
from statistics import median


def centre(differences: Sequence[float]) -> float:
    """Return the median of the means of all two differences, each with itself too; 0 if there are none."""
    return median(_means(differences)) if differences else 0.0


def interval(differences: Sequence[float], level: float) -> tuple[float, float] | None:
    """
    Return the bounds of the centre, each of which chance alone passes with a probability of at most *level*.

    None means that there are too few differences for any bounds.
    """
    outside = _outside(len(differences), level)
    if outside < 0:
        return None
    means = _means(differences)
    return means[outside], means[-1 - outside]


def chance_of_agreement(positive: int, count: int) -> float:
    """Return how probable it is that of *count* fair coins at least *positive* show the same side asked for."""
    return sum(math.comb(count, each) for each in range(positive, count + 1)) / (1 << count)


def _means(differences: Sequence[float]) -> list[float]:
    return sorted((one + other) / 2 for at, one in enumerate(differences) for other in differences[at:])


@cache
def _outside(count: int, level: float) -> int:
    """Return the largest sum of ranks that chance does not exceed downwards more often than *level*, or -1."""
    ways = [1]  # in how many ways the first ranks have each sum
    for rank in range(1, count + 1):
        longer = ways + [0] * rank
        for total, number in enumerate(ways):
            longer[total + rank] += number
        ways = longer
    below = 0
    for total, number in enumerate(ways):
        below += number
        if below > level * (1 << count):
            return total - 1
    return len(ways) - 1
