"""Momentary messages (A14): counts and countdowns were true on their way, and each opening came with its surface."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.record.books import PacketRecord
from loadtest.record.hearsay import HeardRecord
from loadtest.record.history import History
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.case import PacketCase
from loadtest.verdict.audit.circumstances import FLIGHT_NS, LOOKED_FOR_NS
from loadtest.verdict.audit.shares_left import SharesLeft, shares_left
from loadtest.verdict.audit.stalls import Flights
from loadtest.verdict.audit.violation import Findings
from server.core.ids import RoomId
from server.core.rooms.feed import FactKind

COUNT_STANDS_NS = 1_000_000_000
"""How long a count may stand after it has become wrong, in real time: a server counts again within so long."""

SURFACES = frozenset({"popup", "asset_widget"})
_COMINGS_NS = 1_000_000_000  # who comes or goes within this of an opening may have heard only one of its two messages


class Momentary:
    """Checks A14 over the messages without a number of each packet, if the history keeps them."""

    def __init__(self, findings: Findings, history: History, flights: Flights | None) -> None:
        self._findings, self._history = findings, history
        self._flights = flights if history.welcomes else None
        self._told: defaultdict[str, list[HeardRecord]] = defaultdict(list)
        for heard in history.heard:
            if heard.packet is not None:
                self._told[heard.packet].append(heard)

    def check(self, case: PacketCase) -> None:
        """Check what was told of a packet."""
        if self._flights is not None and case.packet is not None and case.receipts is not None:
            told = self._told[case.packet_id]
            _MomentaryJudge(self._findings, self._history, case, case.packet, told, self._flights).check()


@dataclass(frozen=True, slots=True)
class _MomentaryJudge:
    """Checks what viewers were told of one packet."""

    _findings: Findings
    _history: History
    _case: PacketCase
    _packet: PacketRecord
    _told: Sequence[HeardRecord]
    _flights: Flights

    def check(self) -> None:
        """Check the packet's room, counts, countdowns and surfaces."""
        left = shares_left(self._case, self._flights.times)
        for heard in self._told:
            if heard.room != self._packet.room_id:
                self._add(
                    "room", f"room {heard.room} was told {heard.type} of a packet of {self._packet.room_id}", heard
                )
            elif heard.type == "progress" and left is not None:
                self._check_count(heard, left)
            elif heard.type == "countdown":
                self._check_countdown(heard)
        if left is not None:
            self._check_standing(left)
        self._check_surfaces()

    def _add(self, kind: str, text: str, *heard: HeardRecord) -> None:
        shown = (evidence_of("heard", each) for each in heard)
        self._findings.add("A14", self._case.packet_id, kind, text, evidence_of("packet", self._packet), *shown)

    def _check_count(self, heard: HeardRecord, left: SharesLeft) -> None:
        flight = self._flights.of(heard.t_first)
        if flight is not None and not left.allows(heard.remaining, *flight):
            text = (
                f"{heard.viewer} was told that {heard.remaining} shares are left, but by the journal "
                f"{_among(left.between(*flight))} were while that message was on its way"
            )
            self._add("count", text, heard)

    def _check_countdown(self, heard: HeardRecord) -> None:
        flight, opens_ms = self._flights.of(heard.t_first), self._packet.grab_at_ms
        if flight is None or opens_ms is None:
            return
        if heard.left_ms is None or not flight[0] <= self._flights.times.ns(opens_ms - heard.left_ms) <= flight[1]:
            text = f"{heard.viewer} was told that the opening is {heard.left_ms} ms away, at an instant when it was not"
            self._add("countdown", text, heard)

    def _check_standing(self, left: SharesLeft) -> None:
        """Check that a number of shares that was left for long was told; a later count comes only if it changes."""
        opened = min((fact.t_first for fact in self._case.facts if fact.type == FactKind.OPEN), default=None)
        ends_ms = self._packet.claim_end_at_ms if self._packet.ended_at_ms is None else self._packet.ended_at_ms
        if opened is None or ends_ms is None or len(self._packet.issued) > 1:
            return
        ends_ns = self._flights.times.ns(ends_ms)
        for number, (at_ns, count) in enumerate(zip(left.at_ns, left.left, strict=True)):
            after = left.at_ns[number + 1] if number + 1 < len(left.at_ns) else ends_ns
            since, until = max(at_ns, opened), min(after, ends_ns) - self._flights.times.error_ns
            told_within_ns = COUNT_STANDS_NS + FLIGHT_NS + self._flights.times.error_ns
            if count <= 0 or until - since <= told_within_ns:
                continue
            if until - since > told_within_ns + self._flights.stalls.ns(since, since + told_within_ns):
                self._check_told(count, since, until)

    def _check_told(self, count: int, since: int, until: int) -> None:
        counts = [each for each in self._told if each.type == "progress" and each.t_first <= until]
        if any(each.remaining == count for each in counts) or self._flights.run.absent(since, until, LOOKED_FOR_NS):
            return
        stayed = any(
            conn.room == self._packet.room_id
            and conn.t_welcome is not None
            and conn.t_welcome < since
            and (conn.t_close is None or conn.t_close > until)
            for conn in self._history.conns
        )
        if stayed:
            last = max(counts, key=lambda each: each.t_first, default=None)
            what = "no count was told" if last is None else f"the last count told was {last.remaining}"
            text = f"{count} shares were left for {(until - since) // 1_000_000} ms, but {what}"
            self._add("standing", text, *([] if last is None else [last]))

    def _check_surfaces(self) -> None:
        shown = [each for each in self._told if each.type in SURFACES]
        opened = [fact for fact in self._case.facts if fact.type == FactKind.OPEN]
        opens_ms, times = self._packet.grab_at_ms, self._flights.times
        opens_ns = 0 if opens_ms is None else times.ns(opens_ms) - times.error_ns
        for each in shown:
            if self._packet.surface is not None and each.type != self._packet.surface:
                self._add("surface", f"{each.viewer} was shown {each.type}, not {self._packet.surface}", each)
            if each.t_first < opens_ns:
                self._add("early surface", f"{each.viewer} was shown {each.type} before the opening", each)
        for fact in opened:
            heard = sum(each.count for each in shown if each.process == fact.process)
            others = 1 + self._came_or_went(fact.room, fact.process, fact.t_first, fact.t_last)  # 1: a slow reader
            if heard < fact.count - others:
                surface = self._packet.surface or " or ".join(sorted(SURFACES))
                text = f"the opening reached {fact.count} viewers of one process at the time, but {surface} {heard}"
                self._findings.add(
                    "A14", self._case.packet_id, "no surface", text, evidence_of("fact", fact),
                    *(evidence_of("heard", each) for each in shown[:1]),
                )  # fmt: skip

    def _came_or_went(self, room: RoomId, process: int, t_from: int, t_to: int) -> int:
        from_ns, to_ns = t_from - _COMINGS_NS, t_to + _COMINGS_NS
        return sum(
            1
            for conn in self._history.conns
            if conn.process == process and conn.room == room
            if any(t is not None and from_ns <= t <= to_ns for t in (conn.t_welcome, conn.t_close))
        )


def _among(counts: Sequence[int]) -> str:
    return str(counts[0]) if len(counts) == 1 else f"{len(counts)} numbers from {counts[0]} to {counts[-1]}"
