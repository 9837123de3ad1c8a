"""Ending a storm early: by which live figures, from when on, and what is kept of it."""

from dataclasses import replace

import pytest

from loadtest.engines.progress import Progress
from loadtest.run.abort_watch import AbortWatch, LiveFigures, thresholds_of
from loadtest.scenarios.scenario import load_scenario
from loadtest.verdict.metrics import METRICS, MetricKind
from loadtest.verdict.threshold_grammar import parse_line
from loadtest.verdict.threshold_terms import MeasuredTerm
from server.core.ids import PacketId
from tests.loadtest.record.test_run_folder import FACTS
from tests.loadtest.written_run import a_run

LATENCIES = {1.0: 5, 20.0: 3, 90.0: 0, 400.0: 2}
PROGRESS = Progress(
    answered=12, latencies=LATENCIES, max_ms=400.4, granted_of={PacketId("p"): 3, PacketId("q"): 4},
    facts=a_run().read()[1].facts,
)  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "aggregation", "expected"),
    [
        ("grabs", "value", 12), ("granted", "count", 7),
        ("grab_latency_ms", "p(50)", 1), ("grab_latency_ms", "p(50.1)", 20), ("grab_latency_ms", "p(80)", 20),
        ("grab_latency_ms", "p(99)", 400), ("grab_latency_ms", "med", 10.5), ("grab_latency_ms", "min", 1),
        ("grab_latency_ms", "max", 400.4), ("grab_latency_ms", "avg", 86.5), ("grab_latency_ms", "count", 10),
        ("fanout_skew_ms", "max", 3), ("fanout_skew_ms_per_1000", "min", 250),
    ],
)  # fmt: skip
def test_live_figures_are_those_of_the_result(metric: str, aggregation: str, expected: float) -> None:
    assert LiveFigures(PROGRESS).value(MeasuredTerm(metric, aggregation)) == pytest.approx(expected)


def test_every_live_metric_has_a_figure_and_no_sample_is_no_figure() -> None:
    """A metric that is marked as live can be had, and nobody misses a limit before there is something to measure."""
    for name, metric in METRICS.items():
        if metric.live:
            for aggregation in {"p(95)" if each == "p(N)" else each for each in metric.aggregations} - {"rate"}:
                term = MeasuredTerm(name, aggregation)
                assert LiveFigures(PROGRESS).value(term) is not None
                if metric.kind is MetricKind.DISTRIBUTION:
                    assert LiveFigures(Progress()).value(term) is None


def test_a_threshold_is_judged_after_its_delay_and_then_every_second() -> None:
    said: list[str] = []
    watch = AbortWatch([parse_line("grab_latency_ms p(99) < 50 abort after 5s")], 100.0, said.append)
    watch.see(PROGRESS, 104.9)
    assert not watch.broken()
    watch.see(PROGRESS, 105.5)
    assert not watch.broken(), "a second has not passed since it last looked"
    watch.see(replace(PROGRESS, latencies={1.0: 5}), 105.9)
    assert not watch.broken(), "it is met"
    watch.see(PROGRESS, 106.9)
    assert watch.broken()
    told = "broke the programme off after 6.9 s, at 400 (limit 50)"
    assert watch.broken_off == {"grab_latency_ms p(99) < 50": told}
    assert said == [f"grab_latency_ms p(99) < 50 {told}"]
    watch.see(PROGRESS, 108.0)
    assert len(said) == 1


def test_without_abort_or_without_a_sample_nothing_ends() -> None:
    lines = ["grab_latency_ms p(99) < 50", "grab_latency_ms max < 9 abort", "granted value >= 0 abort"]
    watch = AbortWatch([parse_line(each) for each in lines], 0.0, lambda _: None)
    watch.see(Progress(), 1.0)
    assert not watch.broken()
    watch.see(PROGRESS, 2.0)
    assert list(watch.broken_off) == ["grab_latency_ms max < 9"]


def test_the_run_keeps_by_what_it_was_broken_off() -> None:
    facts = replace(FACTS, notes=["first"])
    watch = AbortWatch([parse_line("grabs value < 3 abort")], 0.0, lambda _: None)
    watch.see(PROGRESS, 1.0)
    watch.note(facts)
    told = "broke the programme off after 1.0 s, at 12 (limit 3)"
    assert facts.broken_off == {"grabs value < 3": told}
    assert facts.notes == ["first", f"grabs value < 3 {told}"]


def test_thresholds_come_from_the_scenario_and_the_command() -> None:
    facts = replace(FACTS, thresholds=["granted / grabs >= 0.3"])
    assert [str(each) for each in thresholds_of(load_scenario("smoke"), facts)] == ["granted granted / grabs >= 0.3"]
