"""The two passes of the search: what they find when they are stopped, and what they leave out."""

from collections.abc import Sequence
from random import Random

import pytest

from server.core.orders.packet_bounds import CountLimits, OutOfWorkError, Work
from server.core.orders.packet_choice import Candidate
from server.core.orders.packet_flow import Reach
from server.core.orders.packet_search import Branching, DeductionSearch, TieSearch, without_losers
from tests.core.orders.packet_draws import a_draw, best_by_force, deduction_by_force
from tests.core.orders.test_packet_flow import contender


def steps_of(packets: Sequence[Candidate], left_by_line: Sequence[int], count_max: int, work: Work) -> Branching:
    reach = Reach([each.lines for each in packets], left_by_line, 64)
    largest_first = sorted((contender(each, reach) for each in packets), key=lambda each: -each.face_fen)
    return Branching(reach, largest_first, CountLimits(count_max, None), work)


def test_a_first_pass_that_is_stopped_keeps_the_best_and_its_limit() -> None:
    """The set that the greedy choice made, and a limit that nothing exceeds; let run, it ends at the best."""
    rng = Random(7)
    stopped = 0
    for _ in range(80):
        packets, left_by_line = a_draw(rng, count=9, lines=9)
        best_fen, _ = best_by_force(packets, left_by_line, 3, None)
        search = DeductionSearch(steps_of(packets, left_by_line, 3, Work()))
        try:
            list(search.run(0))
        except OutOfWorkError:
            stopped += 1
        assert search.best.reached.deduction_fen <= best_fen <= search.limit_fen
        search = DeductionSearch(steps_of(packets, left_by_line, 3, Work()))
        list(search.run(1_000_000))
        assert search.best.reached.deduction_fen == best_fen == search.limit_fen
    assert stopped > 0


def test_a_second_pass_that_is_stopped_keeps_the_known_set() -> None:
    """The best of it is never worse than what it started from."""
    packets = [Candidate(f"a{i}", fen, 1, frozenset({0})) for i, fen in enumerate((7, 5, 4, 3, 2))]
    for work_max, ids in ((0, "a0 a1"), (1_000, "a0 a3")):
        steps = steps_of(packets, [10], 3, Work())
        search = TieSearch(steps, 10)
        if work_max == 0:
            with pytest.raises(OutOfWorkError):
                list(search.run(steps.packets[:2], work_max))
        else:
            list(search.run(steps.packets[:2], work_max))
        assert " ".join(each.asset_id for each in search.best) == ids


def test_a_second_pass_says_what_its_set_deducts() -> None:
    """After a first pass that was stopped it may meet sets that deduct more: these are better, and count in full."""
    rng = Random(8)
    raised = 0
    for _ in range(60):
        packets, left_by_line = a_draw(rng, count=8, lines=8)
        steps = steps_of(packets, left_by_line, 3, Work())
        known = [packets[int(each.asset_id[1:])] for each in steps.packets[:3]]  # the largest
        known_fen = deduction_by_force(known, left_by_line)
        search = TieSearch(steps, known_fen)
        list(search.run(steps.packets[:3], 1_000_000))
        ids = {each.asset_id for each in search.best}
        found = [each for each in packets if each.asset_id in ids]
        assert search.target_fen == deduction_by_force(found, left_by_line) >= known_fen
        raised += search.target_fen > known_fen
    assert raised > 0


def test_losers_are_left_out() -> None:
    """Ten fen are deducted by 7 and 3 or more; with 2 at most 9."""
    packets = [Candidate(f"a{i}", fen, 1, frozenset({0})) for i, fen in enumerate((7, 5, 4, 3, 2))]
    steps = steps_of(packets, [10], 2, Work())
    assert [each.face_fen for each in without_losers(steps.reach, steps.packets, 2, 10)] == [7, 5, 4, 3]
