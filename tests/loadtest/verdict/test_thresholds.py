"""Thresholds: what can be said, what it means, and what is wrong with what cannot be said."""

from typing import Any

import pytest

from loadtest.verdict.selection import RunFigures
from loadtest.verdict.threshold_grammar import parse
from loadtest.verdict.threshold_terms import BadThreshold
from loadtest.verdict.thresholds import Judged, judge

MEASURED: dict[str, Any] = {
    "grab_latency_ms": {"p50": 5.0, "p90": 20.0, "p95": 30.0, "p99": 50.0, "p999": 80.0, "max": 90.0},
    "over_issued_fen": 0,
    "granted": 20,
    "grabs": 40,
    "lost_acks": None,
    "grabs_per_second": 120.5,
}


def met(metric: str, expression: str, *, timing_is_valid: bool = True) -> bool | None:
    return judged(metric, expression, timing_is_valid=timing_is_valid).met


def judged(metric: str, expression: str, **more: Any) -> Judged:
    (one,) = judge([parse(metric, expression)], RunFigures(MEASURED), **{"timing_is_valid": True, **more})
    return one


@pytest.mark.parametrize(
    ("metric", "expression", "expected"),
    [
        ("grab_latency_ms", "p(50) < 6", True),
        ("grab_latency_ms", "p(90) <= 20", True),
        ("grab_latency_ms", "p(95)<31", True),
        ("grab_latency_ms", "p(99) < 50", False),
        ("grab_latency_ms", "p( 99.9 )<=80.0", True),
        ("grab_latency_ms", "max > 90", False),
        ("grab_latency_ms", " max >= 90 ", True),
        ("over_issued_fen", "value == 0", True),
        ("granted", "value == 19", False),
        ("grabs_per_second", "value > 120", True),
        ("granted", "value != 20", False),
        ("granted", "count == 20", True),
        ("grab_latency_ms", "p(99) <= 10 * p(50)", True),
        ("grab_latency_ms", "p(99) - p(50) < 45 ms", False),
        ("granted", "granted / grabs >= 0.5", True),
        ("granted", "(grabs - granted) * 2 > 41", False),
    ],
)
def test_a_value_is_compared_with_its_limit(metric: str, expression: str, expected: bool) -> None:
    """Every operator and every aggregation, on both sides of the limit and at it."""
    assert met(metric, expression) is expected


@pytest.mark.parametrize(
    ("metric", "expression", "said"),
    [
        ("grab_latency", "p(99) < 50", "grab_latency_ms"),
        ("packets", "value < 5", "no such metric"),
        ("grab_latency_ms", "value < 50", "p(N), avg, med, min, max, count"),
        ("over_issued_fen", "max == 0", "over_issued_fen has (value)"),
        ("over_issued_fen", "p(99) == 0", "over_issued_fen has (value)"),
        ("grab_latency_ms", "p(99) < fast", "found 'fast'"),
        ("grab_latency_ms", "p99 < 50", "did you mean p(99)?"),
        ("grab_latency_ms", "", "it ends"),
        ("grab_latency_ms", "p(99) < 50 and max < 100", "found 'and'"),
    ],
)
def test_what_cannot_be_judged_is_refused(metric: str, expression: str, said: str) -> None:
    """An unknown metric, the wrong aggregation and bad grammar each say what would be right."""
    with pytest.raises(BadThreshold) as refused:
        parse(metric, expression)
    assert said in str(refused.value)


def test_void_timing_is_not_judged() -> None:
    """Where the generator was not healthy, latencies are neither met nor missed; counts are judged all the same."""
    assert met("grab_latency_ms", "p(99) < 1", timing_is_valid=False) is None
    assert met("grabs_per_second", "value > 1", timing_is_valid=False) is None
    assert met("over_issued_fen", "value == 0", timing_is_valid=False) is True
    assert judged("grab_latency_ms", "p(99) < 1", timing_is_valid=False).why == (
        "the generator was not healthy enough to measure times"
    )


def test_the_limit_is_a_value_too() -> None:
    """Of two metrics both sides are measured, and stand beside each other."""
    one = judged("grab_latency_ms", "p(99) < 3 * p(50)")
    assert (one.value, one.limit, one.met, one.why) == (50.0, 15.0, False, "")


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("value == 0", "nothing was measured of lost_acks.value"),
        ("granted > lost_acks", "nothing was measured of lost_acks.value"),
        ("grabs / over_issued_fen > 1", "a division by zero"),
    ],
)
def test_what_is_not_known_is_neither_met_nor_missed(expression: str, why: str) -> None:
    one = judged("lost_acks", expression)
    assert (one.met, one.why) == (None, why)
    assert None in (one.value, one.limit)


def test_one_that_broke_the_run_off_stays_missed() -> None:
    """The figures after the end may look better; an unhealthy generator voids it all the same."""
    broke = {"grab_latency_ms p(99) < 60": "broke the programme off"}
    one = judged("grab_latency_ms", "p(99) < 60", broken_off=broke)
    assert (one.value, one.met, one.why) == (50.0, False, "broke the programme off")
    assert judged("grab_latency_ms", "p(99) < 60", broken_off=broke, timing_is_valid=False).met is None
    assert judged("grab_latency_ms", "p(99) < 61", broken_off=broke).met is True
