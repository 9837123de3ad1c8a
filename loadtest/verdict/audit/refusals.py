"""Refusals (A13): every refusal was true when it was told, by the schedule, the journal and the stated limits."""

from collections import defaultdict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from loadtest.record.books import Books
from loadtest.record.history import ConnId, GrabRecord, History
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.case import DEFAULT_ALLOCATOR, PacketCase
from loadtest.verdict.audit.circumstances import (
    LOOKED_FOR_NS,
    RATE_LIMITS,
    Circumstances,
    RateLimit,
    RoomTimes,
    room_times,
)
from loadtest.verdict.audit.violation import Findings
from server.core.ids import RoomId
from server.core.packets.claim import ClaimStatus
from server.core.packets.packet import PacketState

OTHER_MESSAGES = 60  # per period: comments, likes and pings, which a history does not keep
_NS_PER_MS = 1_000_000


@dataclass(slots=True)
class LegalTimes:
    """The instants of one packet by the history's clock, each widened by the clock's error in favour of the server."""

    case: PacketCase
    opens_ns: int | None = None
    ends_ns: int | None = None
    voided_ns: int | None = None
    heard_ns: int | None = None
    full_ns: dict[int, int] = field(default_factory=dict)


class Refusals:
    """Checks A13 packet by packet; without a reading of the room clock, only limits and absences are checked."""

    def __init__(self, findings: Findings, books: Books, history: History, run: Circumstances) -> None:
        self._findings, self._run = findings, run
        self._times = room_times(history, books.clock)
        self._rooms = {(conn.process, conn.conn): conn.room for conn in history.conns}

    def check(self, case: PacketCase) -> None:
        """Check all refused grabs of a packet."""
        if case.receipts is None or case.packet is None:
            return
        bounds, timed = None, self._times is not None
        for grab in case.receipts.grabs:
            if grab.type == "ok" or grab.t_reply is None or grab.status is None:
                continue
            bounds = bounds or _bounds(case, self._times)
            why = _lie(grab, grab.t_reply, bounds, self._rooms, self._run, timed=timed)
            if why:
                text = f"{grab.viewer} was told {grab.status}, but {why}"
                shown = (evidence_of("grab", grab), evidence_of("packet", case.packet))
                self._findings.add("A13", grab.packet, grab.status, text, *shown)


def check_rates(findings: Findings, history: History, run: Circumstances) -> None:
    """Check A13 over all that were told ``rate_limited``, by the stated limits of one connection."""
    limit = RATE_LIMITS.get(run.limits)
    told = {(grab.process, grab.conn) for grab in history.grabs.odd if grab.status == ClaimStatus.RATE_LIMITED}
    if limit is not None and told:
        _check_rates(findings, history, limit, told)


def _bounds(case: PacketCase, times: RoomTimes | None) -> LegalTimes:
    bounds, packet = LegalTimes(case), case.packet
    assert packet is not None
    bounds.heard_ns = min((fact.t_first for fact in case.facts), default=None)
    if times is None:
        return bounds
    ends = [at_ms for at_ms in (packet.claim_end_at_ms, packet.ended_at_ms) if at_ms is not None]
    voids = [entry.at_ms for entry in case.entries if entry.movement == "void"]
    if packet.grab_at_ms is not None:
        bounds.opens_ns = times.ns(packet.grab_at_ms)
    bounds.ends_ns = times.ns(min(ends)) if ends else None
    bounds.voided_ns = times.ns(min(voids)) if voids else None
    given_at = [given.entry.at_ms for given in case.given]
    for edition in packet.issued:
        whole = edition.first_index + edition.share_count
        if 0 < whole <= len(given_at):
            bounds.full_ns[edition.edition] = times.ns(given_at[whole - 1])
    for name in ("opens_ns", "ends_ns", "voided_ns"):
        at_ns = getattr(bounds, name)
        setattr(bounds, name, None if at_ns is None else at_ns + (1 if name == "opens_ns" else -1) * times.error_ns)
    bounds.full_ns = {edition: at_ns - times.error_ns for edition, at_ns in bounds.full_ns.items()}
    return bounds


