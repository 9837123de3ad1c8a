"""Publications (A14): each fact that must come is published, and in time by the store's clock."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from client_sim.behaviour import ABSENT
from loadtest.record.books import Books, PacketRecord
from loadtest.record.history import ConnRecord, FactRecord, History
from loadtest.record.shape import Line, evidence_of
from loadtest.verdict.audit.case import PacketCase
from loadtest.verdict.audit.circumstances import Circumstances, RoomTimes, room_times
from loadtest.verdict.audit.violation import Findings
from server.core.ids import RoomId
from server.core.packets.packet import PacketState
from server.core.rooms.feed import FactKind

PATIENT_MS = {FactKind.RESULT: 2_000, FactKind.WARMUP: 1_000, FactKind.REOPENED: 1_000}
"""
Facts that may be so much later, in real ms: a result waits for the sweeper, at a warm-up nobody taps, and the shares of
an edit wait two seconds themselves.
"""

EDIT_SETTLES_MS = 1_000  # real: an edit so soon after the warm-up need not be announced for itself
EDIT_LASTS_MS = 3_000  # real: nor one so shortly before the end, when its shares could hardly be had
DELIVERED_NS = 500_000_000  # how long after the bound a viewer must still have been there, if nobody heard a fact
LOOKED_AT_NS = 2_000_000_000  # how soon after an instant a stall of the machine still explains that a fact is late
_NS_PER_MS = 1_000_000


class DueFact(NamedTuple):
    """A fact that must come at a room time; one that only may come is judged by its time alone."""

    kind: FactKind
    at_ms: int
    must: bool


class _Late(NamedTuple):
    """A fact that was missing or late by the plain bound: *check* is asked again with what the machine stalled."""

    due_ns: int
    late_ns: int
    check: Callable[[Findings, int], bool]


class Publications:
    """Checks A14 over the facts of each packet: none is missing, early, or later than the run's bound allows."""

    def __init__(self, books: Books, history: History, run: Circumstances) -> None:
        self._history, self._run = history, run
        self._times = room_times(history, books.clock)
        self._conns: defaultdict[RoomId, list[ConnRecord]] = defaultdict(list)
        for conn in history.conns:
            self._conns[conn.room].append(conn)
        self._late: list[_Late] = []

    def check(self, case: PacketCase) -> None:
        """Note the facts of a packet that are missing or late by the plain bound."""
        packet, times, run = case.packet, self._times, self._run
        if packet is None or case.receipts is None or packet.room_id is None or times is None:
            return
        for cue in (*_cues(case), *_reopenings(case, times.speed)):
            late_ns = (run.fact_late_ms + PATIENT_MS.get(cue.kind, 0)) * _NS_PER_MS
            due_ns = times.ns(cue.at_ms)
            if run.absent(due_ns, due_ns + late_ns, LOOKED_AT_NS):
                continue
            judge = _CueJudge(packet, cue, _said(case, cue), self._conns[packet.room_id], times, run)
            if not judge.holds(Findings(), late_ns):
                self._late.append(_Late(due_ns, late_ns, judge.holds))

    def settle(self, findings: Findings) -> None:
        """Report those of all packets that no stall of the machine excuses."""
        for each, stalled_ns in zip(self._late, _stalls(self._history, self._late), strict=True):
            each.check(findings, each.late_ns + stalled_ns)


def _stalls(history: History, late: Sequence[_Late]) -> list[int]:
    """
    Return by how much longer each fact may have taken, for what the machine stalled then.

    The generator felt it by its own lag, or by receipts that were as late: of taps that the server had at the time.
    """
    lags, waits = [0.0] * len(late), [0] * len(late)
    places = sorted(range(len(late)), key=lambda place: late[place].due_ns)
    due = [late[place].due_ns for place in places]
    for sample in history.healths if late else ():
        for place in places[bisect_left(due, sample.t - LOOKED_AT_NS) : bisect_right(due, sample.t)]:
            lags[place] = max(lags[place], sample.lag_ms)
    longest_ns = max((each.late_ns for each in late), default=0) // 2
    for grab in history.grabs if late else ():
        if grab.t_reply is None or grab.behaviour in ABSENT:
            continue
        wait = grab.t_reply - grab.t_sent
        for place in places[bisect_left(due, grab.t_sent - longest_ns) : bisect_right(due, grab.t_reply)]:
            if wait > waits[place] and grab.t_sent <= late[place].due_ns + late[place].late_ns // 2:
                waits[place] = wait
    return [round(lag * _NS_PER_MS) + wait for lag, wait in zip(lags, waits, strict=True)]


def _said(case: PacketCase, cue: DueFact) -> list[FactRecord]:
    said = [fact for fact in case.facts if fact.type == cue.kind]
    if cue.kind == FactKind.REOPENED:  # each edit may have one
        said = [fact for fact in said if fact.at_ms is None or fact.at_ms >= cue.at_ms]
    return said


