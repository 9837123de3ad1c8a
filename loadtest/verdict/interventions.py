"""Interventions: edits, voids and ends of packets, with the shares given before and after each of them. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtest.record.books import Books
from loadtest.record.history import History
from loadtest.record.journal import JournalRecord
from server.core.ids import PacketId
from server.core.packets.claim import ClaimStatus

_WORDS = {"edit": "edit up", "trim": "edit down", "void": "void", "end": "end"}


@dataclass(frozen=True, slots=True)
class Intervention:
    """
    One such step: what it was (``refused CODE`` for an edit that was refused), and the shares given before and after.

    ``early`` taps were refused before the opening, if the step came before it; ``turned_away`` were refused by what it
    left: by a void or an end, or for want of shares in the edition that it made (or, if it was refused, at all).
    """

    packet_id: PacketId
    step: str
    before: int
    after: int
    early: int
    turned_away: int

    @property
    def raced(self) -> bool:
        """Tell whether it raced with taps: some were answered before it, and some after it."""
        return self.before + self.early > 0 and self.after + self.turned_away > 0


def interventions(books: Books, history: History, happenings: Sequence[Mapping[str, Any]] = ()) -> list[Intervention]:
    """
    Return the steps of all packets: those of the journal in its order, packet by packet, then edits that were refused.

    The journal's order decides what came before; where it has no entry, the room time of the refusal does, which came
    a little after it was decided.
    """
    entries: defaultdict[PacketId, list[JournalRecord]] = defaultdict(list)
    for entry in books.journal:
        entries[entry.packet_id].append(entry)
    taps = _Taps(history)
    steps = [step for packet_id in books.packets for step in _carried_out(books, packet_id, entries[packet_id], taps)]
    return [*steps, *_refused(entries, taps, happenings)]


def raced_steps(books: Books, history: History, happenings: Sequence[Mapping[str, Any]]) -> int:
    """Return how many of them raced with taps."""
    return sum(step.raced for step in interventions(books, history, happenings))


class _Taps:
    """How many taps of a packet were refused, by status and edition."""

    def __init__(self, history: History) -> None:
        self._refused: defaultdict[tuple[PacketId, str], list[int]] = defaultdict(list)
        for grab in history.grabs:
            if grab.type == "fail" and grab.status is not None:
                self._refused[grab.packet, grab.status].append(grab.edition or 0)

    def refused(self, packet_id: PacketId, status: ClaimStatus, since_edition: int = 0) -> int:
        return sum(1 for edition in self._refused.get((packet_id, status), ()) if edition >= since_edition)


def _carried_out(
    books: Books, packet_id: PacketId, entries: list[JournalRecord], taps: _Taps
) -> Iterator[Intervention]:
    opens_ms = books.packets[packet_id].grab_at_ms
    if opens_ms is None:  # a draft cannot be grabbed
        return
    given = [len(entry.claims or ()) for entry in entries]
    for place, entry in enumerate(entries):
        if entry.movement not in _WORDS:
            continue
        match entry.movement:
            case "void":
                turned_away = taps.refused(packet_id, ClaimStatus.VOIDED)
            case "end":
                turned_away = taps.refused(packet_id, ClaimStatus.TOO_LATE)
            case _:
                turned_away = taps.refused(packet_id, ClaimStatus.EXHAUSTED, since_edition=entry.edition or 0)
        early = taps.refused(packet_id, ClaimStatus.TOO_EARLY) if entry.at_ms < opens_ms else 0
        before, after = sum(given[:place]), sum(given[place:])
        yield Intervention(packet_id, _WORDS[entry.movement], before, after, early, turned_away)


def _refused(
    entries: Mapping[PacketId, list[JournalRecord]], taps: _Taps, happenings: Sequence[Mapping[str, Any]]
) -> Iterator[Intervention]:
    for happening in happenings:
        outcome, at_ms = str(happening.get("outcome")), happening.get("room_ms")
        if happening.get("action") != "edit" or not outcome.startswith("refused") or not isinstance(at_ms, int):
            continue
        packet_id = PacketId(str(happening.get("packet_id")))
        given = [(entry.at_ms, len(entry.claims or ())) for entry in entries.get(packet_id, ())]
        before = sum(count for given_ms, count in given if given_ms <= at_ms)
        after = sum(count for given_ms, count in given if given_ms > at_ms)
        yield Intervention(packet_id, outcome, before, after, 0, taps.refused(packet_id, ClaimStatus.EXHAUSTED))
