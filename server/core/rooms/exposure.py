"""
Count how many viewers of a room in one process see its packets, and how long they stay.

While a packet is on air, from its ``warmup`` to its ``closed`` or ``voided``, everybody in the room has seen it: those
present received the warm-up, those who come later find the packet in ``welcome`` (KS-MON-1). Viewers count, not their
connections, and each once however often it leaves and comes back (AMB-51); so their ids are remembered as long as a
packet is on air, or none is. Watching is a running sum of viewer-milliseconds.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from server.core.ids import PacketId
from server.core.packets.packet import Surface
from server.core.rooms.feed import FactKind, FeedEntry

GONE_MAX = 100_000  # viewers remembered of those who left; past it who leaves twice counts twice


class Taken(NamedTuple):
    """Counts by packet since they were last taken, who was exposed since, and when a packet was first sold out."""

    counts: Mapping[PacketId, Mapping[str, int]]
    sold_out_after_ms: Mapping[PacketId, int]
    exposed: Mapping[PacketId, Sequence[str]]


@dataclass(slots=True)
class _OnAir:
    surface: Surface
    taken_ms: int  # what the room's viewer-milliseconds were when it was last taken
    exposed: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    opened_at_ms: int | None = None


class Exposure:
    """
    The counters of one room. ``viewers`` is always the number of viewers in it until this moment.

    A viewer comes with its first connection and leaves with its last one.
    """

    __slots__ = (
        "_at_ms",
        "_counts",
        "_exposed",
        "_free_from_ms",
        "_gone",
        "_on_air",
        "_sold_out",
        "_stretch",
        "_sum_ms",
    )

    def __init__(self) -> None:
        self._on_air: dict[PacketId, _OnAir] = {}
        self._counts: dict[PacketId, dict[str, int]] = {}
        self._sold_out: dict[PacketId, int] = {}
        self._exposed: dict[PacketId, list[str]] = {}
        self._sum_ms = 0  # watched by all viewers together
        self._free_from_ms = 0  # the same when the last packet went off the air
        self._gone: set[str] = set()  # who left since
        self._stretch = (0, 0)  # what was watched, and how many left, in the last stretch without any packet
        self._at_ms: int | None = None

    def came(self, viewer_id: str, viewers: int, now_ms: int) -> None:
        """Take a viewer that was not in the room, not yet included in *viewers*."""
        self._pass(viewers, now_ms)
        for packet_id, on_air in self._on_air.items():
            self._expose(packet_id, on_air, (viewer_id,))

    def left(self, viewer_id: str, viewers: int, now_ms: int, *, by_server: bool = False) -> None:
        """Count a leaving viewer, still included in *viewers*; one removed *by_server* at a stop wanted to stay."""
        self._pass(viewers, now_ms)
        if by_server:
            return
        if not self._on_air and len(self._gone) < GONE_MAX:
            self._gone.add(viewer_id)
        for packet_id, on_air in self._on_air.items():
            if viewer_id not in on_air.gone:
                self._count(packet_id, "left", 1)
                if len(on_air.gone) < GONE_MAX:
                    on_air.gone.add(viewer_id)

    def delivered(self, entry: FeedEntry, present: Collection[str], now_ms: int) -> None:
        """Take a feed entry that is published to the viewers *present* now."""
        viewers = len(present)
        self._pass(viewers, now_ms)
        if entry.kind == FactKind.WARMUP and entry.packet_id not in self._on_air:
            self._goes_on_air(entry, present)
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
                self._free_from_ms, self._gone = self._sum_ms, set()

    def recall(self, entry: FeedEntry, now_ms: int) -> None:
        """Take an entry from before this process opened the room, which other processes have counted."""
        assert not self._sum_ms
        self.delivered(entry, (), now_ms)
        self._counts, self._sold_out = {}, {}

    def take(self, viewers: int, now_ms: int) -> Taken:
        """Return the counts since the last call, and who was exposed since then."""
        self._pass(viewers, now_ms)
        for packet_id, on_air in self._on_air.items():
            self._count_watching(packet_id, on_air)
        taken = Taken(self._counts, self._sold_out, self._exposed)
        self._counts, self._sold_out, self._exposed = {}, {}, {}
        return taken

    def _goes_on_air(self, entry: FeedEntry, present: Collection[str]) -> None:
        if not self._on_air:
            self._stretch = (self._sum_ms - self._free_from_ms, len(self._gone))
        on_air = _OnAir(Surface(entry.body["packet"]["surface"]), self._sum_ms)
        self._on_air[entry.packet_id] = on_air
        self._expose(entry.packet_id, on_air, present)
        watched_ms, gone = self._stretch
        self._count(entry.packet_id, "watched_before_ms", watched_ms)
        self._count(entry.packet_id, "left_before", gone)

    def _expose(self, packet_id: PacketId, on_air: _OnAir, viewer_ids: Collection[str]) -> None:
        new = [viewer_id for viewer_id in viewer_ids if viewer_id not in on_air.exposed]
        if new:
            on_air.exposed.update(new)
            self._exposed.setdefault(packet_id, []).extend(new)

    def _count_watching(self, packet_id: PacketId, on_air: _OnAir) -> None:
        self._count(packet_id, "watched_ms", self._sum_ms - on_air.taken_ms)
        on_air.taken_ms = self._sum_ms

    def _count(self, packet_id: PacketId, name: str, number: int) -> None:
        if number:
            counts = self._counts.setdefault(packet_id, {})
            counts[name] = counts.get(name, 0) + number

    def _pass(self, viewers: int, now_ms: int) -> None:
        """Add the time since the last call, watched by *viewers*; a clock set back adds nothing."""
        if self._at_ms is not None and now_ms > self._at_ms:
            self._sum_ms += viewers * (now_ms - self._at_ms)
        self._at_ms = now_ms
