"""Limits on what the head's legs have shown, absolute or relative to the machine (docs/gate.md)."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from loadtest.verdict.threshold_grammar import parse_limit
from loadtest.verdict.threshold_terms import MeasuredTerm
from loadtest.verdict.thresholds import Judged, judge
from loadtest.verdict.weigh import Reason
from scripts.gate.figures import Alone

YARDSTICK = "yardstick_us"
NO_LEG = "no leg was measured: correctness had decided, or --budget is 0"


class LegValues:
    """The medians over the head's legs, and over the yardstick beside them, as limits ask for them."""

    def __init__(self, legs: Sequence[Mapping[str, Any]], yardstick: Sequence[float]) -> None:
        self._legs = legs
        self._yardstick = yardstick

    def value(self, term: MeasuredTerm) -> float | None:
        """Return the median, or None if there is nothing."""
        if term.metric == YARDSTICK:
            figures = list(self._yardstick)
        else:
            figures = [leg[term.metric] for leg in self._legs if leg[term.metric] is not None]
        return median(figures) if figures else None

    def why_unknown(self, term: MeasuredTerm) -> str:
        """Say why there is nothing."""
        return f"{term.metric} is not known of this service" if self._legs else NO_LEG


def yardstick_of(compared: Mapping[str, Any] | None, alone: Alone | None) -> float | None:
    """Return the yardstick's median beside the legs, None if it was not measured."""
    figures = _yardsticks(compared, alone)
    return median(figures) if figures else None


def _yardsticks(compared: Mapping[str, Any] | None, alone: Alone | None) -> list[float]:
    if compared is not None:
        return [figure for pair in compared["yardstick"] for figure in (pair["base"], pair["head"])]
    return [] if alone is None else [alone.yardstick_us]


def judge_limits(limits: Sequence[str], compared: Mapping[str, Any] | None, alone: Alone | None) -> list[Judged]:
    """Judge the limits by the gate's comparison, as the result has it, or by a leg alone, or by neither."""
    legs: list[Mapping[str, Any]] = []
    void = ""
    if compared is not None:
        legs, void = [pair["head"] for pair in compared["legs"]], compared["void"]
    elif alone is not None:
        legs, void = [alone.leg._asdict()], alone.void
    parsed = [parse_limit(line) for line in limits]
    return judge(parsed, LegValues(legs, _yardsticks(compared, alone)), timing_is_valid=not void, why_void=void)


def reasons_of(judged: Sequence[Judged], *, void: bool) -> list[Reason]:
    """Return the reasons against a pass that limits give; *void* says that the machine was not fit to tell."""
    reasons = [Reason.THRESHOLD] if any(each.met is False for each in judged) else []
    if any(each.met is None and None not in (each.value, each.limit) for each in judged) and void:
        reasons.append(Reason.VOID)
    if any(None in (each.value, each.limit) for each in judged):
        reasons.append(Reason.NOT_VERIFIED)
    return reasons
