"""The plots of a gate's comparison: each metric's pairs with their interval against the budget, and the yardstick."""

from collections.abc import Mapping, Sequence
from typing import Any

from loadtest.report.figure import Figure, Trace
from loadtest.report.gate_view import PairPoint, points_of, yardstick_move
from loadtest.verdict.yardstick import TOLERANCE

_HEIGHT_PX = 300
_STEADY_RANGE = 0.02  # below this no difference is worth a look


def pair_figures(compared: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Figure]]:
    """Return for each compared metric its plot, those that decide first."""
    order = {name: at for at, name in enumerate(compared["decided_by"])}
    metrics = sorted(compared["metrics"], key=lambda each: order.get(each["metric"], len(order)))
    return [(each, _figure(each, points_of(compared, each))) for each in metrics]


def yardstick_figure(compared: Mapping[str, Any]) -> Figure | None:
    """Return how far the yardstick moved within each pair; None if it was not measured."""
    moves = [100 * yardstick_move(pair) for pair in compared["yardstick"]]
    if not moves:
        return None
    numbers = list(range(1, len(moves) + 1))
    trace = _dots("yardstick", numbers, moves, "--c1", "circle")
    trace["hovertemplate"] = "pair %{x}: %{y:+.1f} %<extra></extra>"
    tolerance = 100 * TOLERANCE
    shapes = [_level(each, "--c2", "dash") for each in (tolerance, -tolerance)]
    layout = _layout([*moves, tolerance, -tolerance], len(moves), "head beside base", shapes)
    return Figure("yardstick", 220, [trace], layout)


def _figure(metric: Mapping[str, Any], points: Sequence[PairPoint]) -> Figure:
    traces = []
    for name, symbol, unsteady in (("pair", "circle", False), ("unsteady pair", "circle-open", True)):
        some = [point for point in points if bool(point.unsteady) is unsteady]
        if some:
            trace = _dots(name, [each.number for each in some], [100 * each.worse_by for each in some], "--c1", symbol)
            trace["customdata"] = [[each.base, each.head, each.unsteady] for each in some]
            trace["hovertemplate"] = (
                "pair %{x}: %{y:+.1f} %<br>base %{customdata[0]:,.2f}, head %{customdata[1]:,.2f}"
                "<br>%{customdata[2]}<extra></extra>"
            )
            traces.append(trace)
    budget, floor, change = (100 * metric[name] for name in ("budget", "floor", "change"))
    last = max((point.number for point in points), default=1)
    traces.append(_line(f"allowed {budget:g} %", budget, last, "--c2", "dash"))
    if floor > budget:
        traces.append(_line(f"equal builds {floor:.1f} %", floor, last, "--c7", "dot"))
    if metric["pairs"]:
        name = "centre" if metric["low"] is None else "centre and interval"
        traces.append(_line(name, change, last, "--c1", "solid"))
    shapes = [_level(0.0, "--faint", "solid")]
    levels = [100 * point.worse_by for point in points] + [budget, change, 0.0]
    levels += [floor] if floor > budget else []
    if metric["low"] is not None:
        low, high = 100 * metric["low"], 100 * metric["high"]
        levels += [low, high]
        shapes.append({
            "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": low, "y1": high,
            "fillcolor": "--band", "line": {"width": 0}, "layer": "below",
        })  # fmt: skip
    layout = _layout(levels, last, "head worse by", shapes)
    return Figure(f"pairs-{metric['metric'].replace('_', '-')}", _HEIGHT_PX, traces, layout)


def _dots(name: str, numbers: Sequence[int], values: Sequence[float], colour: str, symbol: str) -> Trace:
    return {
        "type": "scatter", "mode": "markers", "name": name, "x": list(numbers),
        "y": [round(each, 4) for each in values],
        "marker": {"color": colour, "size": 9, "symbol": symbol, "line": {"width": 2, "color": colour}},
    }  # fmt: skip


def _level(at: float, colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": at, "y1": at,
        "line": {"color": colour, "width": 2 if dash == "dash" else 1, "dash": dash},
    }  # fmt: skip


def _line(name: str, at: float, last: int, colour: str, dash: str) -> Trace:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": [0.5, last + 0.5], "y": [at, at], "hoverinfo": "skip",
        "line": {"color": colour, "width": 2, "dash": dash},
    }  # fmt: skip


def _layout(levels: Sequence[float], pairs: int, title: str, shapes: list[dict[str, Any]]) -> dict[str, Any]:
    low, high = min(levels), max(levels)
    room = max(high - low, 100 * _STEADY_RANGE) * 0.12
    return {
        "xaxis": {
            "title": {"text": "pair"},
            "range": [0.5, pairs + 0.5],
            "dtick": 1 if pairs <= 16 else 4,
            "zeroline": False,
        },
        "yaxis": {"title": {"text": title}, "ticksuffix": " %", "range": [low - room, high + room], "zeroline": False},
        "shapes": shapes,
        "showlegend": True,
    }
