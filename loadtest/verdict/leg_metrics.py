"""Leg metrics: what a gate measures in its legs, so that a limit may be relative to the machine (docs/gate.md)."""

from loadtest.verdict.metrics import Metric, MetricKind


def _of_leg(unit: str, title: str, meaning: str) -> Metric:
    return Metric(MetricKind.NUMBER, unit, title, meaning, timing=True)


LEG_METRICS = {
    "cpu_us_per_grab": _of_leg(
        "us", "CPU per grab", "processor time of the service per grab, where its process is known"
    ),
    "grabs_per_second": _of_leg("grabs/s", "grabs a second", "grabs answered in a second of volleys"),
    "latency_p50_ms": _of_leg("ms", "latency p50", "from a volley to its answers, the median"),
    "latency_p99_ms": _of_leg("ms", "latency p99", "from a volley to its answers, what one in a hundred exceeds"),
    "yardstick_us": _of_leg(
        "us", "yardstick", "processor time of the fixed workload per grab: how fast the machine is"
    ),
}
"""Every figure of the head's legs by its name, and the yardstick beside them."""
