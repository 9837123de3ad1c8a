"""The best set of packets: that of brute force up to twenty, and bounded work whatever a viewer owns (AMB-54)."""

from collections.abc import Sequence
from itertools import product
from random import Random

import pytest

from server.core.orders import packet_choice
from server.core.orders.packet_bounds import SLICE, CountLimits, Work
from server.core.orders.packet_choice import WORK_MAX, BestSet, Candidate, best_set, without_pauses
from tests.core.orders.packet_draws import a_draw, best_by_force

TEN = CountLimits(10, None)
THREE_LINES = [frozenset(lines) for lines in ({0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2})]


def the_best(
    packets: Sequence[Candidate],
    left_by_line: Sequence[int],
    limits: CountLimits = TEN,
    *,
    exact_max: int = 20,
    work: Work | None = None,
) -> BestSet:
    return without_pauses(best_set([packets], left_by_line, limits, exact_max, work or Work()))


def packets_of(faces: Sequence[int], scopes: Sequence[frozenset[int]] = (frozenset({0}),)) -> list[Candidate]:
    return [Candidate(f"a{i:03}", fen, 1 + i % 40, scopes[i % len(scopes)]) for i, fen in enumerate(faces)]


@pytest.mark.parametrize("cuts_max", [2, 64])
def test_it_is_the_one_of_brute_force(monkeypatch: pytest.MonkeyPatch, cuts_max: int) -> None:
    """On 300 small draws, with all cuts of the lines or with hardly any: deduction, waste, number, expiry and ids."""
    monkeypatch.setattr(packet_choice, "CUTS_MAX", cuts_max)
    rng = Random(cuts_max)
    for _ in range(300):
        packets, left_by_line = a_draw(rng, count=rng.randint(0, 8), lines=rng.randint(1, 9))
        limits = CountLimits(rng.choice([1, 2, 3, 10]), rng.choice([None, None, 1, 2]))
        best = the_best(packets, left_by_line, limits)
        assert not best.approximate
        assert (best.deduction_fen, sorted(best.ids)) == best_by_force(packets, left_by_line, *limits)


def test_larger_draws_are_decided_as_by_brute_force() -> None:
    """Twelve packets, of which at most six go together, with faces that hardly ever come to the same sum."""
    rng = Random(12)
    for _ in range(8):
        packets, left_by_line = a_draw(rng, count=12, lines=rng.choice([1, 3, 6]))
        best = the_best(packets, left_by_line, CountLimits(6, None))
        assert (best.deduction_fen, sorted(best.ids)) == best_by_force(packets, left_by_line, 6, None)


@pytest.mark.rule("DY-STK-2")
def test_the_eleventh_packet_is_looked_at() -> None:
    """Goods of 10, ten packets of 100 and one of 10: that one wastes nothing."""
    best = the_best(packets_of([100] * 10 + [10]), [10])
    assert (best.deduction_fen, sorted(best.ids), best.approximate) == (10, ["a010"], False)


@pytest.mark.rule("DY-STK-2")
def test_twenty_are_decided_to_the_last_tie() -> None:
    """Of twenty powers of two exactly one set makes a sum; a twenty-first that fits alone is fewer packets."""
    faces = [1 << i for i in range(20)]
    wanted = 0b1010_0110_0000_1001_0100
    best = the_best(packets_of(faces), [wanted])
    assert (sum(each.face_fen for each in best.chosen), best.approximate) == (wanted, False)
    assert the_best([*packets_of(faces), Candidate("z", wanted, 99, frozenset({0}))], [wanted]).ids == {"z"}


def test_beyond_its_limit_the_deduction_stays_exact() -> None:
    """Sixty packets over two lines: as much as the best numbers of the largest per scope, and it may be approximate."""
    rng = Random(60)
    scopes = [frozenset({0}), frozenset({1}), frozenset({0, 1})]
    doubted = 0
    for _ in range(12):
        packets = packets_of([rng.randint(1, 20_000) for _ in range(60)], scopes)
        first, second = left_by_line = [rng.randint(1, 150_000), rng.randint(1, 60_000)]
        sums = [
            [
                sum(sorted((each.face_fen for each in packets if each.lines == scope), reverse=True)[:n])
                for n in range(11)
            ]
            for scope in scopes
        ]
        reach = max(
            min(min(first, sums[0][a]) + min(second, sums[1][b]) + sums[2][c], first + second)
            for a, b, c in product(range(11), repeat=3)
            if a + b + c == 10
        )
        best = the_best(packets, left_by_line)
        assert best.deduction_fen == reach
        doubted += best.approximate
    assert doubted > 0


