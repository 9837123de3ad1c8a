"""Bounds for the search for the best set of packets, and the work that it may spend (AMB-54)."""

from bisect import insort
from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from server.core.orders.packet_flow import Contender, Reach

SLICE = 300  # of work, between two pauses: about a millisecond

Pauses: TypeAlias = Generator[None, None, None]


class OutOfWorkError(Exception):
    """The search was stopped before its end."""


class Work:
    """The work of a search, in states looked at: what was done, the limit if any, and when to pause next."""

    def __init__(self) -> None:
        self.done = 0
        self.longest_slice = 0
        self._limit: int | None = None
        self._paused_at = 0

    def allow(self, more: int | None) -> None:
        """Allow so much more work, or any amount."""
        self._limit = None if more is None else self.done + more

    def spend(self, states: int) -> None:
        """Count work. Raises OutOfWorkError beyond the limit."""
        self.done += states
        if self._limit is not None and self.done > self._limit:
            raise OutOfWorkError

    def due(self, more: int = 0) -> bool:
        """Count *more* preparatory work, which no limit stops; return whether to pause now: a new slice begins then."""
        self.done += more
        slice_now = self.done - self._paused_at
        if slice_now < SLICE:
            return False
        self.longest_slice = max(self.longest_slice, slice_now)
        self._paused_at = self.done
        return True


class CountLimits(NamedTuple):
    """The most packets of one order, and of these a creator's, if that is limited."""

    packets: int
    own: int | None


class LineRest:
    """
    What a set of packets leaves of the lines, at most.

    Nothing is left on its *tight* lines. Each of its packets takes outside them as much as they hold for it, so what is
    left on any lines is less by the packets that, outside the tight ones, can be used on these alone.
    """

    def __init__(self, reach: Reach, tight: int, packets: Iterable[Contender]) -> None:
        self._reach = reach
        self._tight = tight
        outside = [(each.mask & ~tight, each.face_fen) for each in packets]
        self._taken = [(lines, min(face_fen, reach.price_fen(lines))) for lines, face_fen in outside if lines]

    def left_fen(self, mask: int) -> int:
        """Return the most that packets on these lines can add to the set's deduction."""
        left_fen = self._reach.price_fen(mask & ~self._tight)
        for lines, taken_fen in self._taken:
            if lines | mask == mask:
                left_fen -= taken_fen
        return left_fen


class Bounds:
    """
    Upper bounds on the reach of packets, by position: of any that come from there on in the search.

    Of packets with the same lines the largest come first.
    """

    def __init__(self, reach: Reach, packets: Sequence[Contender], limits: CountLimits) -> None:
        self._reach = reach
        self._packets = packets
        self._limits = limits
        nothing = [(0,) * len(reach.cuts)] * (limits.packets + 1)
        self.reach_fen: list[Sequence[tuple[int, ...]]] = [nothing] * (len(packets) + 1)
        """By position and number of packets: the most that these reach outside each cut."""
        self.looked_at = 0
        """How many packets the last call of ``gain_fen`` looked at."""
        faces = [each.face_fen for each in packets]
        largest = [*accumulate(reversed(faces), max)][::-1]
        self._offers = [(each.kind, each.face_fen, most_fen) for each, most_fen in zip(packets, largest, strict=True)]

    def fill_start(self) -> None:
        """Fill the table for the first position alone."""
        own = [each.outside for each in self._packets if self._is_limited(each)]
        other = [each.outside for each in self._packets if not self._is_limited(each)]
        sums = []
        for i in range(len(self._reach.cuts)):
            largest = sorted([outside[i] for outside in own], reverse=True)[: self._limits.own]
            sums.append(self._sums(largest, [outside[i] for outside in other]))
        self.reach_fen[0] = list(zip(*sums, strict=True))

    def fill(self, work: Work) -> Pauses:
        """Fill the table, with pauses."""
        own: list[list[int]] = [[] for _ in self._reach.cuts]
        other: list[list[int]] = [[] for _ in self._reach.cuts]
        sums = [self._sums([], [])] * len(self._reach.cuts)
        for position in range(len(self._packets) - 1, -1, -1):
            packet = self._packets[position]
            limited = self._is_limited(packet)
            columns, most = (own, self._limits.own) if limited else (other, self._limits.packets)
            assert most is not None
            for i, fen in enumerate(packet.outside):
                largest = columns[i]
                if len(largest) < most or fen > largest[0]:
                    insort(largest, fen)
                    del largest[:-most]
                    sums[i] = self._sums(own[i], other[i])
            self.reach_fen[position] = list(zip(*sums, strict=True))
            if work.due(2 + len(sums) // 2):
                yield

    def _is_limited(self, packet: Contender) -> bool:
        return packet.own and self._limits.own is not None

    def _sums(self, own: Sequence[int], other: Sequence[int]) -> Sequence[int]:
        """Return the sum of the largest, for each number of packets that an order takes."""
        count = self._limits.packets
        largest = sorted((*own, *other), reverse=True)[:count]
        return [*accumulate(largest + [0] * (count - len(largest)), initial=0)]

    @cached_property
    def ties(self) -> Sequence[Sequence[int]]:
        """By position and number of packets: the most that these add to a set's ties."""
        ties: list[int] = []
        rows = [[0] * (self._limits.packets + 1)]
        for packet in reversed(self._packets):
            insort(ties, packet.tie)
            del ties[: -self._limits.packets]
            missing = [0] * (self._limits.packets - len(ties))
            rows.append([*accumulate([*reversed(ties), *missing], initial=0)])
        return rows[::-1]

    @cached_property
    def _least_fen(self) -> Sequence[Mapping[int, int]]:
        """By position: the smallest faces by lines."""
        rows: list[Mapping[int, int]] = [{}]
        for packet in reversed(self._packets):
            least_fen = min(packet.face_fen, rows[-1].get(packet.mask, packet.face_fen))
            rows.append({**rows[-1], packet.mask: least_fen})
        return rows[::-1]

    def gain_fen(self, position: int, rest: LineRest, count: int, own_left: int) -> int:
        """Return the most that so many packets add to the deduction of a set with this rest."""
        left: dict[tuple[int, bool], int] = {}
        gains: list[int] = []
        own_gains: list[int] = []
        self.looked_at = len(self._offers) - position
        for i, (kind, face_fen, most_fen) in enumerate(self._offers[position:]):
            if len(gains) >= count and gains[-count] >= most_fen:
                self.looked_at = i
                break
            left_fen = left.get(kind)
            if left_fen is None:
                left_fen = rest.left_fen(kind[0])
            gain_fen = face_fen if face_fen < left_fen else left_fen
            left[kind] = left_fen - gain_fen
            if gain_fen:
                insort(own_gains if kind[1] else gains, gain_fen)
        if own_gains:
            gains += own_gains[max(0, len(own_gains) - own_left) :]
            gains.sort()
        return sum(gains[-count:])

    def waste_fen(self, position: int, rest: LineRest, missing_fen: int) -> int:
        """Return the least waste of packets that add so much to the deduction of a set with this rest."""
        offers: list[tuple[float, int, int]] = []
        for mask, face_fen in self._least_fen[position].items():
            left_fen = rest.left_fen(mask)
            if left_fen:
                offers.append((max(1.0, face_fen / left_fen), max(0, face_fen - left_fen), left_fen))
        waste_fen = 0
        for _, wasted_fen, left_fen in sorted(offers):
            if left_fen >= missing_fen:
                return waste_fen + wasted_fen * missing_fen // left_fen
            waste_fen += wasted_fen
            missing_fen -= left_fen
        return waste_fen
