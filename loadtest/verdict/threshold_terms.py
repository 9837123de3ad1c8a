"""Terms: what a threshold is made of, once it is read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from client_sim.behaviour import Behaviour
from loadtest.verdict.leg_metrics import LEG_METRICS
from loadtest.verdict.metrics import METRICS, MetricKind, SelectorName
from loadtest.verdict.phases import TapPhase

COMPARISONS = ("<=", ">=", "==", "!=", "<", ">")
ABORT_AFTER_S_MAX = 86_400
DISTRIBUTIONS = frozenset(name for name, metric in METRICS.items() if metric.kind is MetricKind.DISTRIBUTION)
NUMBERS = frozenset(name for name, metric in METRICS.items() if metric.kind is MetricKind.NUMBER)
NAMES = sorted(DISTRIBUTIONS | NUMBERS)
AGGREGATIONS = ("p", "avg", "med", "min", "max", "count", "value", "rate")
CLOSED: Mapping[str, Sequence[str]] = {SelectorName.PHASE: tuple(TapPhase), SelectorName.BEHAVIOUR: tuple(Behaviour)}
"""The selectors whose values are known before the run."""

Selection = tuple[tuple[str, str], ...]
"""Selectors with their values, in the order of their names; none selects the whole run."""


class BadThreshold(ValueError):  # noqa: N818 - named for what it is
    """A malformed threshold; the text says where, and what is expected there."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number in a threshold."""

    value: float


@dataclass(frozen=True, slots=True)
class MeasuredTerm:
    """A value that a threshold asks of one metric, over one part of the run."""

    metric: str
    aggregation: str
    selection: Selection = ()

    def __str__(self) -> str:
        return f"{named(self.metric, self.selection)}.{self.aggregation}"


@dataclass(frozen=True, slots=True)
class Calculated:
    """Two terms with + - * or / between them."""

    operation: str
    left: "Term"
    right: "Term"


Term = Constant | MeasuredTerm | Calculated


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold of ``metric``, which stands there with its selectors. It may end the run ``abort_after_s``."""

    metric: str
    expression: str
    left: Term
    operation: str
    right: Term
    abort_after_s: float | None = None

    def __str__(self) -> str:
        return f"{self.metric} {self.expression}"

    @property
    def measured(self) -> list[MeasuredTerm]:
        """Return all that it asks for."""
        return [*_measured(self.left), *_measured(self.right)]

    @property
    def timing(self) -> bool:
        """Tell whether it is about time, which an unhealthy generator cannot measure."""
        timed = (term.metric in LEG_METRICS or METRICS[term.metric].timing for term in self.measured)
        return any(timed) or any(term.aggregation == "rate" for term in self.measured)


def named(metric: str, selection: Selection) -> str:
    """Return a metric with its selectors, as a threshold names it."""
    inside = ", ".join(f"{name}:{_quoted(value)}" for name, value in selection)
    return f"{metric}{{{inside}}}" if inside else metric


def _measured(term: Term) -> Iterator[MeasuredTerm]:
    match term:
        case MeasuredTerm():
            yield term
        case Calculated(_, left, right):
            yield from _measured(left)
            yield from _measured(right)


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"[,}]|^\s|\s$", value) else value
