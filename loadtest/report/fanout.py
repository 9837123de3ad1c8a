"""Fan-out: the time between the first and the last delivery of the same fact in a room."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.record.books import Books
from loadtest.record.history import FactRecord, History
from loadtest.report.figure import Figure, Trace, thinned
from loadtest.verdict.samples import NS_PER_MS, fanout_skews_ns, percentiles
from server.core.ids import PacketId

ROOMS_MAX = 30
POINTS_MAX = 4_000
_MARKS = {
    "warmup": ("--c1", "circle"),
    "open": ("--c2", "diamond"),
    "sold_out": ("--c3", "square"),
    "reopened": ("--c8", "star"),
    "closed": ("--c4", "triangle-up"),
    "voided": ("--c5", "x"),
    "result": ("--c6", "triangle-down"),
}
_OTHER = ("--c7", "cross")


@dataclass(frozen=True, slots=True)
class FactDelivery:
    """One fact of one room: the connections it was delivered to, and the time between the first and the last."""

    room: str
    kind: str
    packet: str
    seq: int
    count: int
    skew_ms: float


@dataclass(frozen=True, slots=True)
class RoomSkew:
    """One room: ``listeners`` is the most connections that received a fact, skews are in real milliseconds."""

    room: str
    listeners: int
    facts: int
    p50_ms: float
    max_ms: float
    max_ms_per_thousand: float


def hearings_of(history: History) -> list[FactDelivery]:
    """Return every fact that was delivered to at least two connections, over all processes."""
    groups: defaultdict[tuple[str, str, int], list[FactRecord]] = defaultdict(list)
    for fact in history.facts:
        groups[fact.room, fact.epoch, fact.seq].append(fact)
    skews = fanout_skews_ns(history.facts)
    hearings = []
    for key, facts in groups.items():
        first, count = facts[0], sum(fact.count for fact in facts)
        hearings.append(FactDelivery(first.room, first.type, first.packet, first.seq, count, skews[key] / NS_PER_MS))
    return sorted((one for one in hearings if one.count > 1), key=lambda one: (one.room, one.seq))


def room_skews(hearings: Sequence[FactDelivery]) -> list[RoomSkew]:
    """Return a line per room, the one with the largest skew first."""
    rooms: defaultdict[str, list[FactDelivery]] = defaultdict(list)
    for hearing in hearings:
        rooms[hearing.room].append(hearing)
    lines = [_room(room, of_room) for room, of_room in rooms.items()]
    return sorted(lines, key=lambda line: -line.max_ms)


def fanout_figure(hearings: Sequence[FactDelivery], rooms: Sequence[RoomSkew], books: Books) -> Figure | None:
    """Return the skew of every fact per room, or None without facts; of many rooms the slowest are shown."""
    if not rooms:
        return None
    shown = [line.room for line in rooms[:ROOMS_MAX]]
    points = thinned([hearing for hearing in hearings if hearing.room in set(shown)], POINTS_MAX)
    kinds = dict.fromkeys([*_MARKS, *(hearing.kind for hearing in points)])
    by_kind = {kind: [hearing for hearing in points if hearing.kind == kind] for kind in kinds}
    layout = {
        "xaxis": {"title": {"text": "milliseconds from the first viewer to the last"}, "rangemode": "tozero"},
        "yaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": shown[::-1],
            "range": [-0.6, len(shown) - 0.4],
        },
    }
    traces = [_trace(kind, of_kind, books) for kind, of_kind in by_kind.items() if of_kind]
    return Figure("fanout", 150 + max(34 * len(shown), 90), traces, layout)


def _room(room: str, hearings: Sequence[FactDelivery]) -> RoomSkew:
    skews = percentiles(round(hearing.skew_ms * NS_PER_MS) for hearing in hearings)
    per_thousand = max(1_000 * hearing.skew_ms / hearing.count for hearing in hearings)
    listeners = max(hearing.count for hearing in hearings)
    return RoomSkew(room, listeners, len(hearings), skews.p50, skews.max, per_thousand)


def _trace(kind: str, hearings: Sequence[FactDelivery], books: Books) -> Trace:
    colour, symbol = _MARKS.get(kind, _OTHER)
    names = {packet_id: packet.name for packet_id, packet in books.packets.items()}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": kind.replace("_", " "),
        "x": [round(hearing.skew_ms, 3) for hearing in hearings],
        "y": [hearing.room for hearing in hearings],
        "customdata": [
            f"{names.get(PacketId(hearing.packet)) or hearing.packet}, fact {hearing.seq}, {hearing.count:,} viewers"
            for hearing in hearings
        ],
        "marker": {"color": colour, "symbol": symbol, "size": 11, "opacity": 0.85},
        "hovertemplate": "%{fullData.name} of %{customdata}<br>%{x:,.2f} ms<extra>%{y}</extra>",
    }
