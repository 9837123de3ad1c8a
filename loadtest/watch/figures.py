"""The figures of the dashboard: grabs a second over two minutes, the histogram of latencies, and the flow of money."""

from collections import Counter, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from loadtest.record.books import Books
from server.core.ids import PacketId

SECONDS_SHOWN = 120
BARS = 44
_NICE = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)


@dataclass(slots=True)
class RateHistory:
    """Counts that only grow, looked at about once a second, as rates over the last two minutes."""

    _counts: deque[tuple[float, tuple[int, ...]]] = field(default_factory=lambda: deque(maxlen=SECONDS_SHOWN + 1))

    def see(self, now_s: float, *counts: int) -> None:
        """Take note of the counts at one instant; nothing happens if the last ones are less than a second old."""
        if not self._counts or now_s - self._counts[-1][0] >= 1.0:
            self._counts.append((now_s, counts))

    def rates(self) -> list[tuple[float, ...]]:
        """Return the rates of each count a second, oldest first; a count that began anew (a restart) has rate 0."""
        return [
            tuple(max(0.0, round((more - fewer) / (after - before), 1)) for fewer, more in zip(old, new, strict=True))
            for (before, old), (after, new) in pairwise(self._counts)
        ]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many latencies lie in each of equal steps from 0 to ``top_ms``; what is above is in the last step."""

    top_ms: float
    counts: tuple[int, ...]


def histogram_of(latencies: Mapping[float, int], p99_ms: float) -> Histogram | None:
    """Return the histogram of latencies, wide enough for the 99th percentile; None without any."""
    if not any(latencies.values()):
        return None
    top_ms = _nice_above(max(p99_ms * 1.1, 1.0))
    counts = [0] * BARS
    for ms, count in latencies.items():
        counts[min(BARS - 1, max(0, int(ms / top_ms * BARS)))] += count
    return Histogram(top_ms, tuple(counts))


def _nice_above(value: float) -> float:
    scale = 1.0
    while scale * 10 <= value:
        scale *= 10
    return next(scale * step for step in _NICE if scale * step >= value)


@dataclass(frozen=True, slots=True)
class MoneyFlow:
    """
    Where the money of all packets is, in fen.

    What was funded is claimed or not. Of what was claimed some is used in orders (``redeemed``), some in the viewers'
    ``hands`` (locked by an order or not), and some ``expired``; of the rest some is in ``escrow``, some ``returned``.
    ``gap`` is how much more or less than funded these parts are: 0, unless something is wrong.
    """

    funded_fen: int
    claimed_fen: int
    redeemed_fen: int
    hands_fen: int
    expired_fen: int
    escrow_fen: int
    returned_fen: int
    gap_fen: int


def money_flow(books: Books, without: Collection[PacketId] = ()) -> MoneyFlow:
    """
    Return the flow of money in one cut: what was claimed by the journal, everything else by the packets' counters.

    An allocator that gives one share twice counts it once, and writes it into the journal twice. Packets to be left out
    are named in *without*.
    """
    journaled: Counter[PacketId] = Counter()
    for entry in books.journal:
        if entry.movement == "claim":
            journaled[entry.packet_id] += entry.amount_fen
    funded = claimed = redeemed = expired = escrow = returned = 0
    for packet in books.packets.values():
        if packet.packet_id in without:
            continue
        whole_journal = packet.creator_id not in books.openings
        funded += packet.total_fen
        claimed += journaled[packet.packet_id] if whole_journal else packet.given_fen
        redeemed += (packet.redeemed_fen or 0) + (packet.final_fen or 0)
        expired += packet.expired_fen or 0
        escrow += packet.remaining_fen
        returned += packet.returned_fen
    hands = claimed - redeemed - expired
    return MoneyFlow(funded, claimed, redeemed, hands, expired, escrow, returned, claimed + escrow + returned - funded)
