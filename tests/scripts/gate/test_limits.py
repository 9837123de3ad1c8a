"""Limits of a gate: absolute, or relative to the machine by its yardstick; what was not measured is unknown."""

import re
from typing import Any

import pytest

from loadtest.verdict.threshold_grammar import parse_limit
from loadtest.verdict.threshold_terms import BadThreshold
from loadtest.verdict.weigh import Reason
from scripts.gate.figures import Alone, LegFigures
from scripts.gate.limits import NO_LEG, judge_limits, reasons_of, yardstick_of
from tests.loadtest.report.gate_kinds import comparison

LEG = LegFigures(20_000, 9_000.0, 20.0, 60.0, 28.0)
ALONE = Alone(LEG, 7.0, "")


@pytest.mark.parametrize(
    ("limit", "met"),
    [
        ("cpu_us_per_grab <= 5 * yardstick_us", True),
        ("cpu_us_per_grab: value < 28.5 us", True),
        ("cpu_us_per_grab / yardstick_us < 3.9", False),
        ("latency_p99_ms < 50 ms", False),
        ("grabs_per_second * yardstick_us > 60000", True),
    ],
)
def test_a_limit_may_be_relative_to_the_machine(limit: str, met: bool) -> None:
    """The value stands beside what it is held against."""
    (judged,) = judge_limits([limit], None, ALONE)
    assert (judged.met, judged.why) == (met, "")
    assert reasons_of([judged], void=False) == ([] if met else [Reason.THRESHOLD])


def test_pairs_give_the_head_and_both_yardsticks() -> None:
    """Medians, as the result has them; a comparison that is void judges nothing, and is void already."""
    compared: dict[str, Any] = comparison(0.5, 0.0)
    (judged,) = judge_limits(["cpu_us_per_grab <= 5 * yardstick_us"], compared, None)
    assert judged.value == pytest.approx(1.5 * 31.0)
    assert judged.limit == pytest.approx(5 * (yardstick_of(compared, None) or 0.0))
    assert judged.met is False
    (void,) = judge_limits(["latency_p50_ms < 1"], comparison(0.5, 0.0, void="others were busy"), None)
    assert (void.met, void.why) == (None, "others were busy")
    assert reasons_of([void], void=True) == [Reason.VOID]


def test_what_was_not_measured_is_unknown() -> None:
    """Without a leg, without a process that is known, and on a machine that was busy."""
    (none,) = judge_limits(["latency_p99_ms < 50"], None, None)
    assert (none.met, none.why) == (None, NO_LEG)
    (unknown,) = judge_limits(["cpu_us_per_grab < 9"], None, ALONE._replace(leg=LEG._replace(cpu_us_per_grab=None)))
    assert "not known of this service" in unknown.why
    assert reasons_of([none, unknown], void=False) == [Reason.NOT_VERIFIED]
    (busy,) = judge_limits(["latency_p99_ms < 50"], None, ALONE._replace(void="others were busy"))
    assert reasons_of([busy], void=True) == [Reason.VOID]
    assert yardstick_of(None, None) is None


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ("cpu_per_grab < 5", "no such metric: cpu_per_grab; did you mean cpu_us_per_grab? There are"),
        ("latency_p99_ms p(99) < 5", "expected"),
        ("latency_p99_ms{room:x} < 5", "expected"),
        ("latency_p99_ms < 5 abort", "it cannot abort it"),
        ("granted > 5", "no such metric: granted"),
    ],
)
def test_an_error_names_the_metrics_of_legs(limit: str, says: str) -> None:
    with pytest.raises(BadThreshold, match=re.escape(says)):
        parse_limit(limit)
