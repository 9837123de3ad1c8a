"""Faults: what a scenario may say, the schedule that follows from the seed, and what they came to."""

from typing import Any

import pytest
from pydantic import ValidationError

from loadtest.scenarios.faults import (
    FaultKind,
    FaultRecord,
    FaultSpec,
    PlannedFault,
    fault_results,
    happenings_of,
    plan_faults,
)
from tests.loadtest.written_run import a_run

MS = 1_000_000
OPEN = {"packet": "rain", "phase": "open"}


@pytest.mark.parametrize(
    ("said", "planned"),
    [
        ({"kind": "kill_store", "at_ms": 70}, PlannedFault(0, FaultKind.KILL_STORE, 70)),
        ({"kind": "kill_store", "at_phase": OPEN}, PlannedFault(0, FaultKind.KILL_STORE, 0, "rain", "open")),
        (
            {"kind": "stop_store", "for_ms": 3_000, "at_phase": OPEN, "offset_ms": -5},
            PlannedFault(0, FaultKind.STOP_STORE, -5, "rain", "open", 3_000),
        ),
        ({"kind": "reset_connections", "between_ms": [4, 4]}, PlannedFault(0, FaultKind.RESET_CONNECTIONS, 4)),
    ],
)
def test_a_fault_strikes_when_the_scenario_says(said: dict[str, Any], planned: PlannedFault) -> None:
    """At a time after the curtain, or some time before or after something happens to a packet."""
    assert plan_faults([FaultSpec.model_validate(said)], seed=1) == [planned]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, "give one of them"),
        ({"at_ms": 1, "between_ms": [1, 2]}, "give one of them"),
        ({"at_ms": 1, "at_phase": OPEN}, "does not go with at_phase"),
        ({"at_ms": 1, "offset_ms": 1}, "goes with at_phase"),
        ({"at_phase": OPEN, "offset_ms": 1, "between_ms": [1, 2]}, "not with between_ms"),
        ({"between_ms": [2, 1]}, "between_ms must be"),
        ({"between_ms": [-2, -1]}, "0 <= from <= to"),
        ({"at_ms": 1, "for_ms": 5}, "goes with stop_store"),
        ({"at_ms": 1, "kind": "stop_store"}, "which needs it"),
        ({"at_ms": 1, "kind": "flood"}, "kill_store"),
    ],
)
def test_a_fault_without_one_moment_is_refused(said: dict[str, Any], problem: str) -> None:
    """Two moments, none, or half a one: the text says what goes together."""
    with pytest.raises(ValidationError, match=problem):
        FaultSpec.model_validate({"kind": "kill_store", **said})


def test_what_is_random_follows_from_the_seed() -> None:
    """The same seed gives the same schedule, another one another, and every moment lies in its span."""
    faults = [FaultSpec(kind=FaultKind.KILL_STORE, between_ms=(100, 900))] * 5
    schedule = plan_faults(faults, seed=7)

    assert plan_faults(faults, seed=7) == schedule
    assert plan_faults(faults, seed=8) != schedule
    assert len({fault.at_ms for fault in schedule}) > 1
    assert all(100 <= fault.at_ms <= 900 for fault in schedule)


def test_a_schedule_can_be_read() -> None:
    """Each planned fault says what it does, and when."""
    assert str(PlannedFault(0, FaultKind.KILL_STORE, 70)) == "kill_store, 70 room ms after the curtain"
    stop = PlannedFault(0, FaultKind.STOP_STORE, -5, "rain", "closed", 3_000)
    assert str(stop) == "stop_store for 3000 ms, 5 ms before closed of rain"


def test_what_a_fault_came_to_is_counted_from_its_stroke() -> None:
    """Only grabs sent after it count, and only answers that the store must have given."""
    _, history = a_run(1).read()
    grab = history.grabs[0]
    grabs = [
        grab._replace(t_sent=1 * MS, t_reply=11 * MS, status="granted"),
        grab._replace(t_sent=11 * MS, t_reply=12 * MS, status="unavailable"),
        grab._replace(t_sent=11 * MS, t_reply=13 * MS, status="too_early"),
        grab._replace(t_sent=11 * MS, t_reply=40 * MS, status="granted"),
        grab._replace(t_sent=12 * MS, t_reply=45 * MS, status="repeated"),
        grab._replace(t_sent=13 * MS, t_reply=None, status=None),
    ]
    records: list[dict[str, Any]] = [
        {"kind": "kill_store", "planned": "p", "outcome": "struck", "at_ms": 5, "t_struck": 10 * MS, "t_back": 30 * MS},
        {"kind": "kill_store", "planned": "q"},
    ]

    struck, missed = fault_results(records, grabs)
    assert struck == {
        "kind": "kill_store", "planned": "p", "outcome": "struck", "at_ms": 5,
        "down_ms": 20.0, "first_answer_ms": 30.0, "unavailable": 1,
    }  # fmt: skip
    assert missed["outcome"].startswith("missed")
    assert missed["down_ms"] is missed["first_answer_ms"] is None


def test_only_a_fault_that_struck_has_happened() -> None:
    """It stands among the happenings with its moment."""
    records = [FaultRecord("kill_store", "p", "struck", at_ms=5), FaultRecord("kill_store", "q")]
    assert [(each["at_ms"], each["action"], each["outcome"]) for each in happenings_of(records)] == [
        (5, "fault kill_store", "struck")
    ]
