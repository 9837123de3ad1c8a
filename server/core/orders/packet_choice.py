"""
The best set of packets for one order (AMB-16, AMB-54).

A set deducts as much as any spread of its faces over the lines they may be used on allows; the rest of its faces is its
waste. Of all sets the one that deducts most is best; of equals the one that wastes least, then the one of fewer
packets, then the one that expires earliest, then the one of the lowest ids.

No search could be both exact and fast for any number of packets and lines: the choice contains the covering of lines by
few packets, and sums that must fit to a fen. Up to ``exact_max`` packets it runs to its end. Beyond, each pass ends
with its work (``WORK_MAX``), and the set says whether a better one may have been missed.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from server.core.orders.packet_bounds import CountLimits, OutOfWorkError, Pauses, Work
from server.core.orders.packet_flow import Contender, Reach, order_by_line
from server.core.orders.packet_search import Branching, DeductionSearch, TieSearch, without_losers

WORK_MAX = 4_000  # states of one pass, with more than ``exact_max`` packets
WORK_EVER_MAX = 1_000_000  # states of one pass, with fewer: a second or two
CUTS_MAX = 64  # with few packets; with many, the tables of bounds would be large
CUTS_LEARNED_MAX = 36
TABLE_MAX = 1_280  # packets times cuts
TIED_MAX = 120  # packets among which ties are looked for


Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A packet that may be used: its face, its expiry, the positions of its lines, and whether it is a creator's."""

    asset_id: str
    face_fen: int
    use_end_at_ms: int
    lines: frozenset[int]
    own: bool = False


@dataclass(frozen=True, slots=True)
class BestSet:
    """The best set found, its deduction, and whether a better one may have been missed."""

    chosen: tuple[Candidate, ...]
    deduction_fen: int
    approximate: bool = False

    @property
    def ids(self) -> frozenset[str]:
        """Return the ids of its packets."""
        return frozenset(each.asset_id for each in self.chosen)

    @property
    def rank(self) -> tuple[int, int, int, tuple[int, ...], tuple[str, ...]]:
        """Return the rank, lower is better (AMB-16): most deducted, least wasted, fewest, earliest, lowest ids."""
        return (
            -self.deduction_fen,
            sum(each.face_fen for each in self.chosen) - self.deduction_fen,
            len(self.chosen),
            tuple(sorted(each.use_end_at_ms for each in self.chosen)),
            tuple(sorted(each.asset_id for each in self.chosen)),
        )


def best_set(
    groups: Sequence[Sequence[Candidate]],
    left_by_line: Sequence[int],
    limits: CountLimits,
    exact_max: int,
    work: Work,
) -> Generator[None, None, BestSet]:
    """
    Return the best set of packets of one of these groups, with pauses in which others may run.

    Up to *exact_max* candidates it is exact.
    """
    exact = len({each.asset_id for group in groups for each in group}) <= exact_max
    work_max = WORK_EVER_MAX if exact else WORK_MAX // max(1, len(groups))
    best, doubts = BestSet((), 0), []
    for group in groups:
        useful = [each for each in group if any(left_by_line[i] for i in each.lines)]
        if useful:
            found, limit_fen = yield from _best_of_group(useful, left_by_line, limits, work, work_max)
            best = min(best, found, key=lambda each: each.rank)
            if found.approximate:
                doubts.append(limit_fen)
    return replace(best, approximate=any(limit_fen >= best.deduction_fen for limit_fen in doubts))


def without_pauses(search: Generator[None, None, Result]) -> Result:
    """Return the result of a search that nobody else needs to run beside."""
    while True:
        try:
            next(search)
        except StopIteration as ended:
            result: Result = ended.value
            return result


