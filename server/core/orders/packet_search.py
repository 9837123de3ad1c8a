"""
The two passes of the search for the best set of packets (AMB-16, AMB-54): branch and bound, in slices of work.

The first pass looks for the most that a set can deduct; of packets with the same lines only the largest matter to it.
The second looks among the sets that deduct as much for the one that wins the ties. Where few subsets of the packets
still to come have the sum that is missing, it tries just those instead of branching (meet in the middle).

A branch is left when a bound says that it cannot win: no set reaches further than the value of a cut, nor than a part
of it deducts and the others add to that alone; and no set wastes less than a part of it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from heapq import heapify, heappop, heappush, nlargest
from operator import add
from typing import NamedTuple

from server.core.orders.packet_bounds import Bounds, CountLimits, LineRest, Pauses, Work
from server.core.orders.packet_flow import Contender, Reach, Reached

LISTED_MAX = 10  # packets, the last ones, of all whose subsets the sums are listed
TRIED_MAX = 8  # subsets of these that are tried instead of branching


class Branch(NamedTuple):
    """A set of packets, by position: its reach, how many may still be added, its creator's packets, and its ties."""

    reached: Reached
    left: int
    own: int = 0
    tie: int = 0
    chosen: tuple[int, ...] = ()


class Branching:
    """Packets in the order of a search, and the step from a set to a larger one."""

    def __init__(self, reach: Reach, packets: Sequence[Contender], limits: CountLimits, work: Work) -> None:
        self.reach = reach
        self.packets = packets
        self.bounds = Bounds(reach, packets, limits)
        self.work = work
        self._limits = limits

    @property
    def root(self) -> Branch:
        """Return the empty set."""
        return Branch(self.reach.empty(), self._limits.packets)

    def own_left(self, branch: Branch) -> int:
        """Return how many of the creator's packets may still be added, if their number is limited."""
        return 0 if self._limits.own is None else self._limits.own - branch.own

    def fits(self, branch: Branch, own: int) -> bool:
        """Return whether so many more of the creator's packets may be added."""
        return self._limits.own is None or branch.own + own <= self._limits.own

    def bound_fen(self, branch: Branch, position: int, count: int) -> int:
        """Return the most that the cuts let a set deduct with so many more packets from a position on."""
        reach_fen: int = min(map(add, branch.reached.values, self.bounds.reach_fen[position][count]))
        return reach_fen

    def rest(self, branch: Branch) -> LineRest:
        """Return what a set leaves of the lines."""
        return LineRest(self.reach, self.reach.tight(branch.reached), [self.packets[i] for i in branch.chosen])

    def gain_fen(self, branch: Branch, position: int, rest: LineRest) -> int:
        """Return the most by which packets from a position on can raise a set's deduction."""
        gain_fen = self.bounds.gain_fen(position, rest, branch.left, self.own_left(branch))
        self.work.spend(1 + self.bounds.looked_at // 4)
        return gain_fen

    def added_fen(self, branch: Branch, position: int) -> int:
        """Return what one more packet adds to a set's deduction."""
        self.work.spend(1 + len(branch.reached.wasting) // 4)
        return self.reach.grown(branch.reached, self.packets[position], 0).deduction_fen - branch.reached.deduction_fen

    def grown(self, branch: Branch, position: int, rest_from: int) -> Branch:
        """Return a set with one more packet, to which none before position *rest_from* will be added."""
        reached, packet = branch.reached, self.packets[position]
        followed = len(reached.wasting)
        self.work.spend(1 + followed // 2 + followed * followed // 64 + len(self.reach.cuts) // 16)
        rest_fen = self.bounds.reach_fen[rest_from][branch.left][0]
        return Branch(
            self.reach.grown(reached, packet, rest_fen),
            branch.left - 1,
            branch.own + packet.own,
            branch.tie + packet.tie,
            (*branch.chosen, position),
        )


class DeductionSearch:
    """The first pass: the most that a set deducts."""

    def __init__(self, steps: Branching) -> None:
        self._steps = steps
        self.best = steps.root
        self.limit_fen = 0
        """No set deducts more."""

    def run(self, work_max: int) -> Pauses:
        """Search, with pauses. Raises OutOfWorkError when the work is done; ``best`` is then the best found."""
        steps = self._steps
        steps.work.allow(None)
        steps.bounds.fill_start()
        self.limit_fen = min(
            steps.bound_fen(steps.root, 0, steps.root.left), steps.gain_fen(steps.root, 0, steps.rest(steps.root))
        )
        yield from self._greedy()
        if self.best.reached.deduction_fen == self.limit_fen:
            return
        yield from steps.bounds.fill(steps.work)
        steps.work.allow(work_max)
        yield from self._visit(0, steps.root)
        self.limit_fen = self.best.reached.deduction_fen

    def _greedy(self) -> Pauses:
        """Add the packet that deducts most, over and over; the gain of each only shrinks."""
        steps = self._steps
        gains = [(-min(each.face_fen, steps.reach.price_fen(each.mask)), i) for i, each in enumerate(steps.packets)]
        heapify(gains)
        branch = steps.root
        while gains and branch.left:
            _, position = heappop(gains)
            if not steps.fits(branch, steps.packets[position].own):
                continue
            gain_fen = steps.added_fen(branch, position)
            if gain_fen and gains and (-gain_fen, position) > gains[0]:
                heappush(gains, (-gain_fen, position))
            elif gain_fen:
                self.best = branch = steps.grown(branch, position, 0)
            if steps.work.due():
                yield

    def _visit(self, position: int, branch: Branch) -> Pauses:
        """Look at every set that adds packets from a position on to a set and may deduct more than the best."""
        steps = self._steps
        rest = steps.rest(branch)
        kinds: set[tuple[int, bool]] = set()
        for i in range(position, len(steps.packets)):
            packet = steps.packets[i]
            if packet.kind in kinds or not steps.fits(branch, packet.own):
                continue
            kinds.add(packet.kind)  # of packets with the same lines, a smaller one only goes with the larger ones
            best_fen = self.best.reached.deduction_fen
            if best_fen >= self.limit_fen or steps.bound_fen(branch, i, branch.left) <= best_fen:
                return
            if branch.reached.deduction_fen + steps.gain_fen(branch, i, rest) <= best_fen:
                return
            larger = steps.grown(branch, i, i)
            if steps.work.due():
                yield
            if larger.reached.deduction_fen == branch.reached.deduction_fen:
                continue
            if larger.reached.deduction_fen > best_fen:
                self.best = larger
            if larger.left:
                yield from self._visit(i + 1, larger)


class Listed(NamedTuple):
    """A subset of the last packets, listed by its sum: its reach outside each cut, own packets, ties, positions."""

    face_fen: int
    outside: tuple[int, ...]
    own: int
    tie: int
    chosen: tuple[int, ...]


class TieSearch:
    """The second pass: of the sets that deduct ``target_fen``, or more if the first was stopped, the best."""

    def __init__(self, steps: Branching, target_fen: int) -> None:
        self._steps = steps
        self.target_fen = target_fen
        """The deduction of the best set."""
        self._listed: dict[int, list[Listed]] = {}
        self._sums: dict[int, list[int]] = {}
        self.best: tuple[Contender, ...] = ()
        self._rank = (0, 0, 0)

    def run(self, known: Sequence[Contender], work_max: int) -> Pauses:
        """
        Search for a better set than the *known* one, with pauses.

        Raises OutOfWorkError when the work is done; ``best`` is then the best found.
        """
        self._steps.work.allow(work_max)
        self.best = (*known,)
        waste_fen = sum(each.face_fen for each in known) - self.target_fen
        self._rank = waste_fen, len(known), -sum(each.tie for each in known)
        yield from self._steps.bounds.fill(self._steps.work)
        yield from self._list()
        yield from self._visit(0, self._steps.root)

    def _list(self) -> Pauses:
        """List the subsets of the last packets from each position on, by their sums."""
        steps, end = self._steps, len(self._steps.packets)
        subsets = [Listed(0, (0,) * len(steps.reach.cuts), 0, 0, ())]
        self._listed[end], self._sums[end] = subsets[:], [0]
        for i in range(end - 1, end - 1 - min(LISTED_MAX, end // 2), -1):
            packet = steps.packets[i]
            subsets += [
                Listed(
                    each.face_fen + packet.face_fen,
                    tuple(map(add, each.outside, packet.outside)),
                    each.own + packet.own,
                    each.tie + packet.tie,
                    (i, *each.chosen),
                )
                for each in subsets
            ]
            subsets.sort(key=lambda each: each.face_fen)
            self._listed[i] = subsets[:]
            self._sums[i] = [each.face_fen for each in subsets]
            steps.work.spend(len(subsets) // 2)
            if steps.work.due():
                yield

    def _visit(self, position: int, branch: Branch) -> Pauses:
        """Look at every set that adds packets from a position on to a set and may be better than the best."""
        steps = self._steps
        twins: set[tuple[int, bool, int]] = set()
        for i in range(position, len(steps.packets)):
            if not self._may_win(i, branch):
                return
            packet = steps.packets[i]
            twin = (*packet.kind, packet.face_fen)
            if twin in twins or not steps.fits(branch, packet.own):
                continue
            twins.add(twin)  # of equal packets, one that loses the ties only goes with those that win them
            fitting = self._fitting(i + 1, branch.reached.face_fen + packet.face_fen)
            if steps.work.due():
                yield
            if fitting is not None and not fitting:
                continue  # too little or too much, whatever is added
            larger = steps.grown(branch, i, i)
            if larger.reached.deduction_fen == branch.reached.deduction_fen:
                continue  # waste, whatever is added
            if larger.reached.deduction_fen >= self.target_fen:
                self._consider(larger.reached.deduction_fen, larger.reached.face_fen, larger.tie, larger.chosen)
            elif larger.left and not self._tried(i + 1, larger, fitting) and not self._hopeless(i + 1, larger):
                yield from self._visit(i + 1, larger)

    def _consider(self, deduction_fen: int, face_fen: int, tie: int, chosen: tuple[int, ...]) -> None:
        """Keep a set that deducts the target, at least, if it is the best so far."""
        rank = (face_fen - deduction_fen, len(chosen), -tie)
        if deduction_fen > self.target_fen or rank < self._rank:
            self.target_fen = deduction_fen
            self._rank = rank
            self.best = tuple(self._steps.packets[i] for i in chosen)

    def _fitting(self, position: int, face_fen: int) -> range | None:
        """Return the listed subsets from a position on with which faces make a set as good as the best, if listed."""
        sums = self._sums.get(position)
        if sums is None:
            return None
        self._steps.work.spend(1)
        missing_fen = self.target_fen - face_fen
        start = bisect_left(sums, missing_fen)
        return range(start, bisect_right(sums, missing_fen + self._rank[0], start))

    def _tried(self, position: int, branch: Branch, fitting: range | None) -> bool:
        """Try the listed subsets from a position on that fit, if these are few."""
        if fitting is None or len(fitting) > TRIED_MAX:
            return False
        self._steps.work.spend(len(fitting) // 2)
        missing_fen = self.target_fen - branch.reached.face_fen
        for each in self._listed[position][fitting.start : fitting.stop]:
            chosen = branch.chosen + each.chosen
            rank = (each.face_fen - missing_fen, len(chosen), -branch.tie - each.tie)
            if rank < self._rank and (deduction_fen := self._deduction_fen(branch, each)) >= self.target_fen:
                self._consider(deduction_fen, branch.reached.face_fen + each.face_fen, branch.tie + each.tie, chosen)
        return True

    def _deduction_fen(self, branch: Branch, subset: Listed) -> int:
        """Return the deduction of a set with a listed subset if it is allowed, or else, or below the target, 0."""
        steps = self._steps
        if len(subset.chosen) > branch.left or not steps.fits(branch, subset.own):
            return 0
        deduction_fen: int = min(map(add, branch.reached.values, subset.outside))
        if deduction_fen < self.target_fen:
            return 0
        if steps.reach.complete:
            return deduction_fen
        for i in subset.chosen:
            branch = steps.grown(branch, i, i)
            if branch.reached.waste_fen > self._rank[0]:
                return 0
        return branch.reached.deduction_fen

    def _hopeless(self, position: int, branch: Branch) -> bool:
        """Return whether packets from a position on cannot add what is missing without more waste than the best has."""
        steps, reached = self._steps, branch.reached
        missing_fen = self.target_fen - reached.deduction_fen
        rest = steps.rest(branch)
        if steps.gain_fen(branch, position, rest) < missing_fen:
            return True
        steps.work.spend(1 + (len(steps.packets) - position) // 8)
        waste_fen = steps.bounds.waste_fen(position, rest, missing_fen)
        return reached.waste_fen + waste_fen > self._rank[0]

    def _may_win(self, position: int, branch: Branch) -> bool:
        """Return whether packets from a position on can make a set as good as the best, as far as cuts and ties say."""
        waste_fen, count, tie = self._rank
        left = branch.left
        if branch.reached.waste_fen > waste_fen:
            return False
        if branch.reached.waste_fen < waste_fen:
            return self._steps.bound_fen(branch, position, left) >= self.target_fen
        left = min(left, count - len(branch.chosen))
        if left <= 0 or self._steps.bound_fen(branch, position, left) < self.target_fen:
            return False
        if left < count - len(branch.chosen):
            return True
        fewer_do = self._steps.bound_fen(branch, position, left - 1) >= self.target_fen
        return fewer_do or branch.tie + self._steps.bounds.ties[position][left] > -tie


def without_losers(reach: Reach, packets: Sequence[Contender], count_max: int, least_fen: int) -> list[Contender]:
    """Return the packets that some set which deducts *least_fen* may hold, as far as the cuts say."""
    others = [sum(nlargest(count_max - 1, column)) for column in zip(*(each.outside for each in packets), strict=True)]
    start = list(map(add, reach.empty().values, others))
    return [each for each in packets if min(map(add, start, each.outside)) >= least_fen]
