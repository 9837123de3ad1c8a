"""
The curtain: starts a storm on another service by a file, which each engine process reads to announce packets.

Only a service that announces packets itself needs no curtain.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from loadtest.scenarios.target_scenario import DeclaredPacket

LEAD_NS = 1_000_000_000  # from the cue to the start: time for every process to read it
_NAME = "curtain.json"
_NS_PER_MS = 1_000_000


def raise_curtain(folder: Path, start_ns: int) -> None:
    """Tell the engine processes of *folder* that the storm starts at *start_ns* of CLOCK_MONOTONIC."""
    partly = folder / f"{_NAME}.part"
    partly.write_bytes(orjson.dumps({"start_ns": start_ns}))
    partly.rename(folder / _NAME)


def openings(packets: Sequence[DeclaredPacket], start_ns: int) -> list[dict[str, Any]]:
    """Return the announcements of packets that open at a time; instants are milliseconds of the local clock."""
    start_ms = start_ns // _NS_PER_MS
    timed = [packet for packet in packets if packet.opens != "on_message"]
    return [
        {
            "packet_id": packet.packet_id,
            "grab_at_ms": (opens_ms := start_ms + (packet.opens_after_ms or 0)),
            "claim_end_at_ms": None if packet.closes_after_ms is None else opens_ms + packet.closes_after_ms,
        }
        for packet in timed
    ]


class Curtain:
    """Waits for the cue in a *folder*; without a folder the start is when all viewers are connected."""

    def __init__(self, packets: Sequence[DeclaredPacket], folder: Path | None) -> None:
        self._packets = packets
        self._folder = folder
        self.start_ns: int | None = None

    @property
    def raised(self) -> bool:
        """Tell whether the start is known."""
        return self.start_ns is not None

    def look(self, now_ns: int, *, all_connected: bool) -> list[dict[str, Any]]:
        """Return the announcements due now, once: as soon as the start is known."""
        if self.raised:
            return []
        self.start_ns = self._told_ns(now_ns, all_connected=all_connected)
        return [] if self.start_ns is None else openings(self._packets, self.start_ns)

    def _told_ns(self, now_ns: int, *, all_connected: bool) -> int | None:
        if self._folder is None:
            return now_ns + LEAD_NS if all_connected else None
        try:
            cue = orjson.loads((self._folder / _NAME).read_bytes())
        except FileNotFoundError:
            return None
        start_ns: int = cue["start_ns"]
        return start_ns
