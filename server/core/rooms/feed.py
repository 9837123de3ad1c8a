"""A room's feed: processes propose cues, the store accepts or refuses them, and the accepted ones are facts."""

from dataclasses import dataclass
from typing import Any

from server.core.ids import PacketId, RoomId

UNTOLD = frozenset({"launched", "changed"})
"""Entries of a feed that make processes look up a packet; they are not published to viewers."""


@dataclass(frozen=True, slots=True)
class Cue:
    """
    A fact that a process proposes as due: ``warmup, open, sold_out, reopened, closed, voided`` or ``result``
    of a packet.

    Every process derives the same cues from the stored schedule; the store appends each at most once.
    """

    kind: str
    packet_id: PacketId
    body: dict[str, Any]

    @property
    def cue_id(self) -> str:
        """Return the id that equal proposals share; a packet can be reopened once in each edition."""
        return f"{self.kind}:{self.packet_id}" + (f":{self.edition}" if self.kind == "reopened" else "")

    @property
    def edition(self) -> str:
        """Return the packet's edition in a warm-up or a reopening; other cues have none."""
        match self.kind:
            case "warmup":
                return str(self.body.get("packet", {}).get("edition", ""))
            case "reopened":
                return str(self.body["edition"])
        return ""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """
    One entry read back from a room's feed, in feed order.

    ``kind`` is a numbered message type, or one that viewers do not receive (seq 0): ``launched``, a packet has got its
    schedule, or ``changed``, it was edited or ended and must be looked up.
    ``at_ms`` is the room time by the store's clock when it was appended.
    """

    room_id: RoomId
    entry_id: str
    kind: str
    packet_id: PacketId
    seq: int
    at_ms: int
    body: dict[str, Any]
