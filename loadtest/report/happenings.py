"""Happenings: all events of the packets in order of time, each with its source."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtest.record.books import Books
from loadtest.record.history import FactRecord, History
from loadtest.report.timebase import Timebase
from server.core.ids import PacketId

ROWS_MAX = 400
CREATOR, JOURNAL, AUDIENCE = "creator", "journal", "audience"

_HEARD = {
    "warmup": "the countdown is on screen",
    "open": "the grab window opens",
    "sold_out": "nothing is left",
    "reopened": "there are shares again",
    "closed": "the grab window closes",
    "voided": "viewers are told that it is voided",
    "result": "the top winners are announced and the seed is revealed",
}
_BOOKED = {
    "fund": "created and funded",
    "edit": "shares are added",
    "trim": "the last shares are taken back",
    "sweep": "unclaimed shares are returned",
    "end": "ended, unclaimed shares are returned",
    "void": "voided, everything is returned",
}

_WITHDRAWN = {"withdraw": "asks for", "withdraw_paid": "is paid", "withdraw_failed": "gets back"}


@dataclass(frozen=True, slots=True)
class HappeningRow:
    """
    One row: ``seconds`` on the axis and ``room_ms`` are None if unknown; ``kind`` chooses its mark.

    ``source`` is the creator's side, the journal, or the audience.
    """

    seconds: float | None
    room_ms: int | None
    kind: str
    packet_id: str
    text: str
    source: str


def happenings_of(
    books: Books, history: History, happenings: Sequence[Mapping[str, Any]], timebase: Timebase
) -> list[HappeningRow]:
    """Return the creators' actions, the journal's entries, and the audience's messages, in order of time."""
    rows = [*_done(books, happenings, timebase), *_booked(books, timebase), *_heard(history, timebase)]
    return sorted(rows, key=lambda row: (row.room_ms is None, row.room_ms or 0))


def curtain_ms(books: Books, happenings: Sequence[Mapping[str, Any]]) -> int | None:
    """
    Return the room time at which the programme began, or None if unknown.

    Creators act at their planned time after the curtain, or later; the action with the smallest delay gives the best
    estimate.
    """
    voided = {entry.packet_id: entry.at_ms for entry in books.journal if entry.movement == "void"}
    curtains = []
    for happening in happenings:
        packet = books.packets.get(PacketId(str(happening.get("packet_id"))))
        planned = happening.get("at_ms")
        if packet is None or not isinstance(planned, int):
            continue
        if happening.get("outcome") == "launched":
            traced = packet.grab_at_ms if packet.warmup_at_ms is None else packet.warmup_at_ms
        else:
            traced = voided.get(packet.packet_id)
        if traced is not None:
            curtains.append(traced - planned)
    return min(curtains, default=None)


def _done(books: Books, happenings: Sequence[Mapping[str, Any]], timebase: Timebase) -> Iterator[HappeningRow]:
    curtain = curtain_ms(books, happenings)
    for happening in happenings:
        at_ms = happening.get("room_ms")
        planned = happening.get("at_ms")
        if not isinstance(at_ms, int):
            at_ms = curtain + planned if curtain is not None and isinstance(planned, int) else None
        outcome = str(happening.get("outcome", ""))
        rule = str(happening.get("rule") or happening.get("rule_id") or "")
        detail = str(happening.get("detail") or "")
        action = str(happening.get("action", ""))
        text = outcome if outcome.startswith(action) else f"{action}: {outcome}"
        if rule and rule not in text:
            text = f"{text} ({rule})"
        kind = "refused" if rule or "refus" in outcome else action
        packet_id = str(happening.get("packet_id") or "") or str(happening.get("packet_name", ""))
        yield HappeningRow(
            _place(at_ms, timebase), at_ms, kind, packet_id, f"{text}: {detail}" if detail else text, CREATOR
        )


def _booked(books: Books, timebase: Timebase) -> Iterator[HappeningRow]:
    for entry in books.journal:
        if entry.movement == "recharge":
            fee = f" and pays a fee of {entry.fee_fen:,}" if entry.fee_fen else ""
            text = f"{entry.creator_id} recharges {entry.amount_fen:,} fen{fee}"
            yield HappeningRow(_place(entry.at_ms, timebase), entry.at_ms, "recharge", "", text, JOURNAL)
        elif entry.movement in _WITHDRAWN:
            text = f"{entry.creator_id} {_WITHDRAWN[entry.movement]} {entry.amount_fen:,} fen"
            yield HappeningRow(_place(entry.at_ms, timebase), entry.at_ms, entry.movement, "", text, JOURNAL)
        elif entry.movement in _BOOKED:
            text = f"{_BOOKED[entry.movement]}: {entry.amount_fen:,} fen"
            yield HappeningRow(
                _place(entry.at_ms, timebase), entry.at_ms, entry.movement, entry.packet_id, text, JOURNAL
            )


def _heard(history: History, timebase: Timebase) -> Iterator[HappeningRow]:
    facts: defaultdict[tuple[str, str, int], list[FactRecord]] = defaultdict(list)
    for fact in history.facts:
        facts[fact.room, fact.epoch, fact.seq].append(fact)
    for same in facts.values():
        first = min(same, key=lambda fact: fact.t_first)
        count = sum(fact.count for fact in same)
        seconds = timebase.seconds(first.t_first)
        word = first.type.replace("_", " ")
        text = f"{word}: {_HEARD[first.type]}" if first.type in _HEARD else word
        yield HappeningRow(
            seconds, timebase.room_ms(seconds), first.type, first.packet, f"{text} ({count:,} connections)", AUDIENCE
        )


def _place(room_ms: int | None, timebase: Timebase) -> float | None:
    return None if room_ms is None else timebase.seconds_of_room(room_ms)
