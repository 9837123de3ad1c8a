"""A room's feed: cues propose, the store decides, and what comes back is a fact."""

from dataclasses import dataclass
from typing import Any

from server.core.ids import PacketId, RoomId


@dataclass(frozen=True, slots=True)
class Cue:
    """
    A fact that some process thinks is due: ``warmup, open, sold_out, closed, voided`` or ``result`` of a packet.

    Every process derives the same cues from the stored schedule; the store appends each at most once.
    """

    kind: str
    packet_id: PacketId
    body: dict[str, Any]

    @property
    def cue_id(self) -> str:
        """What makes two proposals the same fact."""
        return f"{self.kind}:{self.packet_id}"


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """
    One entry read back from a room's feed, in feed order.

    ``kind`` is a numbered message type, or ``launched``: a packet has got its schedule (not told to viewers, seq 0).
    ``at_ms`` is the room time by the store's clock when it was appended.
    """

    room_id: RoomId
    entry_id: str
    kind: str
    packet_id: PacketId
    seq: int
    at_ms: int
    body: dict[str, Any]
