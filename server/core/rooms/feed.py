"""A room's feed: processes propose cues, the store accepts or refuses them, and the accepted ones are facts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from server.core.ids import PacketId, RoomId


class FactKind(StrEnum):
    """Every kind of entry that a feed holds; the numbered ones are the types of the messages that tell them."""

    WARMUP = "warmup"
    OPEN = "open"
    SOLD_OUT = "sold_out"
    REOPENED = "reopened"
    CLOSED = "closed"
    VOIDED = "voided"
    RESULT = "result"
    LAUNCHED = "launched"  # a packet has got its schedule
    CHANGED = "changed"  # a packet was edited or ended


UNTOLD = frozenset({FactKind.LAUNCHED, FactKind.CHANGED})
"""Entries of a feed that make processes look up a packet; they are not published to viewers."""

NUMBERED = frozenset(FactKind) - UNTOLD
"""The types that carry ``seq``: facts of a room, delivered to every viewer exactly once and in order."""


@dataclass(frozen=True, slots=True)
class Cue:
    """
    A numbered fact of a packet that a process proposes as due.

    Every process derives the same cues from the stored schedule; the store appends each at most once.
    """

    kind: FactKind
    packet_id: PacketId
    body: dict[str, Any]

    @property
    def edition(self) -> str:
        """Return the packet's edition in a warm-up or a reopening; other cues have none."""
        match self.kind:
            case FactKind.WARMUP:
                return str(self.body.get("packet", {}).get("edition", ""))
            case FactKind.REOPENED:
                return str(self.body["edition"])
        return ""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """
    One entry read back from a room's feed, in feed order.

    ``seq`` is 0 for entries that viewers do not receive. ``at_ms`` is the room time of the append by the store's clock.
    """

    room_id: RoomId
    entry_id: str
    kind: FactKind
    packet_id: PacketId
    seq: int
    at_ms: int
    body: dict[str, Any]
