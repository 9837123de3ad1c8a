"""
Thresholds in their simple form: a measured value against a limit.

    grab_latency_ms = ["p(99) < 50", "max < 200"]      a distribution: p(50), p(90), p(95), p(99), p(99.9) or max
    over_issued_fen = ["value == 0"]                   a plain number: value

Operators are < <= > >= ==; limits are numbers.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtest.verdict.metrics import METRICS, MetricKind

DISTRIBUTIONS = frozenset(name for name, metric in METRICS.items() if metric.kind is MetricKind.DISTRIBUTION)
NUMBERS = frozenset(name for name, metric in METRICS.items() if metric.kind is MetricKind.NUMBER)

_SENTENCE = re.compile(r"\s*(value|max|p\(\s*(\d+(?:\.\d+)?)\s*\))\s*(<=|>=|==|<|>)\s*(-?\d+(?:\.\d+)?)\s*")
_PERCENTILES = {"50": "p50", "90": "p90", "95": "p95", "99": "p99", "99.9": "p999"}
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
}  # fmt: skip


class BadThreshold(ValueError):  # noqa: N818 - named for what it is
    """A malformed threshold; the text says why."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One sentence about one metric; ``part`` is the field of a distribution, or nothing for a plain number."""

    metric: str
    expression: str
    part: str
    operation: str
    limit: float

    @property
    def timing(self) -> bool:
        """Tell whether it is about a timing metric."""
        return METRICS[self.metric].timing


@dataclass(frozen=True, slots=True)
class Judged:
    """A threshold with the measured value, if any; ``met`` is None if it could not be judged."""

    metric: str
    expression: str
    value: float | None
    limit: float
    met: bool | None


def parse(metric: str, expression: str) -> Threshold:
    """Parse one threshold. Raises BadThreshold."""
    if metric not in DISTRIBUTIONS | NUMBERS:
        raise BadThreshold(f"no such metric; there are {', '.join(sorted(DISTRIBUTIONS | NUMBERS))}")
    found = _SENTENCE.fullmatch(expression)
    if found is None:
        raise BadThreshold(f"{expression!r} must read like 'p(99) < 50', 'max < 200' or 'value == 0'")
    aggregation, percentile, operation, limit = found.groups()
    if metric in NUMBERS:
        if aggregation != "value":
            raise BadThreshold(f"{expression!r}: {metric} is one number, so that it must begin with value")
        part = ""
    elif aggregation == "max":
        part = "max"
    elif percentile in _PERCENTILES:
        part = _PERCENTILES[percentile]
    else:
        raise BadThreshold(f"{expression!r}: {metric} must begin with max or one of {', '.join(map(_p, _PERCENTILES))}")
    return Threshold(metric, expression.strip(), part, operation, float(limit))


def parse_all(table: Mapping[str, Sequence[str]]) -> list[Threshold]:
    """Read a table of thresholds, metric to sentences. Raises BadThreshold."""
    return [parse(metric, expression) for metric, expressions in table.items() for expression in expressions]


def judge(thresholds: Sequence[Threshold], measures: Mapping[str, Any], *, timing_is_valid: bool) -> list[Judged]:
    """
    Compare each with *measures* (a result's); what speaks about timing is judged only if that is valid.

    A metric that is None is not known, and its thresholds are neither met nor missed.
    """
    judged = []
    for each in thresholds:
        measured = measures[each.metric]
        value = measured[each.part] if each.part and measured is not None else measured
        judgeable = value is not None and (timing_is_valid or not each.timing)
        met = _OPERATORS[each.operation](value, each.limit) if judgeable else None
        judged.append(Judged(each.metric, each.expression, value, each.limit, met))
    return judged


def _p(percentile: str) -> str:
    return f"p({percentile})"
