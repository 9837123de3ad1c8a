"""Comparison of two builds by pairs of legs: worse by more than the budget, or not, or unknown (docs/gate.md)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import NormalDist, median
from typing import NamedTuple

from loadtest.verdict.signed_rank import centre, chance_of_agreement, interval

LEVEL = 1 / 64  # with which chance alone passes one bound: the smallest there is with six pairs
AGREEMENT = 0.05  # so seldom would coins agree as the pairs must
POWER = 0.8  # of the stated detectable change, as is customary
PAIRS_MAX = 10_000  # a need of more is no plan


class Better(StrEnum):
    """The direction in which a metric improves."""

    SMALLER = "smaller"
    LARGER = "larger"


class Conclusion(StrEnum):
    """The conclusion of a comparison; an improvement is a pass."""

    PASS = "pass"  # noqa: S105 - a conclusion
    IMPROVEMENT = "improvement"
    REGRESSION = "regression"
    INCONCLUSIVE = "inconclusive"


class Pair(NamedTuple):
    """One measured figure of two legs that ran one after the other: of the base, and of the head."""

    base: float
    head: float


@dataclass(frozen=True, slots=True)
class Compared:
    """A metric to compare: *budget* is by how much the head may be worse, 0.1 for 10 %."""

    metric: str
    budget: float
    better: Better = Better.SMALLER


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    The comparison of one metric; ``reason`` says why it ended so.

    ``base`` and ``head`` are medians of legs. ``change`` is by how much the head is worse, 0.1 for 10 % (below 0:
    better), between ``low`` and ``high``; these are None with too few pairs. ``floor`` is the change that equal builds
    showed, ``agreeing`` how many pairs point where ``change`` does, ``detectable`` the change that as many pairs of
    this noise would have failed 4 times in 5, ``pairs_needed`` how many would pass an unchanged head as often, None if
    no sensible number would.
    """

    metric: str
    conclusion: Conclusion
    reason: str
    better: Better
    pairs: int
    unmeasured: int
    base: float
    head: float
    change: float
    low: float | None
    high: float | None
    budget: float
    floor: float
    agreeing: int
    detectable: float | None
    pairs_needed: int | None


def compare(
    compared: Compared,
    pairs: Sequence[Pair],
    equal_builds: Sequence[Pair] | None = None,
    *,
    may_fail: bool = True,
) -> Comparison:
    """
    Compare base and head once, by all *pairs*; ``looks.py`` decides after how many pairs.

    *equal_builds* are pairs of legs of one and the same build; None takes those among the pairs, whose legs must then
    be in ABBA order. A pair that measured nothing (0) is left out and counted.
    """
    measured = [pair for pair in pairs if _is_measured(pair)]
    differences = [_worse_by(compared, pair) for pair in measured]
    equal = same_builds(pairs) if equal_builds is None else equal_builds
    floor = abs(centre([_worse_by(compared, pair) for pair in equal if _is_measured(pair)]))
    bounds = interval(differences, LEVEL)
    middle = centre(differences)
    agreeing = sum(difference * middle > 0 for difference in differences)
    budget = math.log1p(compared.budget)
    detectable, needed = _resolution(bounds, len(differences), budget, max(budget, floor))
    conclusion, reason = _conclude(bounds, agreeing, len(differences), budget, floor, may_fail=may_fail)
    return Comparison(
        metric=compared.metric,
        conclusion=conclusion,
        reason=reason,
        better=compared.better,
        pairs=len(measured),
        unmeasured=len(pairs) - len(measured),
        base=median(pair.base for pair in measured) if measured else 0.0,
        head=median(pair.head for pair in measured) if measured else 0.0,
        change=math.expm1(middle),
        low=math.expm1(bounds[0]) if bounds else None,
        high=math.expm1(bounds[1]) if bounds else None,
        budget=compared.budget,
        floor=math.expm1(floor),
        agreeing=agreeing,
        detectable=detectable,
        pairs_needed=needed,
    )


def same_builds(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs of neighbouring legs of one build in the order base, head, head, base, base, head and so on."""
    return [
        Pair(one.base, other.base) if at % 2 else Pair(one.head, other.head)
        for at, (one, other) in enumerate(pairwise(pairs))
    ]


def is_beyond(compared: Compared, pairs: Sequence[Pair], change: float) -> bool:
    """Tell whether the centre of *pairs* alone is worse than by *change*."""
    middle = centre([_worse_by(compared, pair) for pair in pairs if _is_measured(pair)])
    return middle > math.log1p(change)


def _conclude(
    bounds: tuple[float, float] | None, agreeing: int, count: int, budget: float, floor: float, *, may_fail: bool
) -> tuple[Conclusion, str]:
    if bounds is None:
        return Conclusion.INCONCLUSIVE, f"{count} pairs are too few to tell anything"
    low, high = bounds
    agreed = chance_of_agreement(agreeing, count) <= AGREEMENT
    if high < -floor and agreed:
        return Conclusion.IMPROVEMENT, "the head is better than the base"
    if high < budget:
        return Conclusion.PASS, "if the head is worse, then by less than the budget"
    if low <= budget:
        return Conclusion.INCONCLUSIVE, "the interval holds the budget"
    if low <= floor:
        return Conclusion.INCONCLUSIVE, "the head is worse, but equal builds differed as much"
    if not agreed:
        return Conclusion.INCONCLUSIVE, f"only {agreeing} of {count} pairs point the same way"
    if not may_fail:
        return Conclusion.INCONCLUSIVE, f"{count} pairs are too few to fail"
    return Conclusion.REGRESSION, "the head is worse by more than the budget"


def _resolution(
    bounds: tuple[float, float] | None, count: int, budget: float, limit: float
) -> tuple[float | None, int | None]:
    """Return the detectable change and the pairs needed, by the width of the interval."""
    if bounds is None:
        return None, None
    normal = NormalDist()
    beyond = normal.inv_cdf(1 - LEVEL)
    reach = (1 + normal.inv_cdf(POWER) / beyond) * (bounds[1] - bounds[0]) / 2
    enough = budget > 0 and reach <= budget * math.sqrt(PAIRS_MAX / count)
    needed = math.ceil(count * (reach / budget) ** 2) if enough else None
    return math.expm1(limit + reach), needed


def _worse_by(compared: Compared, pair: Pair) -> float:
    """Return the log ratio of a pair, above 0 if the head is worse."""
    ratio = math.log(pair.head) - math.log(pair.base)
    return ratio if compared.better is Better.SMALLER else -ratio


def _is_measured(pair: Pair) -> bool:
    return all(math.isfinite(figure) and figure > 0 for figure in pair)
