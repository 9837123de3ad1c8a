"""Arrival models: their rates, their variance, their edges, and that a seed gives the same instants again."""

import math
import statistics
from itertools import islice, pairwise
from random import Random

import pytest

from client_sim.arrivals import (
    CLOSED_PAUSE_MS,
    ArrivalModel,
    Arrivals,
    SeatTaps,
    TapCounts,
    arrival_offsets_s,
    poisson_s,
)

NS_PER_S = 1_000_000_000
MS = 1_000_000


def per_second(instants_s: list[float], lasts_s: int) -> list[int]:
    return [sum(second <= at < second + 1 for at in instants_s) for second in range(lasts_s)]


def test_a_poisson_process_has_the_mean_and_the_variance_of_one() -> None:
    """Counts per second have both equal to the rate; gaps are exponential: as long as their deviation."""
    instants = list(poisson_s(Random(7), 50, 50, 400))
    counts = per_second(instants, 400)
    assert statistics.mean(counts) == pytest.approx(50, rel=0.02)
    assert statistics.variance(counts) == pytest.approx(50, rel=0.15)
    gaps = [after - before for before, after in pairwise(instants)]
    assert statistics.mean(gaps) == pytest.approx(1 / 50, rel=0.02)
    assert statistics.stdev(gaps) == pytest.approx(1 / 50, rel=0.05)


@pytest.mark.parametrize(("low", "high"), [(0, 100), (100, 0), (20, 80)])
def test_a_ramp_changes_its_rate_evenly(low: int, high: int) -> None:
    """Each tenth of it has as many as the line between its ends says, within five deviations."""
    instants = list(poisson_s(Random(3), low, high, 200))
    assert instants == sorted(instants)
    assert instants[0] >= 0
    assert instants[-1] < 200
    for tenth in range(10):
        mean = (low + (high - low) * (tenth + 0.5) / 10) * 20
        found = sum(20 * tenth <= at < 20 * (tenth + 1) for at in instants)
        assert abs(found - mean) <= 5 * math.sqrt(mean)


def test_seats_make_up_the_rate_of_the_crowd() -> None:
    """Thousands of seats with a small part each are one Poisson process of the whole rate."""
    crowd = Arrivals(ArrivalModel.OPEN, 300, 300, 20)
    one = crowd.part(2_000)
    instants = [at for seat in range(2_000) for at in poisson_s(Random(f"1:{seat}"), one.to_per_second, 0.15, 20)]
    counts = per_second(instants, 20)
    assert len(instants) == pytest.approx(crowd.mean_count or 0, abs=5 * math.sqrt(6_000))
    assert statistics.variance(counts) == pytest.approx(300, rel=0.7)


