"""
The deduction of a set of packets: the maximum flow from its packets into the lines, followed packet by packet.

Lines that the same packets may be used on count as one, and a set of these is a mask. By the minimum cut a set deducts
the least, over masks, of the price of the masked lines and of the packets' reach outside them. We keep this value for
a few masks, the *cuts*: all that matter if they are few, else some, whose least value is then only an upper bound.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import compress
from operator import add
from typing import NamedTuple


class Contender(NamedTuple):
    """
    A packet in the search: its position in it, face, lines, and whether it counts as its creator's.

    ``outside`` is its reach outside each cut; ``tie`` is its part in the last two ties, in which a larger sum wins.
    """

    asset_id: str
    face_fen: int
    mask: int
    own: bool
    tie: int
    outside: tuple[int, ...] = ()

    @property
    def kind(self) -> tuple[int, bool]:
        """Return what it has in common with the packets that differ from it in face alone."""
        return self.mask, self.own


class Reached(NamedTuple):
    """The reach of a set of packets: the value of each cut, its subsets that may waste most, and its deduction."""

    values: tuple[int, ...]
    wasting: Sequence[tuple[int, int]]
    face_fen: int
    deduction_fen: int
    waste_fen: int


class Reach:
    """The prices of lines, and the flow of packets into them."""

    def __init__(self, scopes: Iterable[frozenset[int]], left_by_line: Sequence[int], cuts_max: int) -> None:
        """Look at the lines of these scopes, of which each has something left, and choose at most *cuts_max* cuts."""
        known = frozenset(scopes)
        alike: dict[tuple[bool, ...], list[int]] = {}
        for i in sorted(frozenset[int]().union(*known)):
            if left_by_line[i] > 0:
                alike.setdefault(tuple([i in scope for scope in known]), []).append(i)
        self.price_fen = _prices_of([sum(left_by_line[i] for i in lines) for lines in alike.values()])
        """Return the price that is left of the lines in a mask."""
        self.bits = [1 << bit for bit in range(len(alike))]
        firsts = [lines[0] for lines in alike.values()]
        self.masks = {scope: sum(compress(self.bits, map(scope.__contains__, firsts))) for scope in known}
        self._outside: dict[int, list[int]] = {}
        self.every = (1 << len(alike)) - 1
        cuts = {0}
        self.complete = True
        for mask in sorted(set(self.masks.values())):
            cuts |= {cut | mask for cut in cuts}
            if len(cuts) > cuts_max:
                self.complete = False
                break
        self.cuts = sorted(cuts if self.complete else {0, self.every})

    def cut_by(self, cuts: Iterable[int], cuts_max: int) -> None:
        """Keep these cuts, too, the first ones if they are too many; nothing is gained if all are kept already."""
        if not self.complete:
            kept = dict.fromkeys((0, self.every, *cuts))
            self.cuts = sorted(list(kept)[:cuts_max])
            self._outside.clear()

    def outside(self, face_fen: int, mask: int) -> tuple[int, ...]:
        """Return the reach of one packet outside each cut: no more than its face, or than its lines cost there."""
        prices = self._outside.get(mask)
        if prices is None:
            prices = self._outside[mask] = [self.price_fen(mask & ~cut) for cut in self.cuts]
        return tuple([min(face_fen, fen) for fen in prices])

    def empty(self) -> Reached:
        """Return the reach of no packets."""
        return Reached(tuple([self.price_fen(cut) for cut in self.cuts]), ((0, 0),), 0, 0, 0)

    def grown(self, reached: Reached, packet: Contender, rest_fen: int) -> Reached:
        """
        Return the reach with one more packet, after which others may reach *rest_fen* more together.

        The waste of a set is the most, over its subsets, of their faces less the price of their lines. If not all cuts
        are kept we follow the subsets themselves, but neither one that wastes no more on as many lines as another, nor
        one that cannot come to waste most.
        """
        values = tuple(map(add, reached.values, packet.outside))
        face_fen = reached.face_fen + packet.face_fen
        if self.complete:
            deduction_fen = min(values)
            return Reached(values, reached.wasting, face_fen, deduction_fen, face_fen - deduction_fen)
        price_fen, mask, more_fen = self.price_fen, packet.mask, packet.face_fen
        larger = [(fen + more_fen - price_fen(mask & ~lines), lines | mask) for fen, lines in reached.wasting]
        most_fen = max(reached.wasting[0][0], max(larger)[0])
        kept: list[tuple[int, int]] = []
        for each in sorted((*reached.wasting, *larger), reverse=True):
            if each[0] + rest_fen <= most_fen and each[0] < most_fen:
                break
            for _, lines in kept:
                if each[1] | lines == lines:
                    break
            else:
                kept.append(each)
        return Reached(values, kept, face_fen, face_fen - most_fen, most_fen)

    def tight(self, reached: Reached) -> int:
        """Return lines on which nothing is left, and outside which the packets are used up."""
        return self.cuts[reached.values.index(reached.deduction_fen)] if self.complete else reached.wasting[0][1]


def _prices_of(prices: Sequence[int]) -> Callable[[int], int]:
    """Return the function that gives the price of the lines in a mask, from the sums of each eight lines."""
    tables = []
    for first in range(0, len(prices), 8):
        sums = [0]
        for fen in prices[first : first + 8]:
            sums += [fen + sum_fen for sum_fen in sums]
        tables.append(sums)

    @cache
    def price_fen(mask: int) -> int:
        eights = zip(tables, mask.to_bytes(len(tables), "little"), strict=True)
        return sum([sums[eight] for sums, eight in eights])

    return price_fen


def order_by_line(packets: Sequence[Contender], bits: Sequence[int]) -> list[Contender]:
    """Return the packets line by line, first those that few can pay for, so that a line left open is soon noticed."""
    counts: dict[int, int] = {}
    for each in packets:
        counts[each.mask] = counts.get(each.mask, 0) + 1
    lines = {mask: [bit for bit in bits if mask & bit] for mask in counts}
    payers = dict.fromkeys(bits, 0)
    for mask, count in counts.items():
        for bit in lines[mask]:
            payers[bit] += count
    ranks: dict[int, int] = {}
    while counts:
        _, rarest = min((number, bit) for bit, number in payers.items() if number > 0)
        for mask in sorted((mask for mask in counts if mask & rarest), key=lambda mask: (mask.bit_count(), mask)):
            ranks[mask] = len(ranks)
            number = counts.pop(mask)
            for bit in lines[mask]:
                payers[bit] -= number
    return sorted(packets, key=lambda each: (ranks[each.mask], -each.face_fen, -each.tie))
