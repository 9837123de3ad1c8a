"""What the people who host do in an evening, and when: pure; loadtest/director.py carries it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PlannedPacket:
    """
    One packet as its creator plans it. Times are room milliseconds after the curtain; money is in fen.

    ``mode`` says which of ``delay_ms`` (relative) or ``warmup_at_ms`` and ``grab_at_ms`` (exact) are there.
    """

    number: int
    name: str
    creator_id: str
    room_id: str
    platform: str
    denomination: str
    share_count: int
    total_fen: int
    min_share_fen: int
    max_share_fen: int | None
    mode: str
    launch_at_ms: int
    delay_ms: int | None
    warmup_at_ms: int | None
    grab_at_ms: int | None
    claim_window_ms: int | None
    void_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a creator does: launch or void packet number ``number``, ``at_ms`` after the curtain."""

    at_ms: int
    action: Literal["launch", "void"]
    packet: PlannedPacket


def programme(packets: Sequence[PlannedPacket]) -> list[Step]:
    """Return all that creators will do, in order of time; at one instant, in the order of the packets."""
    steps = [Step(packet.launch_at_ms, "launch", packet) for packet in packets]
    steps += [Step(packet.void_at_ms, "void", packet) for packet in packets if packet.void_at_ms is not None]
    return sorted(steps, key=lambda step: (step.at_ms, step.packet.number))
