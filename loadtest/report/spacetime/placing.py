"""Placing: the records of a run as bars and instants on the lines of a diagram, by one clock."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from loadtest.record.books import Books
from loadtest.record.history import FactRecord, GrabRecord, History
from loadtest.record.journal import JournalRecord
from loadtest.record.shape import Line, evidence_of
from loadtest.report.spacetime.wordings import clean, short_of, wording_of
from loadtest.verdict.audit.circumstances import RoomTimes, room_times

STORE = "store"


class Glyph(StrEnum):
    """The way in which a record is drawn: as a bar, as one that never ended, or at an instant."""

    BAR = "bar"
    UNANSWERED = "unanswered"
    LIFE = "life"
    ENTRY = "entry"
    FACT = "fact"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Trace:
    """
    One record on the line called ``lane``: a bar from ``t_from`` to ``t_to``, or an instant ``t`` with its whisker.

    The whisker is the error of the clock, or of a message the time of its arrivals. ``number`` refers to the list of
    the evidence; it is 0 for what only surrounds it. ``tone`` is how a tap ended: ok, fail or info.
    """

    lane: str
    glyph: Glyph
    text: str
    short: str
    t_from: int
    t_to: int
    t: int | None = None
    number: int = 0
    tone: str = ""


class Placing:
    """Places records by the history's clock; those of the store only where the history has a reading of its clock."""

    def __init__(self, history: History, books: Books | None) -> None:
        self.history, self.books = history, books
        self.times: RoomTimes | None = None if books is None else room_times(history, books.clock)
        self._viewers = {conn.conn: conn for conn in history.conns}
        self._kinds: dict[str, Callable[[Line], list[Trace]]] = {
            "grab": self._grab,
            "stray": self._stray,
            "conn": self._conn,
            "fact": self._fact,
            "heard": self._heard,
            "welcome": self._heard,
            "comment": self._comment,
            "differ": self._differ,
            "journal": self._journal,
            "claim": self._claim,
            "packet": self._packet,
            "order": self._order,
            "sale": self._order,
            "answer": self._answer,
            "withdrawal": self._payout,
            "invoice": self._payout,
        }

    def traces_of(self, record: Line) -> list[Trace]:
        """Return where a record of evidence lies; nothing if its instant is not known."""
        place = self._kinds.get(str(record.get("kind")))
        return [] if place is None else place(record)

    def lane_of(self, conn: Any, viewer: Any = None) -> str:
        """Return the line of a connection."""
        known = self._viewers.get(conn)
        return clean(f"{viewer or ('?' if known is None else known.viewer)} ({conn})", 40)

    def fact(self, fact: FactRecord) -> list[Trace]:
        """Return where a message of a room lies."""
        return self._fact(evidence_of("fact", fact))

    def tap(self, grab: GrabRecord) -> list[Trace]:
        """Return where a tap and its receipt lie."""
        return self._grab(evidence_of("grab", grab))

    def entry(self, entry: JournalRecord) -> list[Trace]:
        """Return where an entry of the journal lies."""
        return self._journal(evidence_of("journal", entry))

    def runs(self, runs: list[Line]) -> list[list[Trace]]:
        """Return for each run of messages where it ends, or begins if it is the last; between them, what was missed."""
        placed = []
        for at, run in enumerate(runs):
            last = at == len(runs) - 1
            seq = run["first_seq"] if last else run["last_seq"]
            placed.append(self._arrival(run, seq, f"message {seq}", Glyph.FACT))
        if len(runs) > 1:
            for seq in range(runs[0]["last_seq"] + 1, min(runs[1]["first_seq"], runs[0]["last_seq"] + 9)):
                placed[1] += self._arrival(runs[0], seq, f"missed {seq}", Glyph.MISSED)
        return placed

    def _arrival(self, record: Line, seq: int, short: str, glyph: Glyph) -> list[Trace]:
        """Return where a message would lie on the line of a connection: when others received it."""
        conn = self._viewers.get(record["conn"])
        epoch = record.get("epoch") or (None if conn is None else conn.epoch)
        heard = (fact for fact in self.history.facts if fact.seq == seq and fact.epoch == epoch)
        fact = min(heard, key=lambda each: each.t_first, default=None)
        if fact is None:
            return []
        lane = self.lane_of(record["conn"])
        return [Trace(lane, glyph, wording_of(record), short, fact.t_first, fact.t_last, fact.t_first)]

    def _grab(self, record: Line) -> list[Trace]:
        reply, gave_up = record["t_reply"], record.get("t_gave_up")
        glyph = Glyph.UNANSWERED if reply is None else Glyph.BAR
        ends = max(record["t_sent"], next((t for t in (reply, gave_up) if t is not None), record["t_sent"]))
        lane = self.lane_of(record["conn"], record["viewer"])
        told = wording_of(record), short_of(record)
        return [Trace(lane, glyph, *told, record["t_sent"], ends, tone=record["type"])]

    def _stray(self, record: Line) -> list[Trace]:
        return [_instant(self.lane_of(record["conn"], record["viewer"]), record, record["t"])]

    def _conn(self, record: Line) -> list[Trace]:
        closed = record["t_open"] if record["t_close"] is None else record["t_close"]
        lane = self.lane_of(record["conn"], record["viewer"])
        return [Trace(lane, Glyph.LIFE, wording_of(record), "connected", record["t_open"], closed)]

    def _fact(self, record: Line) -> list[Trace]:
        return [*self._heard(record), *self._stored(record, record.get("at_ms"), f"{short_of(record)} published")]

    def _heard(self, record: Line) -> list[Trace]:
        lane, first = clean(f"room {record['room']}", 40), record["t_first"]
        last = max(first, record["t_last"])
        return [Trace(lane, Glyph.FACT, wording_of(record), short_of(record), first, last, first)]

    def _comment(self, record: Line) -> list[Trace]:
        return [_instant(self.lane_of(record["conn"], record["viewer"]), record, record["t"])]

    def _differ(self, record: Line) -> list[Trace]:
        return self._arrival(record, record["seq"], f"message {record['seq']} differs", Glyph.FACT)

    def _journal(self, record: Line) -> list[Trace]:
        return self._stored(record, record["at_ms"], short_of(record))

    def _packet(self, record: Line) -> list[Trace]:
        return self._stored(record, record.get("at_ms"), "due")

    def _order(self, record: Line) -> list[Trace]:
        at_ms = record.get("paid_at_ms") or record.get("created_at_ms")
        return self._stored(record, at_ms, f"order {record['state']}")

    def _answer(self, record: Line) -> list[Trace]:
        lane = clean(f"{record['viewer_id']} (buyer)", 40)
        return self._stored(record, record["room_ms"], str(record["deed"]), lane)

    def _payout(self, record: Line) -> list[Trace]:
        return self._stored(record, record["requested_at_ms"], f"{record['kind']} {record['state']}")

    def _claim(self, record: Line) -> list[Trace]:
        """Return where the journal gives this share to this viewer."""
        share = (record["viewer_id"], record["index"], record.get("request_id"))
        for entry in () if self.books is None else self.books.journal:
            given = entry.claims if entry.claims and entry.packet_id == record["packet_id"] else ()
            if any((claim.viewer_id, claim.index, claim.request_id) == share for claim in given):
                return self._stored(record, entry.at_ms, short_of(record))
        return []

    def _stored(self, record: Line, at_ms: int | None, short: str, lane: str = STORE) -> list[Trace]:
        if self.times is None or at_ms is None:
            return []
        return [_instant(lane, record, self.times.ns(at_ms), short, self.times.error_ns)]


def _instant(lane: str, record: Line, t: int, short: str = "", error_ns: int = 0) -> Trace:
    text = wording_of(record)
    return Trace(lane, Glyph.ENTRY, text, short or short_of(record), t - error_ns, t + error_ns, t)
