"""Results and summaries of runs, as small as they can be."""

from typing import Any

from loadtest.record.run_history import RunSummary

RESULT: dict[str, Any] = {
    "verdict": "pass",
    "reasons": [],
    "scenario": "smoke",
    "target": "redrain",
    "seed": 1,
    "engine": "locust",
    "durability": "durable",
    "speed": 10,
    "limits": "load",
    "viewers": 50,
    "started_at": "2026-11-27T21:00:23+00:00",
    "environment": {
        "python": "3.11", "system": "Linux 6.1", "machine": "x86_64", "cpus": 2, "libraries": {"locust": "2.47.0"},
    },
    "grabs": 132,
    "issued_fen": None,
    "grab_latency_ms": {"p50": 10.5, "p99": 360.25},
    "packets": [],
}  # fmt: skip


def a_summary(run: str = "one", **changed: Any) -> RunSummary:
    """Return a summary with some of its fields changed."""
    plain = {name: RESULT[name] for name in RunSummary.model_fields if name in RESULT}
    figures = {"grabs": 132, "grab_latency_ms.p99": 360.25}
    return RunSummary.model_validate({**plain, "run": run, "figures": figures, **changed})