def _best_of_group(
    group: Sequence[Candidate],
    left_by_line: Sequence[int],
    limits: CountLimits,
    work: Work,
    work_max: int,
) -> Generator[None, None, tuple[BestSet, int]]:
    """Return the best set of one group, and the most that any set of it may deduct."""
    cuts_max = max(8, min(CUTS_MAX, TABLE_MAX // len(group)))
    reach = Reach([each.lines for each in group], left_by_line, cuts_max)
    packets = _contenders(group, reach, limits)
    by_id = {each.asset_id: each for each in group}
    learned_max = min(CUTS_LEARNED_MAX, cuts_max)

    if work.due(4 * len(group)):
        yield
    masks = sorted({each.mask for each in packets})
    largest = [*_largest(packets, reach, limits.packets)]
    reach.cut_by([*_suffixes(largest), *masks], learned_max)
    outside = {each.asset_id: each for each in _outside(packets, reach)}
    steps = Branching(reach, [outside[each.asset_id] for each in largest], limits, work)
    first = DeductionSearch(steps)
    ended = yield from _ended(first.run(work_max))
    known = [steps.packets[i] for i in first.best.chosen]
    target_fen = first.best.reached.deduction_fen

    if work.due(4 * len(group)):
        yield
    kept = without_losers(reach, [*outside.values()], limits.packets, target_fen)
    every_nth = -(-len(kept) // TIED_MAX)
    ordered = order_by_line(kept[::every_nth], reach.bits)
    if not reach.complete:
        reach.cut_by([*_suffixes(ordered), *masks], learned_max)
        ordered = without_losers(reach, _outside(ordered, reach), limits.packets, target_fen)
    second = TieSearch(Branching(reach, ordered, limits, work), target_fen)
    ended &= yield from _ended(second.run(known, work_max))
    chosen = tuple(by_id[each.asset_id] for each in second.best)
    return BestSet(chosen, second.target_fen, approximate=not ended or every_nth > 1), first.limit_fen


def _ended(pauses: Pauses) -> Generator[None, None, bool]:
    """Run a pass, and return whether it came to its end."""
    try:
        yield from pauses
    except OutOfWorkError:
        return False
    return True


def _contenders(group: Sequence[Candidate], reach: Reach, limits: CountLimits) -> list[Contender]:
    """
    Return the packets that may win, in a sum of ``tie`` that compares as expiries and then ids do.

    Of those that each pay for all their lines alone only the smallest may win, and of equals as many as an order takes.
    """
    ends = {end: rank for rank, end in enumerate(sorted({each.use_end_at_ms for each in group}, reverse=True))}
    ids = {asset_id: rank for rank, asset_id in enumerate(sorted((each.asset_id for each in group), reverse=True))}
    width = limits.packets.bit_length()
    contenders = [
        Contender(
            each.asset_id,
            each.face_fen,
            reach.masks[each.lines],
            limits.own is not None and each.own,
            (1 << width * ends[each.use_end_at_ms] + len(group)) + (1 << ids[each.asset_id]),
        )
        for each in group
    ]
    kept: list[Contender] = []
    counts: dict[tuple[tuple[int, bool], int], int] = {}
    for each in sorted(contenders, key=lambda each: (each.face_fen, -each.tie)):
        alike = each.kind, min(each.face_fen, reach.price_fen(each.mask))
        counts[alike] = counts.get(alike, 0) + 1
        if counts[alike] <= (1 if alike[1] == reach.price_fen(each.mask) else limits.packets):
            kept.append(each)
    return kept


def _largest(packets: Sequence[Contender], reach: Reach, count_max: int) -> Iterator[Contender]:
    """
    Yield as many packets of each kind as an order takes, those that reach furthest first.

    A creator's come first if their number is limited: once they are settled, the bounds of the others are close.
    """
    counts: dict[tuple[int, bool], int] = {}
    furthest = sorted(packets, key=lambda each: (-min(each.face_fen, reach.price_fen(each.mask)), -each.face_fen))
    for each in sorted(furthest, key=lambda each: not each.own):
        counts[each.kind] = counts.get(each.kind, 0) + 1
        if counts[each.kind] <= count_max:
            yield each


def _outside(packets: Sequence[Contender], reach: Reach) -> list[Contender]:
    """Return the packets with their reach outside the cuts that are kept now."""
    return [each._replace(outside=reach.outside(each.face_fen, each.mask)) for each in packets]


def _suffixes(packets: Sequence[Contender]) -> Iterator[int]:
    """Yield the lines that the last packets may be used on, for each number of these."""
    lines = 0
    for each in reversed(packets):
        lines |= each.mask
        yield lines
