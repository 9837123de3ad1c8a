"""Two single runs side by side: their figures with ratios, and the differences that speak against comparing them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from loadtest.record.run_history import RunSummary
from loadtest.verdict.run_summary import unit_of

SHOWN_MAX = 200
CAVEAT = (
    "Two single runs cannot prove a regression: one run may be slower than the next by half and more, with nothing "
    "changed. For that, compare in pairs (docs/gate.md)."
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting or a part of the environment that two runs do not share."""

    name: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of two runs; ``ratio`` is b's by a's, None if one is not known or is 0."""

    figure: str
    unit: str
    a: float | None
    b: float | None
    ratio: float | None


def incomparable(a: RunSummary, b: RunSummary) -> list[Difference]:
    """Return the differences in scenario, audience, seed, engine or machine, with which figures mean nothing."""
    return list(_differing("", a.kind, b.kind))


def surroundings(a: RunSummary, b: RunSummary) -> list[Difference]:
    """Return the other differences: in settings, interpreter, libraries and variables."""
    settings = ({name: getattr(run, name) for name in ("durability", "limits")} for run in (a, b))
    return [*_differing("", *settings), *_differing("", a.environment, b.environment)]


def rows_of(a: RunSummary, b: RunSummary) -> list[FigureRow]:
    """Return the figures of both, in the order of the metrics."""
    return [_row(figure, a.figures.get(figure), b.figures.get(figure)) for figure in a.figures | b.figures]


def _row(figure: str, a: float | None, b: float | None) -> FigureRow:
    return FigureRow(figure, unit_of(figure), a, b, b / a if a and b else None)


def _differing(prefix: str, a: dict[str, Any], b: dict[str, Any]) -> Iterator[Difference]:
    for name in a | b:
        one, other = a.get(name), b.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _differing(f"{prefix}{name}.", one, other)
        elif one != other:
            yield Difference(f"{prefix}{name}", _shown(one), _shown(other))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    text = str(value)[:SHOWN_MAX]
    return text if text.isprintable() else repr(text)
