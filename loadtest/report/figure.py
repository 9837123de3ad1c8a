"""A figure: the data with which the page's script draws one plot; colours are names that the style sheet defines."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, TypeVar

from markupsafe import Markup

T = TypeVar("T")

COLOURS = ("--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8")
"""Custom properties of the style sheet, one per series, distinguishable with colour blindness."""

DASHES = ("solid", "dot", "dash", "longdash")
STATUS_COLOURS = {
    "granted": "--granted",
    "repeated": "--repeated",
    "exhausted": "--exhausted",
    "too_early": "--too-early",
    "too_late": "--too-late",
    "unknown": "--unknown",
}
STATUS_COLOUR_OTHER = "--other"

Trace = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """
    ``traces`` and ``layout`` are what plotly calls so, drawn by the page's own script; a string that begins with ``--``
    is a colour of the style sheet.

    Where there is less room than ``min_width_px``, the figure is scrolled. ``room_axis`` asks for a second axis in room
    time: (room time at 0 s as a date in Shanghai, speed).
    """

    name: str
    height_px: int
    traces: list[Trace]
    layout: dict[str, Any] = field(default_factory=dict)
    room_axis: tuple[str, int] | None = None
    min_width_px: int = 0


_TEMPLATES = frozenset({"hovertemplate", "texttemplate"})  # ours, and no name stands in one


def literal(value: Any) -> Any:
    """
    Return a part of a figure in which each text is shown as it stands.

    What we mean as markup, such as a line break, is a Markup, or in a template.
    """
    if isinstance(value, str):
        return value if isinstance(value, Markup) else escape(value, quote=False)
    if isinstance(value, dict):
        return {name: one if name in _TEMPLATES else literal(one) for name, one in value.items()}
    return [literal(one) for one in value] if isinstance(value, list | tuple) else value


def colour_of(number: int) -> str:
    """Return the colour of series *number*; after the eighth they begin again, with another dash."""
    return COLOURS[number % len(COLOURS)]


def dash_of(number: int) -> str:
    """Return the dash of series *number*."""
    return DASHES[number // len(COLOURS) % len(DASHES)]


def thinned(points: Sequence[T], limit: int) -> list[T]:
    """Return at most *limit* of the points, evenly spaced, the first and the last among them."""
    if len(points) <= limit:
        return list(points)
    last = len(points) - 1
    return [points[at * last // (limit - 1)] for at in range(limit)]
