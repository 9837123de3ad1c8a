"""A live room as a state machine: events and time go in, effects come out. Facts are published only once read back."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from server.core.ids import PacketId, RoomId
from server.core.packets.lifecycle import CountShares, Effect, LookUp, PacketLifecycle, Publish
from server.core.packets.packet import Packet
from server.core.rooms import messages
from server.core.rooms.feed import UNTOLD, Cue, FactKind, FeedEntry

ENDED_MAX = 1_000  # ended packets remembered, so that a late read does not bring one back


class Answer(StrEnum):
    """The store's answer to a proposal: it is (or already was) a fact, it is too early, or it is refused."""

    TAKEN = "taken"
    TOO_EARLY = "too_early"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FactRead:
    """An entry of the room's feed, in feed order."""

    entry: FeedEntry


@dataclass(frozen=True, slots=True)
class PacketRead:
    """A packet of this room as the store has it, launched or later."""

    packet: Packet


@dataclass(frozen=True, slots=True)
class ProposalAnswered:
    """The store's answer to a proposal; ``seq`` is the fact's number if it is taken."""

    cue: Cue
    answer: Answer
    seq: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The number of a packet's shares left."""

    packet_id: PacketId
    remaining: int


@dataclass(frozen=True, slots=True)
class Exhausted:
    """A viewer was refused because no share was left."""

    packet_id: PacketId


@dataclass(frozen=True, slots=True)
class Settled:
    """A packet is settled; ``body`` is the body of its result."""

    packet_id: PacketId
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Grabbed:
    """Viewers have grabbed shares of a packet."""

    packet_id: PacketId


RoomEvent = FactRead | Grabbed | PacketRead | ProposalAnswered | Counted | Exhausted | Settled


