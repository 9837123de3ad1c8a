"""The figures of a run for its thresholds: of the whole run from its measures, of a selection from its history."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import NamedTuple

from loadtest.record.books import Books, ClockRecord
from loadtest.record.declared import Declarations
from loadtest.record.history import ConnId, GrabRecord, History
from loadtest.verdict.measures import NS_PER_S, answered_ns, measure
from loadtest.verdict.metrics import MeasureValues, SelectorName
from loadtest.verdict.phases import TapPhase, packet_times
from loadtest.verdict.samples import Samples
from loadtest.verdict.threshold_terms import DISTRIBUTIONS, MeasuredTerm, Selection, Threshold
from server.core.ids import PacketId, RequestId, RoomId, ViewerId

_PARTS = {"p(50)": "p50", "p(90)": "p90", "p(95)": "p95", "p(99)": "p99", "p(99.9)": "p999", "max": "max"}
NAMED_AT_MOST = 10

MeasureSelected = Callable[[Collection[PacketId], History], MeasureValues]
"""Returns the measures of some packets by a part of the history."""


class TapLabels(NamedTuple):
    """All that a selector may ask of a tap or a message; a message has neither behaviour nor phases."""

    room: RoomId | None
    packet: PacketId
    behaviour: str = ""
    phases: frozenset[TapPhase] = frozenset()


@dataclass(slots=True)
class SelectableRun:
    """A run of which parts can be selected; packets have ``names``, which several may share, and ``rooms``."""

    history: History
    measured: MeasureSelected
    books: Books = field(default_factory=lambda: Books(ClockRecord(0, 0, 0)))
    declared: Declarations = field(default_factory=dict)
    names: dict[PacketId, str] = field(default_factory=dict)
    rooms: dict[PacketId, RoomId | None] = field(default_factory=dict)

    def selected(self, packet_id: PacketId, selection: Selection) -> bool:
        """Tell whether a packet belongs to a selection, as far as that names packets and rooms."""
        labels = TapLabels(self.rooms.get(packet_id), packet_id)
        by_packet = [each for each in selection if each[0] in (SelectorName.ROOM, SelectorName.PACKET)]
        return self.matches(labels, tuple(by_packet))

    def matches(self, labels: TapLabels, selection: Selection) -> bool:
        """Tell whether all selectors agree with the labels."""
        held: Mapping[str, Collection[str | None]] = {
            SelectorName.ROOM: (labels.room,),
            SelectorName.PACKET: (labels.packet, self.names.get(labels.packet)),
            SelectorName.BEHAVIOUR: (labels.behaviour,),
            SelectorName.PHASE: labels.phases,
        }
        return all(value in held[name] for name, value in selection)


def of_our_own(books: Books, history: History) -> SelectableRun:
    """Return a run against our own server."""

    def measured(packet_ids: Collection[PacketId], part: History) -> MeasureValues:
        chosen = books.without(books.packets.keys() - set(packet_ids))
        return asdict(measure(replace(chosen, journal=books.journal.of(chosen.packets)), part))

    names = {packet_id: packet.name for packet_id, packet in books.packets.items()}
    rooms = {packet_id: packet.room_id for packet_id, packet in books.packets.items()}
    return SelectableRun(history, measured, books, names=names, rooms=rooms)


class RunFigures:
    """The figures of a run: *measures* of the whole, and what *run* can tell of the selections of *thresholds*."""

    def __init__(
        self, measures: MeasureValues, run: SelectableRun | None = None, thresholds: Sequence[Threshold] = ()
    ) -> None:
        self._measures: dict[Selection, MeasureValues] = {(): measures}
        self._run = run
        selections = {term.selection for each in thresholds for term in each.measured if term.selection}
        self._parts = {} if run is None else split(run, selections)
        self._samples: dict[Selection, Samples] = {}
        if run is not None:
            self._parts[()] = run.history

    def value(self, term: MeasuredTerm) -> float | None:
        """Return what is asked for, or None without a single sample of it."""
        part = self._parts.get(term.selection)
        if term.metric in DISTRIBUTIONS:
            return self._of_distribution(term, part)
        if term.selection and (part is None or not self._has_samples(term, part)):
            return None
        value: float | None = self._measured(term.selection)[term.metric]
        if value is None or term.aggregation != "rate":
            return value
        lasted_ns = 0 if part is None else answered_ns(part.grabs)
        return value * NS_PER_S / lasted_ns if lasted_ns else None

    def why_unknown(self, term: MeasuredTerm) -> str:
        """Say why there is nothing: nobody is called so, or nothing of it was measured."""
        known: Mapping[str, Iterable[str | None]] = {}
        if self._run is not None:
            run = self._run
            known = {
                SelectorName.PACKET: [run.names.get(each, each) for each in run.rooms],
                SelectorName.ROOM: [*run.rooms.values(), *(conn.room for conn in run.history.conns)],
            }
        for name, value in term.selection:
            there = sorted({each for each in known.get(name, ()) if each})
            ids = () if self._run is None or name != SelectorName.PACKET else self._run.rooms
            if there and value not in there and value not in ids:
                told = ", ".join(there[:NAMED_AT_MOST]) + (", ..." if len(there) > NAMED_AT_MOST else "")
                return f"no {name} is called {value}; there are {told}"
        return f"nothing was measured of {term}"

    def _of_distribution(self, term: MeasuredTerm, part: History | None) -> float | None:
        if not term.selection:
            figures, known = self._measures[()][term.metric], _PARTS.get(term.aggregation)
            if figures is None:
                return None
            if known is not None and (part is None or figures["max"]):  # without a sample they are all 0
                return float(figures[known])
        if part is None:
            return None
        samples = self._samples.setdefault(term.selection, Samples(part))
        return samples.aggregate(term.metric, term.aggregation)

    def _measured(self, selection: Selection) -> MeasureValues:
        if selection not in self._measures:
            assert self._run is not None
            packet_ids = [each for each in self._run.rooms if self._run.selected(each, selection)]
            self._measures[selection] = self._run.measured(packet_ids, self._parts[selection])
        return self._measures[selection]

    def _has_samples(self, term: MeasuredTerm, part: History) -> bool:
        """Tell whether anybody tapped in a selection; of what the books say, whether it has a packet."""
        assert self._run is not None
        if any(name in (SelectorName.PHASE, SelectorName.BEHAVIOUR) for name, _ in term.selection):
            return bool(part.grabs)
        return any(self._run.selected(each, term.selection) for each in self._run.rooms)


def split(run: SelectableRun, selections: Collection[Selection]) -> dict[Selection, History]:
    """Return the history of each selection, all in one pass over the whole."""
    history = run.history
    parts: dict[Selection, History] = {each: History() for each in selections}
    if not parts:
        return parts
    rooms = {(conn.process, conn.conn): conn.room for conn in history.conns}
    chosen: dict[TapLabels, list[History]] = {}

    def of(labels: TapLabels) -> list[History]:
        if labels not in chosen:
            chosen[labels] = [part for each, part in parts.items() if run.matches(labels, each)]
        return chosen[labels]

    label = _labeller(run, rooms, phased=any(name == SelectorName.PHASE for each in parts for name, _ in each))
    for grab in history.grabs:
        for part in of(label(grab)):
            part.grabs.append(grab)
    for fact in history.facts:
        for part in of(TapLabels(fact.room, fact.packet)):
            part.facts.append(fact)
    for arrival in history.arrivals:
        for part in of(TapLabels(rooms.get((arrival.process, arrival.conn)), arrival.packet)):
            part.arrivals.append(arrival)
    return parts


def _labeller(
    run: SelectableRun, rooms: Mapping[tuple[int, ConnId], RoomId], *, phased: bool
) -> Callable[[GrabRecord], TapLabels]:
    """Return how a grab is labelled; one that is sent again has the phase in which it was first planned."""
    planned: dict[tuple[ViewerId, RequestId], int] = {}
    for grab in run.history.grabs if phased else ():
        key = (grab.viewer, grab.request_id)
        planned[key] = min(grab.t_intended, planned.get(key, grab.t_intended))
    times = packet_times(run.books, run.history, run.declared) if phased else {}

    def label(grab: GrabRecord) -> TapLabels:
        room = rooms.get((grab.process, grab.conn)) or run.rooms.get(grab.packet)
        phases = frozenset[TapPhase]()
        if grab.packet in times:
            phases = times[grab.packet].phases(planned[grab.viewer, grab.request_id])
        return TapLabels(room, grab.packet, grab.behaviour, phases)

    return label
