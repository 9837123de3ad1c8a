"""Grabs over time: the answers to taps, below the lanes of the packets."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from loadtest.record.books import Books, PacketRecord
from loadtest.record.history import History
from loadtest.report.figure import STATUS_COLOUR_OTHER, STATUS_COLOURS, Figure, Trace, colour_of
from loadtest.report.happenings import HappeningRow
from loadtest.report.timebase import Timebase, shanghai
from loadtest.verdict.measures import UNKNOWN
from server.core.ids import PacketId
from server.core.packets.packet import PacketState

BINS_MAX = 400
LANES_MAX = 14
SPANS_MAX = 500
SHADES_MAX = 60
NAMES_MAX = 40
_BELOW = Markup("{}<br>{}")
_MARK_BELOW = 0.36  # of a lane: at the lower edge of the bar, so that its name can be read
_STEPS = (1, 2, 5)
_MARKS = {
    "launch": ("launched", "triangle-right"),
    "sold_out": ("sold out", "diamond"),
    "edit": ("edited", "triangle-up"),
    "void": ("voided", "x"),
    "end": ("ended", "x-open"),
    "sweep": ("swept", "square-open"),
    "refused": ("refused", "cross"),
}
_LANE_PX = 30
_GAP_PX = 16
_BARS_PX = 270
_MARGIN_PX = 140  # above the lanes and below the bars, as the page's script lays it out


@dataclass(frozen=True, slots=True)
class Span:
    """A packet on the axis: warm-up, window and end in real seconds, and its lane."""

    number: int
    packet: PacketRecord
    warmup_s: float
    grab_s: float
    end_s: float
    lane: int

    @property
    def voided(self) -> bool:
        """Tell whether it never opened."""
        return self.packet.state is PacketState.VOIDED


def over_time_figure(books: Books, history: History, timebase: Timebase, rows: Sequence[HappeningRow]) -> Figure | None:
    """Return the figure, with marks on the lanes from the happenings in *rows*, or None without taps."""
    answers = [
        (timebase.seconds(grab.t_sent if grab.t_reply is None else grab.t_reply), grab.status or UNKNOWN)
        for grab in history.grabs
    ]
    if not answers:
        return None
    spans = spans_of(books, timebase)
    end_s = max([at for at, _ in answers] + [span.end_s for span in spans])
    width_s = bin_width(end_s)
    lanes = 1 + max((span.lane for span in spans), default=-1)
    plot_px = _BARS_PX + (_GAP_PX + _LANE_PX * lanes if lanes else 0)
    bars_top, lanes_bottom = _BARS_PX / plot_px, (_BARS_PX + _GAP_PX) / plot_px
    layout: dict[str, Any] = {
        "barmode": "stack",
        "bargap": 0,
        "xaxis": {"title": {"text": "real seconds since the first viewer came"}, "range": [0, round(end_s * 1.02, 2)]},
        "yaxis": {"title": {"text": f"grabs answered in {width_s:g} s"}, "domain": [0, round(bars_top, 4)]},
        "shapes": [_shade(span) for span in spans[:SHADES_MAX] if not span.voided],
    }
    traces = _bars(answers, width_s, timebase)
    if lanes:
        layout["yaxis2"] = _lane_axis(spans, lanes, lanes_bottom)
        traces += _lane_traces(spans) + _marks(spans, rows)
    origin_ms = timebase.room_ms(0)
    room_axis = None if origin_ms is None else (shanghai(origin_ms, "%Y-%m-%d %H:%M:%S.%f"), books.clock.speed)
    return Figure("over-time", _MARGIN_PX + plot_px, traces, layout, room_axis)


def bin_width(seconds: float) -> float:
    """Return a round width in seconds that cuts this time into at most ``BINS_MAX`` bins."""
    width = 0.001
    while True:
        for step in _STEPS:
            if seconds / (width * step) <= BINS_MAX:
                return round(width * step, 6)
        width *= 10


def spans_of(books: Books, timebase: Timebase) -> list[Span]:
    """Return every launched packet with its lane; packets of one room are adjacent, and none overlap."""
    spans: list[Span] = []
    rooms: defaultdict[str, list[tuple[int, PacketRecord, tuple[float, float, float]]]] = defaultdict(list)
    for number, packet in enumerate(books.packets.values()):
        times = _times(packet, timebase)
        if times is not None:
            rooms[packet.room_id or ""].append((number, packet, times))
    first_free = 0
    for packets in rooms.values():
        ends: list[float] = []
        for number, packet, (warmup_s, grab_s, end_s) in sorted(packets, key=lambda one: one[2]):
            lane = next((at for at, free_s in enumerate(ends) if free_s <= warmup_s), len(ends))
            ends[lane : lane + 1] = [end_s]
            spans.append(Span(number, packet, warmup_s, grab_s, end_s, first_free + lane))
        first_free += len(ends)
    return [span for span in spans if span.lane < LANES_MAX][:SPANS_MAX]


def _times(packet: PacketRecord, timebase: Timebase) -> tuple[float, float, float] | None:
    if packet.grab_at_ms is None or packet.claim_end_at_ms is None:
        return None
    warmup_ms = packet.grab_at_ms if packet.warmup_at_ms is None else packet.warmup_at_ms
    warmup_s, grab_s, end_s = map(timebase.seconds_of_room, (warmup_ms, packet.grab_at_ms, packet.claim_end_at_ms))
    return None if warmup_s is None or grab_s is None or end_s is None else (warmup_s, grab_s, end_s)


def _bars(answers: Iterable[tuple[float, str]], width_s: float, timebase: Timebase) -> list[Trace]:
    counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for at, status in answers:
        counts[status][int(at / width_s)] += 1
    order = [*(status for status in STATUS_COLOURS if status in counts), *sorted(counts.keys() - STATUS_COLOURS.keys())]
    return [_bar(status, sorted(counts[status].items()), width_s, timebase) for status in order]


def _bar(status: str, counts: Sequence[tuple[int, int]], width_s: float, timebase: Timebase) -> Trace:
    middles = [round((number + 0.5) * width_s, 6) for number, _ in counts]
    room = [timebase.room_ms(number * width_s) for number, _ in counts]
    return {
        "type": "bar",
        "name": status.replace("_", " "),
        "x": middles,
        "y": [count for _, count in counts],
        "width": width_s,
        "customdata": ["" if at is None else f"{shanghai(at)} in the room" for at in room],
        "marker": {"color": STATUS_COLOURS.get(status, STATUS_COLOUR_OTHER), "line": {"width": 0}},
        "hovertemplate": "%{y:,} %{fullData.name}<br>at %{x:.3~f} s, %{customdata}<extra></extra>",
    }


def _shade(span: Span) -> dict[str, Any]:
    return {
        "type": "rect", "layer": "below", "xref": "x", "yref": "y domain", "line": {"width": 0},
        "x0": round(span.grab_s, 3), "x1": round(span.end_s, 3), "y0": 0, "y1": 1,
        "fillcolor": colour_of(span.number), "opacity": 0.09,
    }  # fmt: skip


def _lane_axis(spans: Sequence[Span], lanes: int, bottom: float) -> dict[str, Any]:
    first_of_room: dict[str, int] = {}
    for span in spans:
        room = span.packet.room_id or ""
        first_of_room[room] = min(span.lane, first_of_room.get(room, span.lane))
    return {
        "domain": [round(bottom, 4), 1],
        "range": [lanes - 0.4, -0.6],
        "tickvals": list(first_of_room.values()),
        "ticktext": list(first_of_room),
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }


def _lane_traces(spans: Sequence[Span]) -> list[Trace]:
    opened = [span for span in spans if not span.voided]
    traces = [
        _lane("warm-up", [(span, span.warmup_s, span.grab_s) for span in spans], 0.22, named=False),
        _lane("grab window", [(span, span.grab_s, span.end_s) for span in opened], 0.55, named=len(spans) <= NAMES_MAX),
    ]
    voided = [span for span in spans if span.voided]
    if voided:
        traces.append(_lane("voided", [(span, span.grab_s, span.end_s) for span in voided], 0.12, named=True))
    return traces


def _lane(name: str, pieces: Sequence[tuple[Span, float, float]], opacity: float, *, named: bool) -> Trace:
    suffix = " (voided)" if name == "voided" else ""
    return {
        "type": "bar", "orientation": "h", "name": name, "xaxis": "x", "yaxis": "y2", "showlegend": False,
        "y": [span.lane for span, _, _ in pieces],
        "base": [round(start, 3) for _, start, _ in pieces],
        "x": [round(end - start, 3) for _, start, end in pieces],
        "width": 0.72,
        "marker": {"color": [colour_of(span.number) for span, _, _ in pieces], "opacity": opacity},
        "text": [(span.packet.name or span.packet.packet_id) + suffix if named else "" for span, _, _ in pieces],
        "textposition": "inside", "insidetextanchor": "middle", "constraintext": "none", "textangle": 0,
        "insidetextfont": {"color": "--ink"},
        "customdata": [f"{span.packet.name} {span.packet.packet_id}" for span, _, _ in pieces],
        "hovertemplate": f"%{{customdata}}<br>{name} of %{{x:,.2f}} s from %{{base:,.2f}} s<extra></extra>",
    }  # fmt: skip


def _marks(spans: Sequence[Span], rows: Sequence[HappeningRow]) -> list[Trace]:
    lanes = {span.packet.packet_id: span for span in spans}
    traces: list[Trace] = []
    for kind, (name, symbol) in _MARKS.items():
        marked = [
            (row, lanes[PacketId(row.packet_id)], row.seconds)
            for row in rows
            if row.kind == kind and row.seconds is not None and row.packet_id in lanes
        ]
        if marked:
            traces.append({
                "type": "scatter", "mode": "markers", "name": name, "xaxis": "x", "yaxis": "y2",
                "x": [round(seconds, 3) for _, _, seconds in marked],
                "y": [span.lane + _MARK_BELOW for _, span, _ in marked],
                "customdata": [_BELOW.format(span.packet.name or span.packet.packet_id, name) for _, span, _ in marked],
                "marker": {"symbol": symbol, "size": 8, "color": "--ink", "line": {"color": "--card", "width": 1}},
                "hovertemplate": "%{customdata} at %{x:,.2f} s<extra></extra>",
            })  # fmt: skip
    return traces
