"""Samples: every aggregation by its definition, exactly."""

from fractions import Fraction

import pytest

from loadtest.verdict.metrics import METRICS, MetricKind
from loadtest.verdict.samples import NS_PER_MS, Samples, place_of
from tests.loadtest.in_memory import history_from
from tests.loadtest.written_run import T0_NS, Line, a_run


def taps(*latencies_ms: float) -> Samples:
    """Return the samples of one run whose viewers tapped once each, answered after so long."""
    line = a_run().of("grab", status="granted")[0]
    grabs: list[Line] = [
        line | {"viewer": f"v{number}", "request_id": f"r{number}", "t_intended": T0_NS, "t_sent": T0_NS,
                "t_reply": T0_NS + round(ms * NS_PER_MS)}
        for number, ms in enumerate(latencies_ms)
    ]  # fmt: skip
    return Samples(history_from([*grabs, {"kind": "end", "grabs": len(grabs), "conns": 0}]))


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("avg", 4), ("med", 2.5), ("min", 1), ("max", 10), ("count", 4), ("p(0)", 1), ("p(25)", 1), ("p(25.1)", 2),
        ("p(50)", 2), ("p(75)", 3), ("p(99.99)", 10), ("p(100)", 10),
    ],
)  # fmt: skip
def test_each_aggregation(aggregation: str, expected: float) -> None:
    assert taps(10, 1, 3, 2).aggregate("grab_latency_ms", aggregation) == expected


def test_the_median_of_an_odd_number_is_the_middle_one() -> None:
    assert taps(9, 1, 3).aggregate("grab_latency_ms", "med") == 3


@pytest.mark.parametrize("aggregation", ["avg", "med", "min", "max", "count", "p(99)"])
def test_without_samples_there_is_nothing(aggregation: str) -> None:
    """Not even a count of 0, which a limit from above would meet."""
    assert taps().aggregate("grab_latency_ms", aggregation) is None


def test_a_percentile_has_no_rounding_error() -> None:
    """A percentage of 0.1 has no exact float: 99.9 % of 1,000 are 999 and not one more."""
    assert range(1, 1_001)[place_of(1_000, Fraction("99.9"))] == 999


def test_every_distribution_has_samples() -> None:
    samples = Samples(a_run().read()[1])
    assert set(samples.names) == {name for name, each in METRICS.items() if each.kind is MetricKind.DISTRIBUTION}
    assert all(samples.ns(name) for name in samples.names)