class Room:
    """
    One room: the packets in it and the number of the last fact.

    All instants are room milliseconds; *speed* is how many of them make a real one (the test clock, 0, counts as 1:
    retries that depend on real time then happen when the clock is moved).
    """

    def __init__(self, room_id: RoomId, *, speed: int) -> None:
        self.room_id = room_id
        self.seq = 0
        self._real = max(1, speed)
        self._airings: dict[PacketId, PacketLifecycle] = {}
        self._due: dict[PacketId, int] = {}  # when each is to be woken; an event changes only its own packet's
        self._ended: dict[PacketId, None] = {}

    def receive(self, event: RoomEvent, now_ms: int) -> list[Effect]:
        """Take an event and return its immediate effects."""
        match event:
            case FactRead(entry):
                return self._moved(entry.packet_id, self._read(entry, now_ms))
            case PacketRead(packet):
                return self._moved(packet.packet_id, self._look(packet, now_ms))
            case ProposalAnswered(cue, answer, seq):
                return self._moved(cue.packet_id, self._answered(cue, answer, seq, now_ms))
            case Counted() | Grabbed() | Exhausted() | Settled():
                lifecycle = self._airings.get(event.packet_id)
                if lifecycle is None:
                    return []
                return self._moved(event.packet_id, _happened(lifecycle, event, now_ms))
            case _:
                assert_never(event)

    def next_wakeup_ms(self) -> int | None:
        """Return the room time at which wake() should be called next, or None if nothing is due."""
        return min(self._due.values(), default=None)

    def wake(self, now_ms: int) -> list[Effect]:
        """
        Return the effects due at *now_ms*, packet by packet.

        If any is to be counted, those follow whose count is due soon: all are counted by one call.
        """
        due = [packet_id for packet_id, at_ms in self._due.items() if at_ms <= now_ms]
        effects = [e for packet_id in due for e in self._moved(packet_id, self._airings[packet_id].wake(now_ms))]
        if any(isinstance(effect, CountShares) for effect in effects):
            for packet_id, lifecycle in self._airings.items():
                if along := lifecycle.count_along(now_ms):
                    effects += self._moved(packet_id, along)
        return effects

    def packets_on_screen(self) -> list[dict[str, Any]]:
        """Return the full state of the packets that viewers see, for a ``welcome``."""
        return [screen for lifecycle in self._airings.values() if (screen := lifecycle.on_screen()) is not None]

    def _moved(self, packet_id: PacketId, effects: list[Effect]) -> list[Effect]:
        """Update a packet's next wake-up after an event; return *effects* unchanged."""
        lifecycle = self._airings.get(packet_id)
        at_ms = None if lifecycle is None else lifecycle.next_wakeup_ms()
        if at_ms is None:
            self._due.pop(packet_id, None)
        else:
            self._due[packet_id] = at_ms
        return effects

    def _read(self, entry: FeedEntry, now_ms: int) -> list[Effect]:
        if entry.kind in UNTOLD:
            return [] if entry.packet_id in self._ended else [LookUp(entry.packet_id)]
        if entry.seq <= self.seq:
            return []
        self.seq = entry.seq
        if entry.kind == FactKind.WARMUP and entry.packet_id not in self._airings:
            self._airings[entry.packet_id] = PacketLifecycle.of_warmup(entry.body["packet"], self._real)

        effects: list[Effect] = [Publish(messages.fact(entry.kind, entry.seq, entry.at_ms, entry.body), entry.seq)]
        if entry.kind == FactKind.SOLD_OUT:
            effects.insert(0, Publish(messages.progress(entry.packet_id, 0, None)))
        if lifecycle := self._airings.get(entry.packet_id):
            if entry.kind == FactKind.OPEN:
                effects.append(Publish(messages.surface(lifecycle.surface, entry.packet_id)))
            if entry.kind == FactKind.REOPENED:
                lifecycle.reissued(entry.body)
            self._told(lifecycle, entry.kind, now_ms)
        return effects

    def _look(self, packet: Packet, now_ms: int) -> list[Effect]:
        if packet.packet_id in self._ended or packet.schedule is None:
            return []
        if packet.packet_id not in self._airings:
            self._airings[packet.packet_id] = PacketLifecycle.of(packet, self._real)
        lifecycle = self._airings[packet.packet_id]
        lifecycle.looked_up(packet, now_ms)
        self._forget_if_ended(lifecycle)
        return lifecycle.wake(now_ms)

    def _answered(self, cue: Cue, answer: Answer, seq: int, now_ms: int) -> list[Effect]:
        lifecycle = self._airings.get(cue.packet_id)
        if lifecycle is None:
            return []
        if answer is not Answer.TAKEN:
            return lifecycle.turned_down(cue.kind, too_early=answer is Answer.TOO_EARLY, now_ms=now_ms)
        if seq <= self.seq and not lifecycle.knows(cue.kind):
            # An old fact that the capped feed no longer has; nobody waits for it.
            self._told(lifecycle, cue.kind, now_ms)
        return []

    def _told(self, lifecycle: PacketLifecycle, kind: FactKind, now_ms: int) -> None:
        lifecycle.published(kind, now_ms)
        self._forget_if_ended(lifecycle)

    def _forget_if_ended(self, lifecycle: PacketLifecycle) -> None:
        if lifecycle.ended:
            del self._airings[lifecycle.packet_id]
            self._ended[lifecycle.packet_id] = None
            if len(self._ended) > ENDED_MAX:
                del self._ended[next(iter(self._ended))]


def _happened(lifecycle: PacketLifecycle, event: Counted | Grabbed | Exhausted | Settled, now_ms: int) -> list[Effect]:
    """Pass an event to a packet's lifecycle and return the effects."""
    match event:
        case Counted(remaining=remaining):
            return lifecycle.counted(remaining, now_ms) + lifecycle.wake(now_ms)
        case Grabbed():
            lifecycle.note_activity()
            return []
        case Exhausted():
            lifecycle.count_now(now_ms)
        case Settled(body=body):
            lifecycle.settled(body, now_ms)
        case _:
            assert_never(event)
    return lifecycle.wake(now_ms)
