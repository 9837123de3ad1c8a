"""Judges thresholds (``threshold_grammar.py``) by the figures of a run, or of what is known while it runs."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from loadtest.verdict.threshold_terms import Calculated, Constant, MeasuredTerm, Term, Threshold

UNHEALTHY = "the generator was not healthy enough to measure times"
_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_CALCULATED: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """
    A threshold with the measured value beside its limit, if known.

    ``met`` is None if it could not be judged; ``why`` says why, or what became of a run that it broke off.
    """

    metric: str
    expression: str
    value: float | None
    limit: float | None
    met: bool | None
    why: str = ""


class ThresholdFigures(Protocol):
    """The figures by which thresholds are judged."""

    def value(self, term: MeasuredTerm) -> float | None:
        """Return what is asked for, or None if nothing was measured."""

    def why_unknown(self, term: MeasuredTerm) -> str:
        """Say why nothing was measured."""


def judge(
    thresholds: Sequence[Threshold],
    figures: ThresholdFigures,
    *,
    timing_is_valid: bool,
    why_void: str = UNHEALTHY,
    broken_off: Mapping[str, str] | None = None,
) -> list[Judged]:
    """
    Compare each with *figures*; what speaks about timing is judged only if that is valid, and else has *why_void*.

    What is not known is neither met nor missed. One that has *broken_off* the run is missed, whatever was measured
    until the end: the value says for which figures.
    """
    judged = []
    for each in thresholds:
        value, limit, met = compare(each, figures)
        why = ""
        if met is None:
            unknown = next((term for term in each.measured if figures.value(term) is None), None)
            why = "a division by zero" if unknown is None else figures.why_unknown(unknown)
        if (broke := (broken_off or {}).get(str(each))) is not None:
            met, why = False, broke
        if value is not None and each.timing and not timing_is_valid:
            met, why = None, why_void
        judged.append(Judged(each.metric, each.expression, value, limit, met, why))
    return judged


def threshold_text(judged: Mapping[str, Any]) -> str:
    """Return a judged threshold as a person would write it: its metric first, and not twice."""
    metric, expression = str(judged["metric"]), str(judged["expression"])
    return expression if expression.startswith(metric) else f"{metric} {expression}"


def compare(threshold: Threshold, figures: ThresholdFigures) -> tuple[float | None, float | None, bool | None]:
    """Return the value, the limit and whether it is met; None for what is not known."""
    value, limit = _value(threshold.left, figures), _value(threshold.right, figures)
    met = None if value is None or limit is None else _COMPARED[threshold.operation](value, limit)
    return value, limit, met


def _value(term: Term, figures: ThresholdFigures) -> float | None:
    match term:
        case Constant(value):
            return value
        case Calculated(operation, left, right):
            one, other = _value(left, figures), _value(right, figures)
            if one is None or other is None or (operation == "/" and not other):
                return None
            return _CALCULATED[operation](one, other)
        case MeasuredTerm():
            return figures.value(term)
