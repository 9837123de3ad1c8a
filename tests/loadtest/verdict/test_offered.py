"""The offered load: planned, sent and answered taps, and when they are not the load of the scenario."""

from typing import Any

import pytest

from client_sim.arrivals import ArrivalModel, Arrivals
from loadtest.record.history import History, PlannedTapsRecord
from loadtest.verdict.offered import OfferedLoad, offered_load
from loadtest.verdict.samples import percentiles
from tests.loadtest.in_memory import history_from

MS = 1_000_000
IN_TIME = percentiles([MS])
OPEN = Arrivals(ArrivalModel.OPEN, 100, 100, 10)


def load(*counts: tuple[int, int, int], arrivals: Arrivals = OPEN, debt_ms: float = 1.0) -> OfferedLoad:
    history = History(taps=[PlannedTapsRecord(*each, process=number) for number, each in enumerate(counts)])
    return offered_load(arrivals, history, percentiles([round(debt_ms * MS)]))


def test_the_processes_are_counted_together() -> None:
    """Rates are over the time that the model lasts."""
    offered = load((400, 398, 1), (600, 600, 0))
    assert (offered.planned, offered.sent, offered.no_packet, offered.unsent) == (1_000, 998, 1, 1)
    assert (offered.planned_per_second, offered.sent_per_second, offered.answered_per_second) == (100.0, 99.8, 0.0)
    assert (offered.met, offered.why) == (True, [])


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((1_000, 985, 0), "15 of 1,000 taps were not sent"),
        ((1_000, 900, 100), "for 100 of 1,000 taps no packet was open"),
        ((800, 800, 0), "800 taps came due, where the model has some 1,000"),
        ((1_200, 1_200, 0), "1,200 taps came due, where the model has some 1,000"),
        ((0, 0, 0), "no tap came due"),
    ],
)
def test_a_load_that_is_not_the_planned_one_is_said(counts: tuple[int, int, int], said: str) -> None:
    """Taps that were not sent, that found nothing, or that viewers did not even plan: never silently fewer."""
    offered = load(counts)
    assert not offered.met
    assert any(said in each for each in offered.why), offered.why


def test_chance_is_no_shortfall() -> None:
    """A Poisson process has not just its mean; one in a hundred may be missing."""
    assert load((1_100, 1_090, 0)).met


def test_taps_that_are_sent_late_do_not_make_up_the_rate() -> None:
    """All were sent, and too late; a barrier's own queue is stated, not held against it."""
    late = load((1_000, 1_000, 0), debt_ms=900)
    assert late.why == ["they were sent 900 ms late (p99; at most 150)"]
    barrier = load((1_000, 1_000, 0), arrivals=Arrivals(ArrivalModel.BARRIER), debt_ms=900)
    assert (barrier.met, barrier.lasts_s, barrier.sent_per_second) == (True, None, None)


def test_a_tap_that_is_sent_again_is_one_answer() -> None:
    """Answered are taps, not receipts."""
    grab: dict[str, Any] = {
        "kind": "grab", "conn": "0.0", "viewer": "v0", "packet": "c.1", "request_id": "r", "behaviour": "eager",
        "t_intended": 1, "t_sent": 1, "type": "fail", "status": "exhausted",
    }  # fmt: skip
    lines = [grab | {"i": 0, "t_reply": 2}, grab | {"i": 1, "t_reply": 3}]
    lines += [grab | {"i": 2, "request_id": "s", "t_reply": 3}, {"kind": "end", "grabs": 3, "conns": 0}]
    assert offered_load(OPEN, history_from(lines), IN_TIME).answered == 2
