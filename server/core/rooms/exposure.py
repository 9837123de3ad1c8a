"""
Count how many viewers of a room in one process see its packets, and how long they stay; no viewer is recorded.

While a packet is on air, from its ``warmup`` to its ``closed`` or ``voided``, everybody in the room has seen it: those
present received the warm-up, those who come later find the packet in ``welcome``. So exposure and watching need only
two running sums per room, viewer-milliseconds watched and viewers gone, and no list of viewers (KS-MON-1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from server.core.ids import PacketId
from server.core.packets.packet import Surface
from server.core.rooms.feed import FactKind, FeedEntry


class Taken(NamedTuple):
    """Counts by packet since they were last taken, and after how many room ms a packet was first sold out."""

    counts: Mapping[PacketId, Mapping[str, int]]
    sold_out_after_ms: Mapping[PacketId, int]


class _Sum(NamedTuple):
    """The sum of room milliseconds that viewers have watched, and the number of viewers that have left."""

    viewer_ms: int
    left: int


@dataclass(slots=True)
class _OnAir:
    seq: int  # of its warm-up
    surface: Surface
    taken: _Sum  # what the room's sums were when it was last taken
    opened_at_ms: int | None = None


class Exposure:
    """
    The counters of one room. ``viewers`` is always the number of connections in it until this moment.

    Each connection counts. One that returns and has received the warm-up is not exposed again, but counts as left.
    """

    __slots__ = ("_at_ms", "_counts", "_free_from", "_on_air", "_sold_out", "_stretch", "_sum")

    def __init__(self) -> None:
        self._on_air: dict[PacketId, _OnAir] = {}
        self._counts: dict[PacketId, dict[str, int]] = {}
        self._sold_out: dict[PacketId, int] = {}
        self._sum = _Sum(0, 0)
        self._free_from = _Sum(0, 0)  # the room's sums when the last packet went off the air
        self._stretch = _Sum(0, 0)  # the sums of the last stretch without any packet
        self._at_ms: int | None = None

    def came(self, viewers: int, now_ms: int, *, received: int | None) -> None:
        """Take a newcomer; *received* is the last fact of this room that it knows, or None if it knows none."""
        self._pass(viewers, now_ms)
        for packet_id, on_air in self._on_air.items():
            if received is None or received < on_air.seq:
                self._count(packet_id, "exposed", 1)

    def left(self, viewers: int, now_ms: int, *, by_server: bool = False) -> None:
        """Count a leaving viewer, still included in *viewers*; one removed *by_server* at a stop wanted to stay."""
        self._pass(viewers, now_ms)
        if not by_server:
            self._sum = _Sum(self._sum.viewer_ms, self._sum.left + 1)

    def delivered(self, entry: FeedEntry, viewers: int, now_ms: int) -> None:
        """Take a feed entry that is published to the *viewers* now."""
        self._pass(viewers, now_ms)
        if entry.kind == FactKind.WARMUP and entry.packet_id not in self._on_air:
            self._goes_on_air(entry, viewers)
        on_air = self._on_air.get(entry.packet_id)
        if on_air is None:
            return
        match entry.kind:
            case FactKind.OPEN:
                on_air.opened_at_ms = entry.at_ms
                suppressed = on_air.surface is Surface.ASSET_WIDGET
                self._count(entry.packet_id, "popup_suppressed" if suppressed else "popup_shown", viewers)
            case FactKind.SOLD_OUT if on_air.opened_at_ms is not None:
                self._sold_out.setdefault(entry.packet_id, max(0, entry.at_ms - on_air.opened_at_ms))
            case FactKind.CLOSED | FactKind.VOIDED:
                self._count_watching(entry.packet_id, on_air)
                del self._on_air[entry.packet_id]
                self._free_from = self._sum

    def recall(self, entry: FeedEntry, now_ms: int) -> None:
        """Take an entry from before this process opened the room, which other processes have counted."""
        assert not self._sum.viewer_ms
        self.delivered(entry, 0, now_ms)
        self._counts, self._sold_out = {}, {}

    def take(self, viewers: int, now_ms: int) -> Taken:
        """Return the counts since the last call."""
        self._pass(viewers, now_ms)
        for packet_id, on_air in self._on_air.items():
            self._count_watching(packet_id, on_air)
        taken = Taken(self._counts, self._sold_out)
        self._counts, self._sold_out = {}, {}
        return taken

    def _goes_on_air(self, entry: FeedEntry, viewers: int) -> None:
        if not self._on_air:
            self._stretch = _since(self._free_from, self._sum)
        self._on_air[entry.packet_id] = _OnAir(entry.seq, Surface(entry.body["packet"]["surface"]), self._sum)
        self._count(entry.packet_id, "exposed", viewers)
        self._count(entry.packet_id, "watched_before_ms", self._stretch.viewer_ms)
        self._count(entry.packet_id, "left_before", self._stretch.left)

    def _count_watching(self, packet_id: PacketId, on_air: _OnAir) -> None:
        since, on_air.taken = _since(on_air.taken, self._sum), self._sum
        self._count(packet_id, "watched_ms", since.viewer_ms)
        self._count(packet_id, "left", since.left)

    def _count(self, packet_id: PacketId, name: str, number: int) -> None:
        if number:
            counts = self._counts.setdefault(packet_id, {})
            counts[name] = counts.get(name, 0) + number

    def _pass(self, viewers: int, now_ms: int) -> None:
        """Add the time since the last call, watched by *viewers*; a clock set back adds nothing."""
        if self._at_ms is not None and now_ms > self._at_ms:
            self._sum = _Sum(self._sum.viewer_ms + viewers * (now_ms - self._at_ms), self._sum.left)
        self._at_ms = now_ms


def _since(then: _Sum, now: _Sum) -> _Sum:
    return _Sum(now.viewer_ms - then.viewer_ms, now.left - then.left)
