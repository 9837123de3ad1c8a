"""Thresholds: what can be said, what it means, and what is wrong with what cannot be said."""

from typing import Any

import pytest

from loadtest.verdict.thresholds import DISTRIBUTIONS, NUMBERS, BadThreshold, judge, parse, parse_all

MEASURED: dict[str, Any] = {
    "grab_latency_ms": {"p50": 5.0, "p90": 20.0, "p95": 30.0, "p99": 50.0, "p999": 80.0, "max": 90.0},
    "over_issued_fen": 0,
    "granted": 20,
    "grabs_per_second": 120.5,
}


def met(metric: str, expression: str, *, timing_is_valid: bool = True) -> bool | None:
    (judged,) = judge([parse(metric, expression)], MEASURED, timing_is_valid=timing_is_valid)
    return judged.met


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
        ("grab_latency_ms", "value < 50", "must begin with max or one of p(50)"),
        ("grab_latency_ms", "p(75) < 50", "p(95)"),
        ("over_issued_fen", "max == 0", "must begin with value"),
        ("over_issued_fen", "p(99) == 0", "must begin with value"),
        ("grab_latency_ms", "p(99) != 50", "must read like"),
        ("grab_latency_ms", "p(99) < fast", "must read like"),
        ("grab_latency_ms", "p99 < 50", "must read like"),
        ("grab_latency_ms", "", "must read like"),
        ("grab_latency_ms", "p(99) < 50 and max < 100", "must read like"),
    ],
)
def test_what_cannot_be_judged_is_refused(metric: str, expression: str, said: str) -> None:
    """An unknown metric, the wrong aggregation and bad grammar each say what would be right."""
    with pytest.raises(BadThreshold) as refused:
        parse(metric, expression)
    assert said in str(refused.value)


def test_a_table_has_several_sentences_a_metric() -> None:
    """All of them are read, in order."""
    limits = parse_all({"grab_latency_ms": ["p(99) < 50", "max < 200"], "lost_acks": ["value == 0"]})
    assert [(limit.metric, limit.part, limit.limit) for limit in limits] == [
        ("grab_latency_ms", "p99", 50.0), ("grab_latency_ms", "max", 200.0), ("lost_acks", "", 0.0)
    ]  # fmt: skip


def test_void_timing_is_not_judged() -> None:
    """Where the generator was not healthy, latencies are neither met nor missed; counts are judged all the same."""
    assert met("grab_latency_ms", "p(99) < 1", timing_is_valid=False) is None
    assert met("grabs_per_second", "value > 1", timing_is_valid=False) is None
    assert met("over_issued_fen", "value == 0", timing_is_valid=False) is True


def test_every_promised_metric_has_a_name_here() -> None:
    """Thresholds use exactly the names of the result."""
    assert {"grab_latency_ms", "fanout_skew_ms", "start_skew_ms", "send_debt_ms"} <= DISTRIBUTIONS
    assert {"over_issued_fen", "under_issued_fen", "duplicate_claims", "lost_acks", "grabs_per_second"} <= NUMBERS
