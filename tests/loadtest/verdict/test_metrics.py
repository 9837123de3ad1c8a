"""Metrics: each has a unit, a title and a meaning, and thresholds know exactly those that can be compared."""

from dataclasses import fields

from loadtest.verdict.metrics import METRICS, Measures, MetricKind, Percentiles
from loadtest.verdict.threshold_terms import DISTRIBUTIONS, NUMBERS


def test_every_measure_is_in_the_table() -> None:
    """With its kind as its type says, and words for people."""
    assert [one.name for one in fields(Measures)] == list(METRICS)
    kinds: dict[object, MetricKind] = {
        Percentiles: MetricKind.DISTRIBUTION, int: MetricKind.NUMBER, float: MetricKind.NUMBER,
    }  # fmt: skip
    for one in fields(Measures):
        metric = METRICS[one.name]
        assert metric.kind is kinds.get(one.type, MetricKind.TABLE)
        assert metric.unit
        assert metric.title
        assert metric.meaning


def test_thresholds_speak_of_numbers_and_distributions() -> None:
    """A table has no value; what is about time is marked."""
    assert {name for name, metric in METRICS.items() if metric.kind != MetricKind.TABLE} == DISTRIBUTIONS | NUMBERS
    timing = {name for name, metric in METRICS.items() if metric.timing}
    assert timing == DISTRIBUTIONS | {"grabs_per_second", "grabs_per_second_peak", "server_probe_ms"}
