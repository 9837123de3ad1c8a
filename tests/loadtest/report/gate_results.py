"""A gate's result as tests of reports need it: something of everything."""

from typing import Any

_LEG = {
    "grabs": 20_000, "grabs_per_second": 9_000.0, "latency_p50_ms": 20.0, "latency_p99_ms": 60.0,
    "cpu_us_per_grab": 24.0,
}  # fmt: skip
_MACHINE = {"others_cores": 0.1, "idle_cores": 0.5, "starved": 0.1}


def _compared(metric: str, title: str, conclusion: str) -> dict[str, Any]:
    return {
        "title": title, "metric": metric, "conclusion": conclusion, "reason": "the interval lies beyond the budget",
        "better": "smaller", "pairs": 12, "unmeasured": 0, "base": 24.0, "head": 27.0, "change": 0.125, "low": 0.1,
        "high": 0.15, "budget": 0.03, "floor": 0.01, "agreeing": 12, "detectable": 0.04, "pairs_needed": 8,
    }  # fmt: skip


_MACHINE = {"others_cores": 0.1, "idle_cores": 0.5, "starved": 0.1}


def a_gate_result() -> dict[str, Any]:
    """Return the result of a gate in which each part has something that failed."""
    return {
        "verdict": "fail",
        "reasons": ["invariant", "regression", "threshold"],
        "exit_code": 10,
        "scenario": "smoke",
        "seed": 1,
        "engine": "swarm",
        "viewers": 50,
        "started_at": "2026-01-02T03:04:05+00:00",
        "invariants": [
            {"invariant": "A1", "outcome": "violated", "why": ""},
            {"invariant": "A5", "outcome": "not_checkable", "why": "there are no books"},
            {"invariant": "A7", "outcome": "pass", "why": ""},
        ],
        "violations": [
            {"invariant": "A1", "packet_id": "anna.1", "detail": "12 claims of 10 shares", "evidence": []},
            {"invariant": "A1", "packet_id": "anna.2", "detail": "another", "evidence": []},
        ],
        "thresholds": [
            {"metric": "grab_latency_ms", "expression": "p(99) < 50", "value": 61.5, "limit": 50, "met": False,
             "why": ""},
            {"metric": "over_issued_fen", "expression": "value == 0", "value": 0, "limit": 0, "met": True, "why": ""},
        ],
        "sometimes": {},
        "machine": {
            "ours_cores": 0.5, "others_cores": 1.2, "idle_cores": 0.3, "stolen_cores": 0.0, "pressure": 0.5,
            "void": False, "note": "while viewers tapped, others were busy",
        },
        "repeat_command": "redrain gate smoke --base main",
        "gate": {
            "base": "aaaaaaaaaaaa",
            "head": "bbbbbbbbbbbb",
            "not_compared": "",
            "slower_percent": 3.0,
            "counters": [
                {"counter": "store_commands_per_grab", "title": "store commands per grab", "base": 15.0, "head": 16.0,
                 "met": False},
                {"counter": "receipt_bytes", "title": "bytes of a receipt", "base": 155.4, "head": 155.5, "met": True},
            ],
            "comparison": {
                "metrics": [
                    _compared("cpu_us_per_grab", "CPU us per grab", "regression"),
                    _compared("latency_p99_ms", "latency p99, ms", "inconclusive"),
                ],
                "decided_by": ["cpu_us_per_grab"],
                "void": "",
                "yardstick": [{"base": 7.0, "head": 7.1}],
                "legs": [{"base": _LEG, "head": _LEG, "machine": _MACHINE}],
            },
            "alone": None,
            "yardstick_us": 7.05,
            "notes": [],
        },
    }  # fmt: skip
