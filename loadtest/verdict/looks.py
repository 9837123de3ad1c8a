"""Looks: after how many pairs a comparison may be decided, so that looking again and again alarms nobody falsely."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from loadtest.verdict.comparison import Compared, Comparison, Conclusion, Pair, compare, is_beyond

LOOKS = (6, 8, 12, 16, 24, 32)  # even, or a drift would favour one side; more pairs than 32 resolve little more
FAILS_FROM = 8  # six pairs agree by chance once in 64 times: enough to pass, too little to fail
CONFIRMING_MIN = 4


class More(NamedTuple):
    """A demand for more pairs, until there are ``pairs`` in all; ``confirming`` if these confirm a regression."""

    pairs: int
    confirming: bool


def enough(
    compared: Compared, pairs: Sequence[Pair], equal_builds: Sequence[Pair] | None = None, *, last: bool = False
) -> Comparison | More:
    """
    Return the comparison that *pairs*, in the order in which they were taken, decide, or how many it takes.

    *equal_builds* are one for each of the pairs (comparison.py).

    The pairs are looked at after each number in ``LOOKS``, and the first look that decides stands. A regression is
    confirmed once, by fresh pairs: these alone must be worse than the limit, and all together must fail again.
    *last* says that there will be no more pairs: those beyond the last look are then used once, in place of the next.
    """
    seen: Comparison | None = None
    for number in _numbers(len(pairs), last=last):
        if number > len(pairs):
            return More(number, confirming=False)
        equal = None if equal_builds is None else equal_builds[:number]
        seen = compare(compared, pairs[:number], equal, may_fail=number >= FAILS_FROM)
        if seen.conclusion is Conclusion.REGRESSION:
            return _confirm(compared, pairs, number, equal_builds, last=last)
        if seen.conclusion is not Conclusion.INCONCLUSIVE:
            return seen
    return seen or compare(compared, pairs, equal_builds)


def confirming_pairs(number: int) -> int:
    """Return how many fresh pairs confirm a regression that *number* of pairs have shown: half as many, and even."""
    return max(CONFIRMING_MIN, (number // 2 + 1) // 2 * 2)


def _numbers(count: int, *, last: bool) -> list[int]:
    if not last:
        return list(LOOKS)
    done = [number for number in LOOKS if number <= count]
    left = count - count % 2
    return done + [left] * (left > max(done, default=LOOKS[0]) and len(done) < len(LOOKS))


def _confirm(
    compared: Compared, pairs: Sequence[Pair], number: int, equal_builds: Sequence[Pair] | None, *, last: bool
) -> Comparison | More:
    wanted = number + confirming_pairs(number)
    if len(pairs) < wanted and not last:
        return More(wanted, confirming=True)
    together = compare(compared, pairs[:wanted], None if equal_builds is None else equal_builds[:wanted])
    if len(pairs) < wanted:
        reason = f"{number} pairs show a regression, but there was no time for the {wanted - number} that confirm it"
    elif together.conclusion is Conclusion.REGRESSION and is_beyond(
        compared, pairs[number:wanted], max(together.budget, together.floor)
    ):
        return together
    else:
        reason = f"the regression that {number} pairs showed was not confirmed by {wanted - number} more"
    return replace(together, conclusion=Conclusion.INCONCLUSIVE, reason=reason)
