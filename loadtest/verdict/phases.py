"""Phases: in which part of a packet's life a tap was planned."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from loadtest.record.books import Books
from loadtest.record.declared import Declarations
from loadtest.record.history import FactRecord, History
from loadtest.verdict.audit.circumstances import room_times
from server.core.ids import PacketId
from server.core.packets.claim import ClaimStatus
from server.core.rooms.feed import FactKind

_FIRST_SECOND_NS = 1_000_000_000


class TapPhase(StrEnum):
    """
    The phases of a packet, by when a tap was planned.

    ``first_second`` is the first real second of the window, whatever else it is; the others do not overlap.
    """

    WARM_UP = "warm_up"
    OPEN = "open"
    FIRST_SECOND = "first_second"
    SOLD_OUT = "sold_out"
    AFTER = "after"


PHASES: Mapping[TapPhase, str] = {
    TapPhase.WARM_UP: "before the packet opened",
    TapPhase.OPEN: "from its opening until viewers were told that nothing is left, or it closed",
    TapPhase.FIRST_SECOND: "in the first real second from its opening, whatever had become of it by then",
    TapPhase.SOLD_OUT: "from when viewers were told that nothing is left, until it closed or had shares again",
    TapPhase.AFTER: "after it had closed, was voided or ended",
}
"""The meaning of each phase, for people."""


@dataclass(slots=True)
class PacketTimes:
    """
    When a packet opened, closed, and was sold out or had shares again, in nanoseconds of the history's clock.

    Without an opening no tap has a phase; without a close none is after it.
    """

    opens_ns: int | None = None
    closes_ns: int | None = None
    turns_ns: list[int] = field(default_factory=list)
    sold_out: list[bool] = field(default_factory=list)

    def phases(self, planned_ns: int) -> frozenset[TapPhase]:
        """Return the phases in which a tap was planned."""
        if self.opens_ns is None:
            return frozenset()
        if planned_ns < self.opens_ns:
            return frozenset({TapPhase.WARM_UP})
        turn = bisect_right(self.turns_ns, planned_ns)
        phase = TapPhase.SOLD_OUT if turn and self.sold_out[turn - 1] else TapPhase.OPEN
        if self.closes_ns is not None and planned_ns >= self.closes_ns:
            phase = TapPhase.AFTER
        early = planned_ns < self.opens_ns + _FIRST_SECOND_NS
        return frozenset({phase, TapPhase.FIRST_SECOND} if early else {phase})


def packet_times(books: Books, history: History, declared: Declarations) -> dict[PacketId, PacketTimes]:
    """
    Return the times of every packet: by books and room clock, or as *declared*, else by what viewers heard.

    A packet is sold out once any viewer was told so.
    """
    heard: defaultdict[PacketId, list[FactRecord]] = defaultdict(list)
    for fact in history.facts:
        heard[fact.packet].append(fact)
    opened: dict[PacketId, int] = {}
    for arrival in history.arrivals:
        opened[arrival.packet] = min(arrival.t, opened.get(arrival.packet, arrival.t))
    exhausted: dict[PacketId, int] = {}
    for grab in history.grabs:
        if grab.status == ClaimStatus.EXHAUSTED and grab.t_reply is not None:
            exhausted[grab.packet] = min(grab.t_reply, exhausted.get(grab.packet, grab.t_reply))
    clock = room_times(history, books.clock)
    times: dict[PacketId, PacketTimes] = {}
    for packet_id in {*books.packets, *declared, *heard, *opened}:
        facts = heard[packet_id]
        opens = closes = None
        if (packet := books.packets.get(packet_id)) is not None and clock is not None:
            opens = None if packet.grab_at_ms is None else clock.ns(packet.grab_at_ms)
            ends_ms = packet.claim_end_at_ms if packet.ended_at_ms is None else packet.ended_at_ms
            closes = None if ends_ms is None else clock.ns(ends_ms)
        elif packet_id in declared:
            opens, closes = declared[packet_id].opens_ns, declared[packet_id].closes_ns
        if opens is None:
            opens = _first(facts, FactKind.OPEN) or opened.get(packet_id)
        voided = _first(facts, FactKind.VOIDED)
        closes = min((t for t in (closes or _first(facts, FactKind.CLOSED), voided) if t is not None), default=None)
        turns = sorted(_turns(facts, exhausted.get(packet_id)))
        times[packet_id] = PacketTimes(opens, closes, [t for t, _ in turns], [empty for _, empty in turns])
    return times


def _first(facts: list[FactRecord], kind: FactKind) -> int | None:
    return min((fact.t_first for fact in facts if fact.type == kind), default=None)


def _turns(facts: list[FactRecord], exhausted_ns: int | None) -> list[tuple[int, bool]]:
    """Return when the packet was first heard to be sold out, or to have shares again, each once for all processes."""
    heard: dict[tuple[str, int, bool], int] = {}
    for fact in facts:
        if fact.type in (FactKind.SOLD_OUT, FactKind.REOPENED):
            key = (fact.epoch, fact.seq, fact.type == FactKind.SOLD_OUT)
            heard[key] = min(fact.t_first, heard.get(key, fact.t_first))
    turns = [(t, empty) for (_, _, empty), t in heard.items()]
    return turns if exhausted_ns is None else [*turns, (exhausted_ns, True)]