def test_it_says_whether_a_tie_may_have_been_missed() -> None:
    """Of thirty packets that nothing tells apart in sum it may; of thirty too small to pay together it cannot."""
    rng = Random(30)
    packets = packets_of([rng.randint(1_000, 1_100) for _ in range(30)])
    tied, plain = the_best(packets, [6_283]), the_best(packets, [100_000])
    assert (tied.deduction_fen, tied.approximate) == (6_283, True)
    assert (plain.deduction_fen, plain.approximate) == (sum(sorted(each.face_fen for each in packets)[20:]), False)
    assert not the_best(packets, [6_283], exact_max=30).approximate


def test_only_the_groups_that_may_win_make_it_approximate() -> None:
    """A group of which the best may have been missed does not matter if it cannot deduct as much as another."""
    rng = Random(30)
    doubtful = packets_of([rng.randint(1_000, 1_100) for _ in range(30)])
    better = Candidate("b", 9_000, 1, frozenset({1}))
    for price_fen, approximate in ((6_283, True), (9_000, False)):
        groups = [doubtful, [better]]
        best = without_pauses(best_set(groups, [6_283, price_fen], TEN, 20, Work()))
        assert best.approximate == approximate


@pytest.mark.parametrize("count", [60, 200, 1_000])
@pytest.mark.parametrize("lines", [1, 3, 19, 40])
def test_work_is_bounded_whatever_a_viewer_owns(count: int, lines: int) -> None:
    """Many packets over overlapping scopes cost no more than two passes and their tables, in short slices."""
    rng = Random(count + lines)
    scopes = (
        THREE_LINES
        if lines == 3
        else [frozenset(rng.sample(range(lines), rng.randint(1, max(1, lines // 2)))) for _ in range(19)]
    )
    for fill in (2_000, 60_000, 120_000):
        packets = packets_of([rng.randint(1, 20_000) for _ in range(count)], scopes)
        left_by_line = [max(1, int(fill / lines * rng.uniform(0.3, 1.7))) for _ in range(lines)]
        work = Work()
        best = the_best(packets, left_by_line, work=work)
        assert best.deduction_fen > 0
        assert work.done <= 2 * WORK_MAX + 20 * count
        assert work.longest_slice <= SLICE + 4 * count + 1_024


def test_the_greedy_choice_pauses_too() -> None:
    """Hundreds of packets with narrow scopes that all differ: many sets of lines may yet waste most."""
    for seed in (7, 26):
        rng = Random(seed)
        scopes = [frozenset(rng.sample(range(24), rng.randint(1, 8))) for _ in range(400)]
        packets = packets_of([rng.randint(1_000, 1_100) for _ in scopes], scopes)
        work = Work()
        the_best(packets, [int(440 * rng.uniform(0.3, 1.7)) for _ in range(24)], work=work)
        assert work.longest_slice <= SLICE + 4 * 400 + 1_024


def test_twenty_adversarial_packets_take_few_states() -> None:
    """The worst of many draws: far from the million sets of twenty packets."""
    rng = Random(20)
    most = 0
    for _ in range(24):
        lines = rng.choice([1, 2, 3, 6, 24, 40])
        scopes = [frozenset(rng.sample(range(lines), rng.randint(1, lines))) for _ in range(rng.choice([3, 7, 20]))]
        low, high = rng.choice([(1, 20_000), (1_000, 1_100), (10_000, 20_000)])
        packets = packets_of([rng.randint(low, high) for _ in range(20)], scopes)
        fill = rng.choice([4, 6, 8, 10]) * (low + high) / 2
        left_by_line = [max(1, int(fill / lines * rng.uniform(0.3, 1.7))) for _ in range(lines)]
        work = Work()
        assert not the_best(packets, left_by_line, work=work).approximate
        most = max(most, work.done)
    assert most < 30_000
