"""A preview of a split has the shape of the real one, and the same for the same terms."""

import pytest

from server.core.packets.packet import Denomination, Terms
from server.core.packets.split_preview import BARS, SHARES_MAX, preview_split

RANDOM = Terms(Denomination.RANDOM, 2_000, 2_000_000, 1, 2_000)


@pytest.mark.parametrize(
    "terms",
    [
        RANDOM,
        Terms(Denomination.RANDOM, 1, 7, 1, 7),
        Terms(Denomination.RANDOM, 3, 10, 3, 4),
        Terms(Denomination.RANDOM, 100_000, 100_001, 1, 2),
        Terms(Denomination.RANDOM, 1_000_000, 1_999_999, 1, 2),
    ],
)
def test_every_share_stands_in_one_bar(terms: Terms) -> None:
    """Bars meet without a gap from the smallest share to the largest, and count as many as were drawn."""
    found = preview_split(terms)
    assert found == preview_split(terms)
    assert found.shares == min(terms.share_count, SHARES_MAX) == sum(bar.count for bar in found.bars)
    assert 1 <= len(found.bars) <= BARS
    assert (found.bars[0].from_fen, found.bars[-1].to_fen) == (found.min_fen, found.max_fen)
    assert all(one.to_fen + 1 == next_.from_fen for one, next_ in zip(found.bars, found.bars[1:], strict=False))
    assert terms.min_share_fen <= found.min_fen <= found.mean_fen <= found.max_fen <= terms.max_share_fen
    assert abs(found.mean_fen - terms.total_fen / terms.share_count) < 1 / found.shares + 1e-9


def test_a_fixed_packet_is_one_bar() -> None:
    """Everybody gets the same."""
    found = preview_split(Terms(Denomination.FIXED, 500, 50_000, 100, 100))
    assert [(bar.from_fen, bar.to_fen, bar.count) for bar in found.bars] == [(100, 100, 500)]
    assert (found.min_fen, found.max_fen, found.mean_fen) == (100, 100, 100)
