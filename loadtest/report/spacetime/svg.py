"""The diagrams as one page that opens from disk: SVG inside, no script, and all that strangers wrote is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from loadtest.report.inlined import part, templates
from loadtest.report.spacetime.packing import rows_of, ticks_of
from loadtest.report.spacetime.placing import Glyph, Trace
from loadtest.report.spacetime.scene import Instant, Scene

WIDTH = 1120
_LEFT, _RIGHT, _TOP = 190, 32, 40
_ROW, _GAP = 22, 10
_PX_PER_CHARACTER = 6.7
_ROWS_AROUND_MAX = 6


@dataclass(frozen=True, slots=True)
class SvgShape:
    """A trace with its place in px: a bar from ``x`` to ``x + width``, or a point at ``at`` with its whisker."""

    trace: Trace
    x: float
    width: float
    y: float
    at: float
    label: str
    label_x: float
    anchor: str


@dataclass(frozen=True, slots=True)
class SvgLane:
    """One line: its name, its top and its height in px."""

    name: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class SvgScene:
    """A scene with its geometry; ``marks`` are texts of the axis by their x."""

    scene: Scene
    height: float
    lanes: list[SvgLane] = field(default_factory=list)
    shapes: list[SvgShape] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)
    edges: list[tuple[float, Instant]] = field(default_factory=list)


def page_of(scenes: Sequence[Scene], run: str) -> str:
    """Return the page with the diagrams of *run*."""
    template = templates().get_template("spacetime.html")
    drawn = [placed(scene) for scene in scenes]
    return template.render(scenes=drawn, run=run, style=part("style.css"), width=WIDTH, Glyph=Glyph)


def placed(scene: Scene) -> SvgScene:
    """Return a scene with its geometry, as ``scene.html`` draws it."""
    lanes, shapes, y = [], [], float(_TOP)
    for name in scene.lanes:
        traces = [trace for trace in scene.traces if trace.lane == name]
        around = [trace for trace in traces if not trace.number]
        shown = [trace for trace in traces if trace.number]
        upper = rows_of([_extent(scene, trace) for trace in around], _ROWS_AROUND_MAX)
        lower = rows_of([_extent(scene, trace) for trace in shown], len(shown) or 1)
        offset = max(upper, default=-1) + 1
        height = (offset + max(lower, default=-1) + 1) * _ROW + _GAP
        rows = [*upper, *(row + offset for row in lower)]
        for trace, row in zip((*around, *shown), rows, strict=True):
            shapes.append(_shape(scene, trace, y + _GAP / 2 + row * _ROW))
        lanes.append(SvgLane(name, y, height))
        y += height
    ticks = ticks_of(scene.ms(scene.t_from), scene.ms(scene.t_to), 8) if lanes else []
    marks = [(_x(scene, scene.zero + round(each * 1e6)), f"{each:,.10g} ms") for each in ticks]
    edges = [(_x(scene, instant.t), instant) for instant in scene.instants]
    return SvgScene(scene, y + 8, lanes, shapes, marks, edges)


def _label(trace: Trace) -> str:
    return f"{trace.number}  {trace.short}" if trace.number else ""


def _extent(scene: Scene, trace: Trace) -> tuple[float, float]:
    shape = _shape(scene, trace, 0)
    begins, ends = shape.x, shape.x + shape.width
    if not trace.number and trace.t is not None:
        begins, ends = shape.at - 5, shape.at + 5
    if not shape.label:
        return begins, ends + 2
    text = len(shape.label) * _PX_PER_CHARACTER + 8
    return (begins, ends + text) if shape.anchor == "start" else (begins - text, ends)


def _shape(scene: Scene, trace: Trace, y: float) -> SvgShape:
    begins, ends = _x(scene, trace.t_from), _x(scene, trace.t_to)
    at = begins if trace.t is None else _x(scene, trace.t)
    label = _label(trace)
    # The label of an instant stands beside its point, over the whisker; that of a bar behind its end.
    edge_right, edge_left = (ends, begins) if trace.t is None else (at + 4, at - 4)
    fits = edge_right + len(label) * _PX_PER_CHARACTER + 8 < WIDTH - _RIGHT
    label_x, anchor = (edge_right + 6, "start") if fits else (edge_left - 6, "end")
    return SvgShape(trace, begins, max(ends - begins, 3.0), y, at, label, label_x, anchor)


def _x(scene: Scene, t: int) -> float:
    share = (t - scene.t_from) / (scene.t_to - scene.t_from)
    return round(_LEFT + max(0.0, min(1.0, share)) * (WIDTH - _LEFT - _RIGHT), 1)
