"""The gate's part of a page: one sentence says why, and what was left out is said with its reason."""

from typing import Any

import pytest

from loadtest.report.gate_view import busy_sentence, gate_sentence, left_out_of, machines_of, points_of
from tests.loadtest.report.gate_kinds import GATES, comparison, gate_part


def _result(kind: str, **changed: Any) -> dict[str, Any]:
    storm, part = GATES[kind]
    return {**storm, "gate": part, "violations": [], "thresholds": [], **changed}


@pytest.mark.parametrize(
    ("kind", "begins", "says"),
    [
        ("pass", "Nothing is violated", "the head is not slower than the base: CPU us per grab differs by"),
        ("counter", "The head does more work", "store commands per grab rose from 15.00 to 16.00."),
        ("slower", "The head is slower than the base", "CPU us per grab is worse by +12"),
        ("void", "Whether the head is slower cannot be told", "other processes used 1.3"),
        ("inconclusive", "16 pairs could not tell", "pairs would tell."),
        ("alone", "Nothing is violated", "there was no base to compare with"),
    ],
)
def test_a_sentence_says_why(kind: str, begins: str, says: str) -> None:
    sentence = gate_sentence(_result(kind))
    assert sentence.startswith(begins)
    assert says in sentence


def test_a_missed_limit_is_named_and_a_violation_left_to_the_storm() -> None:
    limit = {"metric": "grab_latency_ms", "expression": "p(99) < 50", "value": 61.5, "met": False}
    missed = _result("pass", reasons=["threshold"], thresholds=[limit])
    assert gate_sentence(missed) == "A limit is missed: grab_latency_ms p(99) < 50, and 61.5 was measured."
    assert gate_sentence(_result("invariant")) == ""
    without = _result("pass", gate=gate_part())
    assert gate_sentence(without).endswith("no work counter that decides is higher; speed was not compared.")


def test_what_was_left_out_is_said_with_its_reason() -> None:
    """Pairs, the whole comparison, limits that could not be judged, and the gate's own notes."""
    assert left_out_of(_result("pass"))[0].startswith("1 of 8 pairs: ")
    assert "the timing part is void: other processes used 1.3" in left_out_of(_result("void"))[0]
    assert any("shallow clone" in told for told in left_out_of(_result("alone")))
    broken = _result("invariant", violations=[{"invariant": "A1"}])
    assert left_out_of(broken) == ["the comparison: an invariant is violated, which decides alone"]
    limit = {"metric": "grab_latency_ms", "expression": "p(99) < 50", "met": None, "why": "the machine was busy"}
    assert "the limit grab_latency_ms p(99) < 50: the machine was busy" in left_out_of(
        _result("pass", thresholds=[limit])
    )


def test_a_pair_in_which_the_machine_moved_is_marked() -> None:
    """By its yardstick, or by others, whose figures stand in the legs or beside them; nothing is known without."""
    compared = comparison(0.1, 0.0, moved=(2,))
    points = points_of(compared, compared["metrics"][0])
    assert [point.number for point in points if point.unsteady] == [3]
    assert points[0].worse_by == pytest.approx(0.1)
    rate = next(each for each in compared["metrics"] if each["better"] == "larger")
    assert points_of(compared, rate)[0].worse_by == pytest.approx(0.1)
    for legs in compared["legs"]:
        legs["machine"] = {"others_cores": 1.2, "idle_cores": 0.1}
    assert all(point.unsteady == "others used 1.2 processors" for point in points_of(compared, rate))
    assert busy_sentence(compared) == "beside the legs others used 1.2 processors and 0.1 were idle, in the median"
    for legs in compared["legs"]:
        legs["machine"] = {}
    assert not any(machine.busy for machine in machines_of(compared))
    assert busy_sentence(compared) == ""
