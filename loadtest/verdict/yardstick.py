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

    ``steady`` are the numbers of the pairs to compare. ``change`` is the yardstick's from base to head over all pairs.
    """

    ok: bool
    note: str
    steady: list[int]
    change: float


def check_yardstick(
    figures: Sequence[Pair], tolerance: float = TOLERANCE, *, disturbed: Sequence[bool] = (), together: int = 2
) -> YardstickCheck:
    """
    Check the yardstick's *figures* beside the base and beside the head of each pair.

    A pair is left out if the yardstick moved by more than the tolerance within it, or if it was *disturbed* otherwise.
    Pairs of legs one after the other are in ABBA order, so two of them leave *together*: a drift still favours neither
    side. A pair whose sides were measured in short turns is balanced by itself.
    """
    moves = [math.log(pair.head / pair.base) if min(pair) > 0 else math.inf for pair in figures]
    moved = [abs(move) > math.log1p(tolerance) for move in moves]
    out = [at for at, has in enumerate(moved) if has or (at < len(disturbed) and disturbed[at])]
    steady = [at for at in range(len(moves)) if all(each // together != at // together for each in out)]
    change = math.expm1(centre([moves[at] for at in range(len(moves)) if math.isfinite(moves[at])]))
    note = ""
    if len(out) > MOVED_MAX * len(moves):
        busy = "" if sum(moved) == len(out) else "the machine was busy, or "
        note = f"{busy}the yardstick moved by more than {tolerance:.0%} within {len(out)} of {len(moves)} pairs"
    elif abs(math.log1p(change)) > math.log1p(tolerance):
        note = f"the yardstick was {change:+.0%} beside the head's legs (at most {tolerance:.0%})"
    return YardstickCheck(not note, note, steady, change)
