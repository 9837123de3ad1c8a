"""Publications (A14): each fact that must come is published, and in time by the store's clock."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from client_sim.behaviour import ABSENT
from loadtest.record.books import Books
from loadtest.record.history import ConnRecord, History
from loadtest.record.shape import Line, evidence_of
from loadtest.verdict.audit.case import PacketCase
from loadtest.verdict.audit.circumstances import Circumstances, RoomTimes, room_times
from loadtest.verdict.audit.violation import Findings
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


def check_publications(
    findings: Findings, books: Books, history: History, cases: Sequence[PacketCase], run: Circumstances
) -> None:
    """Check A14 over the facts of all packets: none is missing, early, or later than the run's bound allows."""
    times = room_times(history, books.clock)
    if times is None:
        return
    for case in cases:
        if case.packet is None or case.receipts is None or case.packet.room_id is None:
            continue
        conns = [conn for conn in history.conns if conn.room == case.packet.room_id]
        for cue in (*_cues(case), *_reopenings(case, times.speed)):
            late_ns = (run.fact_late_ms + PATIENT_MS.get(cue.kind, 0)) * _NS_PER_MS
            due_ns = times.ns(cue.at_ms)
            if not run.absent(due_ns, due_ns + late_ns, LOOKED_AT_NS):
                bound_ns = _stalled(history, due_ns, late_ns)
                _check(findings, case, cue, late_ns=bound_ns, conns=conns, times=times, run=run)


def _stalled(history: History, due_ns: int, late_ns: int) -> int:
    """
    Return the bound for a fact that is due, longer by what the machine stalled then.

    The generator felt it by its own lag, or by receipts that were as late: of taps that the server had at the time.
    """
    lags = (sample.lag_ms for sample in history.healths if due_ns <= sample.t <= due_ns + LOOKED_AT_NS)
    waits = (
        grab.t_reply - grab.t_sent
        for grab in history.grabs
        if grab.t_reply is not None and grab.t_sent <= due_ns + late_ns // 2 and grab.t_reply >= due_ns
        if grab.behaviour not in ABSENT
    )
    return late_ns + round(max(lags, default=0.0) * _NS_PER_MS) + max(waits, default=0)


def _check(
    findings: Findings,
    case: PacketCase,
    cue: DueFact,
    *,
    late_ns: int,
    conns: Sequence[ConnRecord],
    times: RoomTimes,
    run: Circumstances,
) -> None:
    packet, due_ns = case.packet, times.ns(cue.at_ms)
    assert packet is not None
    said = [fact for fact in case.facts if fact.type == cue.kind]
    if cue.kind == FactKind.REOPENED:  # each edit may have one
        said = [fact for fact in said if fact.at_ms is None or fact.at_ms >= cue.at_ms]
    shown: Line = {"kind": "packet", "packet_id": packet.packet_id, "state": str(packet.state), "at_ms": cue.at_ms}
    if not said:
        late_ns += run.waited_ns(due_ns, due_ns + 2 * late_ns)
        delivered_ns = due_ns + late_ns + min(late_ns, DELIVERED_NS) + times.error_ns
        there = (conn for conn in conns if _there(conn, due_ns, delivered_ns))
        witness = next(there, None) if cue.must else None
        if witness is not None:
            text = f"{cue.kind} was due at {cue.at_ms} and never came, though {witness.viewer} was in the room"
            findings.add("A14", case.packet_id, f"missing {cue.kind}", text, shown, evidence_of("conn", witness))
        return
    first = min(said, key=lambda fact: fact.t_first)
    if first.at_ms is None:
        return
    off_ms = first.at_ms - cue.at_ms
    late_ns += run.waited_ns(due_ns - times.error_ns, times.ns(first.at_ms) + times.error_ns)
    if off_ms < 0 or off_ms * _NS_PER_MS > late_ns * times.speed:
        allowed = late_ns * times.speed // _NS_PER_MS
        off = f"{-off_ms} ms early" if off_ms < 0 else f"{off_ms} ms late, of {allowed} allowed"
        text = f"{cue.kind} was due at {cue.at_ms} and published at {first.at_ms}, {off} (room time)"
        findings.add("A14", case.packet_id, f"time {cue.kind}", text, shown, evidence_of("fact", first))


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
