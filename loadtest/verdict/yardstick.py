"""The yardstick: a fixed workload beside the legs, whose figures say whether the machine was the same for both."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.verdict.comparison import Pair
from loadtest.verdict.signed_rank import centre

TOLERANCE = 0.05  # a machine that moved by more measured itself, and not the builds
MOVED_MAX = 0.5  # of the pairs: past it there was no quiet half to compare


@dataclass(frozen=True, slots=True)
class YardstickCheck:
    """
    How steady the machine was: ``ok``, or ``note`` says why the timing part is void.

    ``steady`` are the numbers of the pairs to compare: two pairs, of legs in ABBA order, are left out together if the
    yardstick moved by more than the tolerance within one of them, so that a drift still favours neither side.
    ``change`` is the yardstick's from base legs to head legs over all pairs.
    """

    ok: bool
    note: str
    steady: list[int]
    change: float


def check_yardstick(figures: Sequence[Pair], tolerance: float = TOLERANCE) -> YardstickCheck:
    """Check the yardstick's *figures* beside the base's leg and beside the head's leg of each pair."""
    moves = [math.log(pair.head / pair.base) if min(pair) > 0 else math.inf for pair in figures]
    quiet = [abs(move) <= math.log1p(tolerance) for move in moves]
    steady = [at for at in range(len(moves)) if all(quiet[at - at % 2 : at - at % 2 + 2])]
    change = math.expm1(centre([move for move in moves if math.isfinite(move)]))
    moved = quiet.count(False)
    note = ""
    if moved > MOVED_MAX * len(moves):
        note = f"the yardstick moved by more than {tolerance:.0%} within {moved} of {len(moves)} pairs"
    elif abs(math.log1p(change)) > math.log1p(tolerance):
        note = f"the yardstick was {change:+.0%} beside the head's legs (at most {tolerance:.0%})"
    return YardstickCheck(not note, note, steady, change)
