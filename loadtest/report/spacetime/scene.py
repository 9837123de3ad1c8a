"""A scene: what a space-time diagram of one violation shows, bounded and centred on the evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loadtest.record.books import Books
from loadtest.record.declared import Declarations
from loadtest.record.history import GrabRecord, History
from loadtest.record.shape import Line
from loadtest.report.spacetime.placing import STORE, Glyph, Placing, Trace
from loadtest.report.spacetime.wordings import caption_of, clean, wording_of
from loadtest.verdict.audit import INVARIANTS

LANES_MAX = 8
TRACES_MAX = 60
RECORDS_MAX = 12
_NS_PER_MS = 1_000_000
_MARGIN_NS = 5 * _NS_PER_MS
_BY_EDGES = frozenset({"A7", "A13"})
"""Invariants that a single record can break against the window: an edge of it is then part of the picture."""


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant of the packet's window, drawn across all lines."""

    t: int
    text: str


@dataclass(frozen=True, slots=True)
class Exhibit:
    """
    One record of the evidence: its number, the line it lies on ("" if it has no instant), and its text.

    ``t_reply`` is when a tap was answered, ``t_stored`` when a message was published by the store's clock.
    """

    number: int
    lane: str
    text: str
    t: int | None = None
    t_reply: int | None = None
    t_stored: int | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """
    A diagram of one violation. ``lanes`` are the lines from the top; without any, no record has a known instant.

    ``zero`` is where the axis counts from, and ``zero_text`` says what happened then.
    """

    invariant: str
    title: str
    packet_id: str
    caption: str
    exhibits: list[Exhibit]
    lanes: list[str] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    instants: list[Instant] = field(default_factory=list)
    t_from: int = 0
    t_to: int = 1
    zero: int = 0
    zero_text: str = ""
    left_out: list[str] = field(default_factory=list)

    def ms(self, t: int) -> float:
        """Return an instant as milliseconds on the axis."""
        return (t - self.zero) / _NS_PER_MS

    def when(self, exhibit: Exhibit) -> str:
        """Return in words where a record lies on the axis."""
        if exhibit.t is None:
            return "not on the axis"
        later = {"answered": exhibit.t_reply, "published": exhibit.t_stored}
        told = [f", {word} {self.ms(t):+,.3f} ms" for word, t in later.items() if t is not None]
        return f"{self.ms(exhibit.t):+,.3f} ms{''.join(told)}"


def scenes_of(
    violations: Sequence[Mapping[str, Any]], history: History, books: Books | None, declared: Declarations | None = None
) -> list[Scene]:
    """Return a scene for the first violation of each invariant; *books* are None and packets *declared* if foreign."""
    placing, firsts = Placing(history, books), dict[str, Mapping[str, Any]]()
    for violation in violations:
        firsts.setdefault(violation["invariant"], violation)
    return [_scene(violation, placing, declared or {}) for violation in firsts.values()]


