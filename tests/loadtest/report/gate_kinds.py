"""The gate's part of results of every kind, made of figures that a machine could have given."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from random import Random
from typing import Any

from loadtest.verdict.comparison import Better, Compared, Pair, compare

_TITLES = {
    "cpu_us_per_grab": ("CPU us per grab", 31.0, Better.SMALLER),
    "grabs_per_second": ("grabs a second", 9_200.0, Better.LARGER),
    "latency_p50_ms": ("latency p50, ms", 24.0, Better.SMALLER),
    "latency_p99_ms": ("latency p99, ms", 61.0, Better.SMALLER),
}
_LOOSER = {"latency_p50_ms", "latency_p99_ms", "grabs_per_second"}


def gate_part(**changed: Any) -> dict[str, Any]:
    """Return the gate's part of a result without a comparison."""
    return {
        "base": "4f2e10aa91bc", "head": "b107dcf0aa12 with changes", "slower_percent": 3.0,
        "counters": [_counter("store commands per grab", 15.0, 15.0), _counter("bytes of a receipt", 155.4, 155.5)],
        "comparison": None, "alone": None, "yardstick_us": None, "notes": [], **changed,
    }  # fmt: skip


def _counter(title: str, base: float | None, head: float) -> dict[str, Any]:
    met = None if base is None else head <= base + 0.5
    return {"counter": title.replace(" ", "_"), "title": title, "base": base, "head": head, "met": met}


def comparison(
    slower: float, noise: float, pairs: int = 8, *, moved: Sequence[int] = (), others: float = 0.05, void: str = ""
) -> dict[str, Any]:
    """Return a comparison of a head that is *slower*; the yardstick *moved* in some pairs, which are left out."""
    random = Random(7)
    legs = [
        {side: _leg(random, 1 + slower * (side == "head"), noise, others) for side in ("base", "head")}
        for _ in range(pairs)
    ]
    yardstick = [{"base": 7.0, "head": 7.0 * (1.2 if at in moved else random.gauss(1, 0.01))} for at in range(pairs)]
    metrics = []
    for name, (title, _, better) in _TITLES.items():
        figures = [Pair(each["base"][name], each["head"][name]) for at, each in enumerate(legs) if at not in moved]
        compared = compare(Compared(name, 0.09 if name in _LOOSER else 0.03, better), figures)
        metrics.append({"title": title, **asdict(compared)})
    return {
        "metrics": metrics, "decided_by": ["cpu_us_per_grab"], "void": void, "yardstick": yardstick, "legs": legs,
    }  # fmt: skip


def _leg(random: Random, worse: float, noise: float, others: float) -> dict[str, Any]:
    better_by: dict[Better, Callable[[float], float]] = {
        Better.SMALLER: lambda at: at * worse, Better.LARGER: lambda at: at / worse,
    }  # fmt: skip
    figures = {name: better_by[how](at) * random.lognormvariate(0, noise) for name, (_, at, how) in _TITLES.items()}
    return {"grabs": 20_000, "others_cores": others, "idle_cores": 0.1, **figures}


GATES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "pass": (
        {"verdict": "pass", "reasons": [], "exit_code": 0},
        gate_part(comparison=comparison(0.0, 0.01, moved=(2,))),
    ),
    "invariant": ({"verdict": "fail", "reasons": ["invariant"], "exit_code": 10}, gate_part(counters=[])),
    "counter": (
        {"verdict": "fail", "reasons": ["regression"], "exit_code": 11},
        gate_part(counters=[_counter("store commands per grab", 15.0, 16.0), _counter("bytes of a receipt", 155, 155)]),
    ),
    "slower": (
        {"verdict": "fail", "reasons": ["regression"], "exit_code": 11},
        gate_part(comparison=comparison(0.12, 0.01, 12)),
    ),
    "void": (
        {"verdict": "unknown", "reasons": ["void"], "exit_code": 20},
        gate_part(
            comparison=comparison(
                0.1, 0.2, others=1.3, void="other processes used 1.3 of the machine's processors, and 0.1 were idle"
            )
        ),
    ),
    "inconclusive": (
        {"verdict": "unknown", "reasons": ["inconclusive"], "exit_code": 20},
        gate_part(comparison=comparison(0.03, 0.04, 16)),
    ),
    "alone": (
        {"verdict": "pass", "reasons": [], "exit_code": 0},
        gate_part(
            base="", counters=[_counter("store commands per grab", None, 15.0)],
            alone={"grabs": 20_000, "grabs_per_second": 9_000.0, "latency_p50_ms": 24.0, "cpu_us_per_grab": None},
            notes=["nothing is compared: there is no commit <b>main</b> here; a shallow clone has too few"],
        ),
    ),
}  # fmt: skip
"""By kind: what it changes in a storm's result, and the gate's part of it."""
