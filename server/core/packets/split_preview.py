"""A preview of a split: one example of the shares that terms would make, counted by amount. It promises nothing."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from server.core.packets.packet import Terms
from server.core.packets.split import split

SHARES_MAX = 10_000  # drawn for an example: some ten milliseconds
BARS = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """The number of example shares from ``from_fen`` to ``to_fen``, both inclusive."""

    from_fen: int
    to_fen: int
    count: int


@dataclass(frozen=True, slots=True)
class SplitPreview:
    """An example split of ``shares`` shares (of a larger packet a part): its bars, smallest, largest and mean share."""

    shares: int
    bars: tuple[Bar, ...]
    min_fen: int
    max_fen: int
    mean_fen: float


def preview_split(terms: Terms) -> SplitPreview:
    """
    Return an example split of terms that are feasible; equal terms have the same.

    The seed is a digest of the terms, and not one that a packet gets.
    """
    drawn = _within(terms)
    shares = split(drawn, hashlib.sha256(repr(astuple(drawn)).encode()).digest())
    return SplitPreview(len(shares), _bars(shares), min(shares), max(shares), sum(shares) / len(shares))


def _within(terms: Terms) -> Terms:
    """Return terms of at most SHARES_MAX shares with the same bounds and, to the fen, the same mean."""
    if terms.share_count <= SHARES_MAX:
        return terms
    return replace(terms, share_count=SHARES_MAX, total_fen=terms.total_fen * SHARES_MAX // terms.share_count)


def _bars(shares: Sequence[int]) -> tuple[Bar, ...]:
    """Return the shares by amount: bars of equal width from the smallest to the largest, the last one maybe shorter."""
    lowest, highest = min(shares), max(shares)
    width = -(-(highest - lowest + 1) // BARS)
    counts = Counter((share - lowest) // width for share in shares)
    return tuple(
        Bar(lowest + number * width, min(lowest + (number + 1) * width - 1, highest), counts[number])
        for number in range((highest - lowest) // width + 1)
    )