def _scene(violation: Mapping[str, Any], placing: Placing, declared: Declarations) -> Scene:
    invariant, packet_id = violation["invariant"], violation["packet_id"]
    evidence = list(violation["evidence"][:RECORDS_MAX])
    traces, exhibits = _exhibited(evidence, placing)
    instants = list(_instants(packet_id, placing, declared))
    scene = Scene(
        invariant,
        INVARIANTS[invariant],
        clean(packet_id),
        caption_of(invariant, violation["detail"]),
        exhibits,
        left_out=_untold(evidence, violation["evidence"], placing),
    )
    journal = _journal_of(packet_id, evidence, placing)
    shown = _times(traces) or [instant.t for instant in instants] or [t.t for t in journal if t.t is not None]
    if not shown:
        return scene
    if invariant in _BY_EDGES and instants and sum(1 for record in evidence if record["kind"] != "packet") == 1:
        shown.append(_edge(instants, violation["detail"], (min(shown) + max(shown)) // 2).t)
    margin = max((max(shown) - min(shown)) // 6, _MARGIN_NS)
    scene = replace(scene, t_from=min(shown) - margin, t_to=max(shown) + margin, traces=traces)
    opening = next((instant for instant in instants if instant.text == "opens"), None)
    scene = replace(
        scene,
        instants=[instant for instant in instants if scene.t_from <= instant.t <= scene.t_to],
        zero=min(shown) if opening is None else opening.t,
        zero_text="the first record below" if opening is None else "the opening of the packet",
    )
    return _bounded(scene, _around(scene, violation, journal, placing))


def _edge(instants: Sequence[Instant], detail: str, middle: int) -> Instant:
    """Return the edge of the window that the audit speaks of, or the nearest."""
    ends = [instant for instant in instants if " end" in detail and instant.text != "opens"]
    opens = [instant for instant in instants if "open" in detail and instant.text == "opens"]
    return min(ends or opens or instants, key=lambda instant: abs(instant.t - middle))


def _journal_of(packet_id: str, evidence: Sequence[Line], placing: Placing) -> list[Trace]:
    """Return the entries about the same packet, or without one of the same creators."""
    creators = {record.get("creator_id") for record in evidence} - {None}
    known = {_key(record) for record in evidence}
    return [
        trace
        for entry in (() if placing.books is None else placing.books.journal)
        if (entry.packet_id == packet_id if packet_id else entry.creator_id in creators)
        if ("journal", entry.entry_id) not in known
        for trace in placing.entry(entry)
    ]


def _exhibited(evidence: Sequence[Line], placing: Placing) -> tuple[list[Trace], list[Exhibit]]:
    """Return the numbered traces of the evidence, and the list that the numbers refer to."""
    runs = iter(placing.runs([record for record in evidence if record["kind"] == "run"]))
    traces: list[Trace] = []
    exhibits: list[Exhibit] = []
    for number, record in enumerate(evidence, start=1):
        placed = next(runs) if record["kind"] == "run" else placing.traces_of(record)
        traces += [replace(trace, number=number) for trace in placed]
        first = placed[0] if placed else None
        lane, at = ("", None) if first is None else (first.lane, first.t_from if first.t is None else first.t)
        reply = first.t_to if first is not None and first.glyph is Glyph.BAR else None
        stored = next((trace.t for trace in placed[1:] if trace.lane == STORE), None)
        exhibits.append(Exhibit(number, lane, wording_of(record), at, reply, stored))
    return traces, exhibits


def _instants(packet_id: str, placing: Placing, declared: Declarations) -> Iterator[Instant]:
    """Yield the edges of a packet's window, by the history's clock."""
    for packet in declared.values():
        if packet.packet_id == packet_id:
            known = {"opens": packet.opens_ns, "closes": packet.closes_ns}
            yield from (Instant(t, text) for text, t in known.items() if t is not None)
    if placing.times is None or placing.books is None:
        return
    for booked in placing.books.packets.values():
        if booked.packet_id == packet_id:
            edges = {"opens": booked.grab_at_ms, "closes": booked.claim_end_at_ms, "ended": booked.ended_at_ms}
            yield from (Instant(placing.times.ns(at), text) for text, at in edges.items() if at is not None)


def _times(traces: Sequence[Trace]) -> list[int]:
    """Return the instants that must be in the picture; how long a connection lived counts only if nothing else does."""
    lives = [trace for trace in traces if trace.glyph is Glyph.LIFE]
    others = [trace for trace in traces if trace.glyph is not Glyph.LIFE]
    return [t for trace in others or lives for t in ((trace.t_from, trace.t_to) if trace.t is None else (trace.t,))]


def _untold(evidence: Sequence[Line], all_of_it: Sequence[Line], placing: Placing) -> list[str]:
    """Return in words what of the evidence the picture cannot show."""
    told = []
    if len(all_of_it) > len(evidence):
        told.append(f"{len(all_of_it) - len(evidence)} more records of the evidence")
    if placing.books is not None and placing.times is None:
        told.append("the entries of the store: the history has no reading of its clock")
    return told


def _around(scene: Scene, violation: Mapping[str, Any], journal: list[Trace], placing: Placing) -> list[Trace]:
    """Return what happened to the same packet, or to the same viewers, in the time of the scene; the nearest first."""
    packet_id, lanes = violation["packet_id"], {trace.lane for trace in scene.traces}
    known = {_key(record) for record in violation["evidence"]}

    def ours(grab: GrabRecord) -> bool:
        if not (grab.t_sent <= scene.t_to and (grab.t_reply or grab.t_sent) >= scene.t_from):
            return False
        same = grab.packet == packet_id or (not packet_id and placing.lane_of(grab.conn, grab.viewer) in lanes)
        return same and ("grab", str(grab.conn), grab.request_id, grab.t_sent, grab.t_reply) not in known

    taps = [trace for grab in placing.history.grabs if ours(grab) for trace in placing.tap(grab)]
    rooms = {lane for lane in lanes if lane.startswith("room ")}
    facts = [
        trace
        for fact in placing.history.facts
        if (packet_id and fact.packet == packet_id) or clean(f"room {fact.room}", 40) in rooms
        if ("fact", fact.epoch, fact.seq, fact.process) not in known
        for trace in placing.fact(fact)[:1]
    ]
    inside = [trace for trace in (*journal, *facts) if trace.t is not None and scene.t_from <= trace.t <= scene.t_to]
    middle = (scene.t_from + scene.t_to) // 2
    return sorted(
        (*taps, *inside), key=lambda each: (each.lane not in lanes, abs(each.t_from + each.t_to - 2 * middle))
    )


def _key(record: Line) -> tuple[Any, ...]:
    kind = record["kind"]
    if kind == "grab":
        return kind, str(record["conn"]), record["request_id"], record["t_sent"], record["t_reply"]
    if kind == "fact":
        return kind, record["epoch"], record["seq"], record["process"]
    return kind, record.get("entry_id")


def _bounded(scene: Scene, around: list[Trace]) -> Scene:
    """Return the scene with as much of its surroundings as fits, and the count of the rest."""
    wanted = list(dict.fromkeys([STORE, *(trace.lane for trace in (*scene.traces, *around))]))
    if not any(trace.lane == STORE for trace in (*scene.traces, *around)):
        wanted.remove(STORE)
    wanted.sort(key=lambda lane: (lane != STORE, not lane.startswith("room ")))
    involved = {trace.lane for trace in scene.traces}
    wanted.sort(key=lambda lane: lane != STORE and lane not in involved)
    lanes = wanted[:LANES_MAX]
    kept = [trace for trace in scene.traces if trace.lane in lanes]
    more = [trace for trace in around if trace.lane in lanes][: max(0, TRACES_MAX - len(kept))]
    left_out = list(scene.left_out)
    if off := len(scene.traces) - len(kept):
        left_out.append(f"{off} records of the evidence on other lines")
    if off := len(around) - len(more):
        left_out.append(f"{off} other taps, entries and messages of this time")
    lanes = [lane for lane in lanes if any(trace.lane == lane for trace in (*kept, *more))]
    return replace(scene, lanes=lanes, traces=[*more, *kept], left_out=left_out)
