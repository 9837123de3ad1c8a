"""What the people who host do in an evening, and when: pure; loadtest/director.py carries it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PlannedPacket:
    """
    One packet as its creator plans it. Times are room milliseconds after the programme's start; money is in fen.

    ``mode`` says which of ``delay_ms`` (relative), ``warmup_at_ms`` and ``grab_at_ms`` (exact), ``grab_at_ms``
    (scheduled) are there; manual has none. ``expect`` and ``expect_void`` are what the launch and the void are to come
    to: ``""`` if they are to be carried out, else the id of the rule that is to refuse them.
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
    expect: str = ""
    expect_void: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a creator does to a packet, ``at_ms`` after the programme's start."""

    at_ms: int
    action: Literal["launch", "void"]
    packet: PlannedPacket

    @property
    def expected_rule(self) -> str:
        """The id of the rule that is to refuse this step, or ``""``."""
        return self.packet.expect if self.action == "launch" else self.packet.expect_void


def programme(packets: Sequence[PlannedPacket]) -> list[Step]:
    """Return all that creators will do, in order of time; at one instant, in the order of the packets."""
    steps = [Step(packet.launch_at_ms, "launch", packet) for packet in packets]
    steps += [Step(packet.void_at_ms, "void", packet) for packet in packets if packet.void_at_ms is not None]
    return sorted(steps, key=lambda step: (step.at_ms, step.packet.number))
