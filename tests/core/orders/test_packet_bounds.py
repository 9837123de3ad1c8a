"""The bounds hold: no packets add more to a set, or waste less, than these say; and work pauses and ends."""

from itertools import combinations
from random import Random

import pytest

from server.core.orders.packet_bounds import SLICE, Bounds, CountLimits, LineRest, OutOfWorkError, Work
from server.core.orders.packet_flow import Reach
from tests.core.orders.packet_draws import a_draw
from tests.core.orders.test_packet_flow import ENOUGH_FEN, contender


@pytest.mark.parametrize("cuts_max", [1, 64])
def test_no_packets_break_a_bound(cuts_max: int) -> None:
    """Of every set and every addition, on random draws: the cuts, the gain, the waste and the ties."""
    rng = Random(cuts_max)
    reached_gain = reached_cut = 0
    for _ in range(60):
        found, left_by_line = a_draw(rng, count=6, lines=rng.randint(1, 5))
        reach = Reach([each.lines for each in found], left_by_line, cuts_max)
        packets = sorted((contender(each, reach) for each in found), key=lambda each: -each.face_fen)
        own_max = rng.choice([1, 2])
        bounds = Bounds(reach, packets, CountLimits(4, own_max))
        assert list(bounds.fill(Work())) == []
        for held in (packets[:1], packets[:2]):
            small = reach.empty()
            for each in held:
                small = reach.grown(small, each, ENOUGH_FEN)
            rest = LineRest(reach, reach.tight(small), held)
            for more in (some for count in (1, 2) for some in combinations(packets[2:], count)):
                if sum(each.own for each in more) > own_max:
                    continue
                large = small
                for each in more:
                    large = reach.grown(large, each, ENOUGH_FEN)
                gain_fen = large.deduction_fen - small.deduction_fen
                limit_fen = bounds.gain_fen(2, rest, len(more), own_max)
                cut_fen = min(map(sum, zip(small.values, bounds.reach_fen[2][len(more)], strict=True)))
                assert gain_fen <= limit_fen
                assert large.deduction_fen <= cut_fen
                assert large.waste_fen - small.waste_fen >= bounds.waste_fen(2, rest, gain_fen)
                assert sum(each.tie for each in more) <= bounds.ties[2][len(more)]
                reached_gain += gain_fen == limit_fen
                reached_cut += large.deduction_fen == cut_fen
    assert min(reached_gain, reached_cut) > 100  # they are close, too


def test_work_pauses_after_each_slice() -> None:
    """Preparations count, and the longest slice is remembered."""
    work = Work()
    assert [work.due(SLICE - 1), work.due(1), work.due(), work.due(SLICE + 7)] == [False, True, False, True]
    assert (work.done, work.longest_slice) == (2 * SLICE + 7, SLICE + 7)


def test_work_ends_beyond_its_limit() -> None:
    """Only the work after the limit was set counts; without a limit it never ends."""
    work = Work()
    work.spend(100)
    work.allow(5)
    work.spend(5)
    with pytest.raises(OutOfWorkError):
        work.spend(1)
    work.allow(None)
    work.spend(10**9)