def test_the_same_seed_gives_the_same_instants() -> None:
    """And another one others."""
    first, again, other = (list(poisson_s(Random(seed), 5, 9, 30)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_model_without_a_rate_has_no_number() -> None:
    """The load of a closed crowd and of a barrier follows from the answers, and from the packets."""
    assert Arrivals(ArrivalModel.CLOSED, lasts_s=60).mean_count is None
    assert Arrivals(ArrivalModel.BARRIER).mean_count is None
    assert Arrivals(ArrivalModel.RAMP, 0, 100, 60).mean_count == 3_000


def a_seat(arrivals: Arrivals, seed: int = 1) -> SeatTaps:
    return SeatTaps(arrivals, TapCounts(), Random(seed))


def test_an_open_seat_taps_whether_it_is_answered_or_not() -> None:
    """All its instants come, however late it is asked, each once and within the time that it lasts."""
    seat = a_seat(Arrivals(ArrivalModel.OPEN, 10, 10, 20))
    seat.begin(5 * NS_PER_S)
    some = list(seat.due(10 * NS_PER_S))
    rest = list(seat.due(10**15))
    planned = [5 * NS_PER_S + round(at * NS_PER_S) for at in poisson_s(Random(1), 10, 10, 20)]
    assert some + rest == planned
    assert all(at <= 10 * NS_PER_S for at in some)
    assert all(10 * NS_PER_S < at < 25 * NS_PER_S for at in rest)
    assert seat.next_ns is None


def test_a_better_clock_moves_what_is_planned() -> None:
    """The taps are aimed from the opening, and follow the best reading of it."""
    seat = a_seat(Arrivals(ArrivalModel.OPEN, 10, 10, 20))
    seat.begin(0)
    planned = seat.next_ns
    assert planned is not None
    seat.begin(7)
    assert seat.next_ns == planned + 7


def test_a_closed_seat_waits_for_the_answer_and_thinks() -> None:
    """Without an answer it plans nothing; its think times have the stated mean, and end with the time that it lasts."""
    seat = a_seat(Arrivals(ArrivalModel.CLOSED, lasts_s=1_000, think_ms=100))
    seat.begin(0)
    now_ns, pauses = 0, []
    for _ in range(3_000):
        (at_ns,) = list(seat.due(10**15))
        assert list(seat.due(10**15)) == []
        pauses.append((at_ns - now_ns) / MS)
        now_ns = at_ns + 3 * MS
        seat.think(now_ns)
    assert statistics.mean(pauses) == pytest.approx(100, rel=0.06)
    seat.think(999 * NS_PER_S + 999_999_999, least_ms=1)
    assert seat.next_ns is None


def test_a_closed_seat_without_a_think_time_looks_again_after_a_while() -> None:
    """With nothing to tap it does not spin; and that is no planned tap."""
    seat = a_seat(Arrivals(ArrivalModel.CLOSED, lasts_s=60))
    seat.begin(0)
    assert list(seat.due(0)) == [0]
    assert seat.choose([], 0, 0) is None
    assert seat.next_ns == round(CLOSED_PAUSE_MS * MS)
    assert seat.counts == TapCounts()


def test_packets_are_chosen_evenly_and_a_tap_without_one_is_counted() -> None:
    """Each open packet gets its part; that none was open is said."""
    seat = a_seat(Arrivals(ArrivalModel.OPEN, 1, 1, 60))
    chosen = [seat.choose("abcd", round(at_s * NS_PER_S), 0) for at_s in islice(poisson_s(Random(2), 1, 1, 1e9), 4_000)]
    assert all(chosen.count(one) == pytest.approx(1_000, rel=0.12) for one in "abcd")
    assert seat.choose([], 0, 0) is None
    assert seat.counts == TapCounts(planned=1, no_packet=1)


def test_who_leaves_says_what_it_owes() -> None:
    """Taps whose instant has come and that were not sent are planned ones; later ones are not."""
    seat = a_seat(Arrivals(ArrivalModel.OPEN, 10, 10, 20))
    seat.begin(0)
    seat.leave(10 * NS_PER_S)
    assert seat.counts.planned == sum(at <= 10 for at in poisson_s(Random(1), 10, 10, 20))
    assert (seat.counts.sent, seat.next_ns) == (0, None)


def test_viewers_come_by_a_model() -> None:
    """Evenly at random, in a ramp and then at its last rate, or all within the spread; never more or fewer."""
    come = {
        model: list(arrival_offsets_s(arrivals, Random(1), 2_000))
        for model, arrivals in {
            "open": Arrivals(ArrivalModel.OPEN, 100, 100),
            "ramp": Arrivals(ArrivalModel.RAMP, 0, 200, 10),
            "short ramp": Arrivals(ArrivalModel.RAMP, 100, 1_000, 10),
            "barrier": Arrivals(ArrivalModel.BARRIER, spread_ms=50),
        }.items()
    }
    for offsets in come.values():
        assert len(offsets) == 2_000
        assert offsets == sorted(offsets)
    assert come["open"][-1] == pytest.approx(20, rel=0.1)
    assert come["ramp"][-1] == pytest.approx(10 + 1_000 / 200, rel=0.1)
    assert come["short ramp"][-1] < 10
    assert 0.04 < come["barrier"][-1] <= 0.05
    assert list(arrival_offsets_s(Arrivals(ArrivalModel.BARRIER), Random(1), 3)) == [0, 0, 0]
    assert list(arrival_offsets_s(Arrivals(ArrivalModel.OPEN, 1, 1), Random(1), 0)) == []


def test_a_constant_rate_may_last_for_ever() -> None:
    """The instants of a process without an end go on."""
    assert len(list(islice(poisson_s(Random(1), 1_000, 1_000, math.inf), 5_000))) == 5_000