def _lie(
    grab: GrabRecord,
    t_reply: int,
    bounds: LegalTimes | None,
    rooms: Mapping[tuple[int, ConnId], RoomId],
    run: Circumstances,
    *,
    timed: bool,
) -> str:
    """Return why a refusal cannot have been true at any instant between the tap and its answer; empty if it can."""
    if grab.status == ClaimStatus.UNAVAILABLE:
        return _unavailable(grab, t_reply, bounds, run)
    if bounds is None or not timed or (run.absences and run.absent(grab.t_sent, t_reply, LOOKED_FOR_NS)):
        return ""
    packet = bounds.case.packet
    assert packet is not None
    match grab.status:
        case ClaimStatus.TOO_EARLY if bounds.opens_ns is not None and grab.t_sent > bounds.opens_ns:
            return f"it tapped {_ms(grab.t_sent - bounds.opens_ns)} ms after the opening at the least"
        case ClaimStatus.TOO_LATE if bounds.ends_ns is not None and t_reply < bounds.ends_ns:
            return f"the window ended {_ms(bounds.ends_ns - t_reply)} ms after the answer at the least"
        case ClaimStatus.VOIDED if packet.state is not PacketState.VOIDED:
            return f"the packet is {packet.state}"
        case ClaimStatus.VOIDED if bounds.voided_ns is not None and t_reply < bounds.voided_ns:
            return f"it was voided {_ms(bounds.voided_ns - t_reply)} ms after the answer"
        case ClaimStatus.EXHAUSTED:
            return _exhausted(grab, t_reply, bounds)
        case ClaimStatus.NOT_FOUND if rooms.get((grab.process, grab.conn)) == packet.room_id:
            if bounds.heard_ns is not None and grab.t_sent > bounds.heard_ns:
                return "its room had been told of the packet"
    return ""


def _exhausted(grab: GrabRecord, t_reply: int, bounds: LegalTimes) -> str:
    full_ns = None if grab.edition is None else bounds.full_ns.get(grab.edition)
    if full_ns is not None and t_reply < full_ns:
        return f"the last share of edition {grab.edition} was given {_ms(full_ns - t_reply)} ms after the answer"
    packet = bounds.case.packet
    assert packet is not None
    if grab.edition is not None and not 0 < grab.edition <= packet.edition:
        return f"the packet never had an edition {grab.edition}"
    if full_ns is None and grab.edition is not None and grab.edition < packet.edition:  # A2 judges the last edition
        return f"edition {grab.edition} was never given away whole"
    return ""


def _unavailable(grab: GrabRecord, t_reply: int, bounds: LegalTimes | None, run: Circumstances) -> str:
    packet = None if bounds is None else bounds.case.packet
    if not run.store_is_known or packet is None or packet.allocator != DEFAULT_ALLOCATOR:
        return ""
    if run.absent(grab.t_sent, t_reply, LOOKED_FOR_NS):
        return ""
    return "no fault was near, and by the server's own log its store was there"


def _check_rates(findings: Findings, history: History, limit: RateLimit, told: Collection[tuple[int, ConnId]]) -> None:
    """Check that whoever was told ``rate_limited`` had tapped too often, or had too many grabs without a receipt."""
    of_conn: defaultdict[tuple[int, ConnId], list[GrabRecord]] = defaultdict(list)
    for grab in history.grabs:
        if not grab.again and (grab.process, grab.conn) in told:
            of_conn[grab.process, grab.conn].append(grab)
    enough = limit.messages_max - OTHER_MESSAGES
    for grabs in of_conn.values():
        recent: deque[int] = deque()
        for grab in sorted(grabs, key=lambda grab: grab.t_sent):
            recent.append(grab.t_sent)
            while recent[0] < grab.t_sent - limit.period_ms * _NS_PER_MS:
                recent.popleft()
            if grab.status != ClaimStatus.RATE_LIMITED or len(recent) >= enough:
                continue
            waiting = sum(
                1
                for each in grabs
                if each.t_sent <= (grab.t_reply or 0) and (each.t_reply is None or each.t_reply >= grab.t_sent)
            )
            if waiting <= limit.grabs_in_flight_max:
                text = (
                    f"{grab.viewer} was told rate_limited, but its connection had made {len(recent)} taps within "
                    f"{limit.period_ms} ms and had {waiting - 1} others without a receipt"
                )
                findings.add("A13", grab.packet, "rate_limited", text, evidence_of("grab", grab))


def _ms(span_ns: int) -> str:
    return f"{span_ns / _NS_PER_MS:.1f}"
