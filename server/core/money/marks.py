"""Marks: how far the books went when shares and money were acknowledged, and what a store lacks of that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from server.core.ids import CreatorId

NOTHING = "0-0"  # the id before every entry of a journal
_CREATORS_SHOWN = 5


class Mark(NamedTuple):
    """
    How far one creator's books go: the id of the journal's last entry, and how many shares one packet has given.

    The packet is the one of which shares were given last, as of the journal's entry ``claims_at``; "" if none was.
    """

    journal: str
    packet_id: str = ""
    given: int = 0
    claims_at: str = NOTHING


@dataclass(frozen=True, slots=True)
class WitnessedBooks:
    """The books that a home knows of: the store's epoch, and the marks by creator."""

    epoch: str
    marks: Mapping[CreatorId, Mark]


class CreatorFound(NamedTuple):
    """
    A creator as a store has it: the last entry of its journal, and the last that retention has dropped of it.

    ``given`` is None if it has no packet of the mark's; ``retired`` says that retention dropped that one.
    """

    journal: str
    dropped_through: str
    given: int | None
    retired: bool

    @property
    def last(self) -> str:
        """Return the last entry that there was."""
        return max(self.journal, self.dropped_through, key=place)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The difference between a store and what was acknowledged; ``epoch`` is "" if it has none, as an empty one."""

    known_epoch: str
    epoch: str
    creators: Mapping[CreatorId, tuple[Mark, CreatorFound]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return a sentence about the store, and one about each creator of which something is missing."""
        if not self.epoch:
            first = "the store is empty, or is not the one that this home knows"
        elif self.epoch != self.known_epoch:
            first = f"the store is another one (epoch {self.epoch}) than this home knows (epoch {self.known_epoch})"
        else:
            first = "the store has lost what was acknowledged"
        return [first, *(_missing(creator_id, *pair) for creator_id, pair in sorted(self.creators.items()))]

    def __str__(self) -> str:
        """Return the first few lines as one sentence."""
        first, *others = self.lines()
        shown = others[:_CREATORS_SHOWN]
        more = [f"and {len(others) - len(shown)} more creators"] if len(others) > len(shown) else []
        return f"{first}: {'; '.join([*shown, *more])}" if others else first


def shortfall(known: WitnessedBooks, epoch: str, found: Mapping[CreatorId, CreatorFound]) -> Shortfall | None:
    """
    Compare a store's *epoch* and what was *found* of each marked creator with what is known, and return what it lacks.

    A store without any acknowledgement has nothing to lose: whatever it is then, nothing is missing.
    """
    if not known.marks:
        return None
    behind = {
        creator_id: (mark, found[creator_id])
        for creator_id, mark in known.marks.items()
        if _is_behind(mark, found[creator_id])
    }
    return Shortfall(known.epoch, epoch, behind) if behind or epoch != known.epoch else None


def mark_from(found: CreatorFound, packet_id: str, before: Mark | None) -> Mark:
    """Return the mark of what was found, which knows of *packet_id* besides; with "" the packet of *before* stays."""
    if not packet_id or found.given is None:
        return (before or Mark(NOTHING))._replace(journal=found.last)
    if before is not None and (before.packet_id, before.given) == (packet_id, found.given):
        return before._replace(journal=found.last)
    return Mark(found.last, packet_id, found.given, found.last)


def place(entry_id: str) -> tuple[int, int]:
    """Return the place of a journal's entry among the others."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)


def _is_behind(mark: Mark, found: CreatorFound) -> bool:
    if place(found.last) < place(mark.journal):
        return True
    if not mark.packet_id:
        return False
    if found.given is None:  # retention dropped it, or it is lost
        return not found.retired and place(found.dropped_through) < place(mark.claims_at)
    return found.given < mark.given


def _missing(creator_id: CreatorId, mark: Mark, found: CreatorFound) -> str:
    if place(found.last) < place(mark.journal):
        what = f"after {found.last}" if found.last != NOTHING else "all"
        return f"{creator_id}: {what} up to journal entry {mark.journal}"
    return f"{creator_id}: claims of packet {mark.packet_id}, which had given {mark.given} and has {found.given or 0}"
