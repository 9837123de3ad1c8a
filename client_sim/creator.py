"""The programme: what creators do and when; pure, carried out by loadtest/run/director.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PlannedEdit:
    """A planned change of a packet to ``share_count`` shares at ``at_ms``; ``expect`` as in ``PlannedPacket``."""

    at_ms: int
    share_count: int
    expect: str = ""


@dataclass(frozen=True, slots=True)
class PlannedPacket:
    """
    One packet as its creator plans it. Times are room milliseconds after the programme's start; money is in fen.

    ``mode`` says which of ``delay_ms`` (relative), ``warmup_at_ms`` and ``grab_at_ms`` (exact), ``grab_at_ms``
    (scheduled) are set; manual has none. ``void_by`` says in whose name it is voided. ``expect``, ``expect_void`` and
    ``expect_end`` are the expected outcomes of launch, void and end: ``""`` for success, else the id of the rule that
    must refuse it. A claimed share may be used for ``use_for_ms``, or from ``use_start_at_ms`` until
    ``use_end_at_ms``, and on ``product_ids``, or on every product.
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
    void_by: Literal["creator", "platform"] = "creator"
    expect: str = ""
    expect_void: str = ""
    end_at_ms: int | None = None
    expect_end: str = ""
    edits: tuple[PlannedEdit, ...] = ()
    use_for_ms: int | None = None
    use_start_at_ms: int | None = None
    use_end_at_ms: int | None = None
    product_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class CreatorStep:
    """One action of a creator on a packet, ``at_ms`` after the programme's start; ``edit`` holds an edit's values."""

    at_ms: int
    action: Literal["launch", "edit", "void", "end"]
    packet: PlannedPacket
    edit: PlannedEdit | None = None

    @property
    def expected_rule(self) -> str:
        """Return the id of the rule that must refuse this step, or ``""``."""
        match self.action:
            case "launch":
                return self.packet.expect
            case "edit":
                return "" if self.edit is None else self.edit.expect
            case "void":
                return self.packet.expect_void
            case "end":
                return self.packet.expect_end


def programme(packets: Sequence[PlannedPacket]) -> list[CreatorStep]:
    """Return all steps of creators in order of time; at one instant, in the order of the packets."""
    steps = [CreatorStep(packet.launch_at_ms, "launch", packet) for packet in packets]
    steps += [CreatorStep(edit.at_ms, "edit", packet, edit) for packet in packets for edit in packet.edits]
    steps += [CreatorStep(packet.void_at_ms, "void", packet) for packet in packets if packet.void_at_ms is not None]
    steps += [CreatorStep(packet.end_at_ms, "end", packet) for packet in packets if packet.end_at_ms is not None]
    return sorted(steps, key=lambda step: (step.at_ms, step.packet.number))