@dataclass(frozen=True, slots=True)
class _CueJudge:
    """Judges one fact that was due, by what was said of it."""

    _packet: PacketRecord
    _cue: DueFact
    _said: Sequence[FactRecord]
    _conns: Sequence[ConnRecord]
    _times: RoomTimes
    _run: Circumstances

    def holds(self, findings: Findings, late_ns: int) -> bool:
        """Tell whether the fact came, and within *late_ns*; a violation is added to *findings*."""
        wrong = self._late(late_ns) if self._said else self._missing(late_ns)
        if wrong is not None:
            kind, text, witness = wrong
            packet, cue = self._packet, self._cue
            state = str(packet.state)
            shown: Line = {"kind": "packet", "packet_id": packet.packet_id, "state": state, "at_ms": cue.at_ms}
            findings.add("A14", packet.packet_id, f"{kind} {cue.kind}", text, shown, witness)
        return wrong is None

    def _missing(self, late_ns: int) -> tuple[str, str, Line] | None:
        cue, due_ns = self._cue, self._times.ns(self._cue.at_ms)
        late_ns += self._run.waited_ns(due_ns, due_ns + 2 * late_ns)
        delivered_ns = due_ns + late_ns + min(late_ns, DELIVERED_NS) + self._times.error_ns
        there = (conn for conn in self._conns if _there(conn, due_ns, delivered_ns))
        witness = next(there, None) if cue.must else None
        if witness is None:
            return None
        text = f"{cue.kind} was due at {cue.at_ms} and never came, though {witness.viewer} was in the room"
        return "missing", text, evidence_of("conn", witness)

    def _late(self, late_ns: int) -> tuple[str, str, Line] | None:
        cue, times = self._cue, self._times
        first = min(self._said, key=lambda fact: fact.t_first)
        if first.at_ms is None:
            return None
        off_ms = first.at_ms - cue.at_ms
        if 0 <= off_ms * _NS_PER_MS <= late_ns * times.speed:
            return None
        since_ns = times.ns(cue.at_ms) - times.error_ns
        late_ns += self._run.waited_ns(since_ns, times.ns(first.at_ms) + times.error_ns)
        allowed = late_ns * times.speed // _NS_PER_MS
        if 0 <= off_ms * _NS_PER_MS <= late_ns * times.speed:
            return None
        off = f"{-off_ms} ms early" if off_ms < 0 else f"{off_ms} ms late, of {allowed} allowed"
        text = f"{cue.kind} was due at {cue.at_ms} and published at {first.at_ms}, {off} (room time)"
        return "time", text, evidence_of("fact", first)


def _there(conn: ConnRecord, from_ns: int, to_ns: int) -> bool:
    """Tell whether a connection lasted from one instant to another for certain."""
    return conn.t_welcome is not None and conn.t_welcome < from_ns and conn.t_close is not None and conn.t_close > to_ns


def _cues(case: PacketCase) -> Iterator[DueFact]:
    """Yield the facts of a packet with their instants, by schedule and journal."""
    packet = case.packet
    assert packet is not None
    opens, ends = packet.grab_at_ms, packet.claim_end_at_ms
    if opens is None or ends is None:
        return
    voids = [entry.at_ms for entry in case.entries if entry.movement == "void"]
    voided = min(voids, default=None)
    ended = packet.ended_at_ms
    over = min((at_ms for at_ms in (voided, ended) if at_ms is not None), default=None)
    if packet.warmup_at_ms is not None:
        yield DueFact(FactKind.WARMUP, packet.warmup_at_ms, must=False)
    if over is None or over > opens:
        yield DueFact(FactKind.OPEN, opens, must=True)
    if packet.state is PacketState.VOIDED:
        if voided is not None:
            yield DueFact(
                FactKind.VOIDED, voided, must=packet.warmup_at_ms is not None and voided > packet.warmup_at_ms
            )
        return
    closes = ends if ended is None else ended
    yield DueFact(FactKind.CLOSED, closes, must=ended is None or ended > opens)
    if len(packet.issued) == 1 and len(case.given) == packet.share_count > 0:
        yield DueFact(FactKind.SOLD_OUT, max(opens, case.given[-1].entry.at_ms), must=ended is None)
    if packet.state is PacketState.SETTLED and any(fact.type == FactKind.CLOSED for fact in case.facts):
        yield DueFact(FactKind.RESULT, closes, must=True)


def _reopenings(case: PacketCase, speed: int) -> Iterator[DueFact]:
    """Yield the ``reopened`` of the last edit, if it added shares while the room knew of the packet (KS-EDT-1)."""
    known = min(
        (fact.at_ms for fact in case.facts if fact.type == FactKind.WARMUP and fact.at_ms is not None), default=None
    )
    steps = [entry for entry in case.entries if entry.movement in {"edit", "trim", "void", "end"}]
    packet = case.packet
    if known is None or packet is None or packet.claim_end_at_ms is None or not steps or steps[-1].movement != "edit":
        return
    at_ms = steps[-1].at_ms
    if known + EDIT_SETTLES_MS * speed < at_ms < packet.claim_end_at_ms - EDIT_LASTS_MS * speed:
        yield DueFact(FactKind.REOPENED, at_ms, must=True)
