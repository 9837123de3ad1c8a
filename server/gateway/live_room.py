"""A live room: the shell around core/rooms/room.py that has a clock, a feed, a store and an audience."""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import assert_never

from server.core.ids import PacketId, ViewerId
from server.core.packets.lifecycle import CountShares, Effect, LookUp, Propose, Publish, Settle, result_body
from server.core.packets.packet import Packet
from server.core.refusal import Refused
from server.core.rooms import messages
from server.core.rooms.chatter import Chatter
from server.core.rooms.exposure import Exposure
from server.core.rooms.feed import Cue, FeedEntry
from server.core.rooms.room import (
    Answer,
    Counted,
    Exhausted,
    FactRead,
    Grabbed,
    PacketRead,
    ProposalAnswered,
    Room,
    RoomEvent,
    Settled,
)
from server.gateway.fanout import RoomSubscribers
from server.gateway.frames import text_frame
from server.gateway.limits import Limits, Quota
from server.gateway.metrics import Metrics
from server.store.clock import StoreClock
from server.store.connection import StoreUnavailable
from server.store.feed import FROM_THE_START, READ_COUNT_MAX, AnnounceOutcome, Feed
from server.store.packets import Packets
from server.store.rooms import RoomRecord
from server.watched_task import watched_task

SLEEP_MAX_S = 5.0  # no timer is longer, because real time may be corrected meanwhile
SLEEP_MIN_S = 0.001
RECALLS_MAX = 2  # readings of the stored feed at a time, per room
STILL_CLOCK_S = 0.1  # polling interval of the test clock, which moves by calls only

_ANSWERS = {
    AnnounceOutcome.ANNOUNCED: Answer.TAKEN,
    AnnounceOutcome.ALREADY: Answer.TAKEN,
    AnnounceOutcome.TOO_EARLY: Answer.TOO_EARLY,
    AnnounceOutcome.REFUSED: Answer.REFUSED,
}


Frames = list[tuple[int, bytes]]
"""Facts with their numbers, as frames ready to write."""

_Question = Callable[[], Awaitable[Sequence[RoomEvent]]]
"""A query to the store. Only its task calls it, so that a task cancelled early leaves no un-awaited coroutine."""


class LiveRoom:
    """
    Carries out the effects that the room's state machine returns.

    Queries to the store may fail silently: the room retries by itself, with growing delays.
    """

    def __init__(
        self,
        record: RoomRecord,
        *,
        creator_name: str,
        loop: asyncio.AbstractEventLoop,
        clock: StoreClock,
        feed: Feed,
        packets: Packets,
        limits: Limits,
        metrics: Metrics,
        on_packet: Callable[[Packet], None],
        catch_up: Callable[[], Awaitable[None]],
    ) -> None:
        self.record = record
        self._creator_name = creator_name
        self.viewers = Quota(limits.connections_per_viewer_max)
        self.audience = RoomSubscribers(loop, random.Random(), limits=limits, metrics=metrics)
        self.chatter = Chatter()
        self.exposure = Exposure()
        self._elsewhere = 0  # viewers of other processes at the last count
        self._loop = loop
        self._clock = clock
        self._feed = feed
        self._packets = packets
        self._metrics = metrics
        self._on_packet = on_packet
        self._catch_up = catch_up
        self._recalls = asyncio.Semaphore(RECALLS_MAX)
        self._missed_bytes_max = limits.outbox_bytes_max
        self._room = Room(record.room_id, speed=clock.record.speed)
        self._facts: deque[tuple[int, bytes]] = deque(maxlen=limits.resume_facts_max)
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def open(self, on_air: list[PacketId]) -> str:
        """
        Read the facts published before this process opened the room, then look up the packets *on_air*.

        Returns the last feed entry read; following starts after it. Raises StoreUnavailable.
        """
        after = FROM_THE_START
        while entries := await self._feed.read(self.record, after, READ_COUNT_MAX):
            after = entries[-1].entry_id
            for entry in entries:
                self.exposure.recall(entry, self._clock.room_ms())
                self._remember(self._room.receive(FactRead(entry), self._clock.room_ms()))
        for packet_id in on_air:
            with contextlib.suppress(Refused):
                self._receive(*await self._look_up(packet_id))
        self._arm()
        return after

    def close(self) -> None:
        """Stop the timer and cancel the running tasks."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()

    def deliver(self, entries: list[FeedEntry]) -> None:
        """Publish entries read from the feed."""
        now_ms = self._clock.room_ms()
        effects: list[Effect] = []
        for entry in entries:
            self.exposure.delivered(entry, self.viewers.holders, now_ms)
            effects += self._room.receive(FactRead(entry), now_ms)
        self._carry_out(effects)  # together, so that what came together is written together
        self._arm()

    def enters(self, viewer_id: ViewerId) -> None:
        """Note that a connection of a viewer is about to join, which ``viewers`` has counted."""
        if self.viewers.held(viewer_id) == 1:
            self.exposure.came(viewer_id, len(self.viewers.holders) - 1, self._clock.room_ms())

    def leaves(self, viewer_id: ViewerId, *, by_server: bool) -> None:
        """Note that a connection of a viewer is about to leave, by itself or because the server stops."""
        if self.viewers.held(viewer_id) == 1:
            self.exposure.left(viewer_id, len(self.viewers.holders), self._clock.room_ms(), by_server=by_server)

    def grabbed(self, packet_id: PacketId) -> None:
        """Note that shares were granted, so that ``progress`` is published soon."""
        self._receive(Grabbed(packet_id))

    def missed_out(self, packet_id: PacketId) -> None:
        """Note that a grab found no share left, so that ``sold_out`` is published without delay."""
        if effects := self._room.receive(Exhausted(packet_id), self._clock.room_ms()):
            self._carry_out(effects)
            self._arm()

    async def look_up(self, packet_id: PacketId) -> None:
        """Look at a packet now: it was voided, or settled. Raises only on broken data: the room finds out by itself."""
        await self._ask(partial(self._look_up, packet_id))

    def remembers(self, epoch: str, seq: int) -> bool:
        """Return whether a viewer that has received fact *seq* of *epoch* can be welcomed without the store."""
        if not epoch or epoch != self.record.epoch or seq == self._room.seq:
            return True
        return seq < self._room.seq and bool(self._facts) and self._facts[0][0] <= seq + 1

    async def recall(self, epoch: str, seq: int) -> Frames:
        """
        Read facts that this process does not hold: published by another process already, or too old.

        Returns the old ones, for ``welcome``. Raises StoreUnavailable.
        """
        async with self._recalls:
            if seq > self._room.seq and not self.remembers(epoch, seq):
                await self._catch_up()
            if self.remembers(epoch, seq) or seq > self._room.seq:
                return []
            facts = await self._feed.since(self.record, seq)
            return [(each.seq, text_frame(messages.fact(each.kind, each.seq, each.at_ms, each.body))) for each in facts]

    def welcome(
        self, viewer_id: ViewerId, *, epoch: str, seq: int, resume: str = "", recalled: Frames | None = None
    ) -> bytes:
        """
        Return ``welcome`` for a viewer, followed by the facts that it missed since fact *seq*.

        An *epoch* of "" is a first visit. ``resync`` says that the missed facts can no longer be sent one by one.
        """
        missed = self._missed(epoch, seq, recalled or [])
        text = messages.welcome(
            room_id=self.record.room_id,
            title=self.record.title,
            creator_id=self.record.creator_id,
            creator_name=self._creator_name,
            viewer_id=viewer_id,
            epoch=self.record.epoch,
            seq=self._room.seq,
            resync=missed is None,
            server_ms=self._clock.room_ms(),
            speed=self._clock.record.speed,
            audience=self._elsewhere + len(self.audience),
            packets=self._room.packets_on_screen(),
            resume=resume,
        )
        return text_frame(text) + b"".join(missed or [])

    def counted(self, elsewhere: int, likes: int, now_ms: int) -> None:
        """Take the other processes' viewers and the total of likes, and publish them if they changed."""
        self._elsewhere = elsewhere
        if len(self.audience):
            text = self.chatter.count(elsewhere + len(self.audience), likes, now_ms)
            if text is not None:
                self.audience.publish_soon(text_frame(text))

    def _missed(self, epoch: str, seq: int, recalled: Frames) -> list[bytes] | None:
        """Return the frames of the facts after *seq*, or None if some are missing or they are too many bytes."""
        if not epoch:
            return []
        if epoch != self.record.epoch or seq > self._room.seq:
            return None
        first = self._facts[0][0] if self._facts else self._room.seq + 1
        missed = [frame for number, frame in recalled if seq < number < first]
        missed += [frame for number, frame in self._facts if number > seq]
        # More bytes than the outbox may hold would get the viewer disconnected, again and again.
        if len(missed) != self._room.seq - seq or sum(map(len, missed)) > self._missed_bytes_max:
            return None
        return missed

    def _receive(self, *events: RoomEvent) -> None:
        now_ms = self._clock.room_ms()
        for event in events:
            self._carry_out(self._room.receive(event, now_ms))
        self._arm()

    def _carry_out(self, effects: list[Effect]) -> None:
        facts = self._remember(effects)
        if to_count := [effect.packet_id for effect in effects if isinstance(effect, CountShares)]:
            self._start(partial(self._count, to_count))
        for effect in effects:
            match effect:
                case Publish(text):
                    # Messages that accompany a fact, such as a popup with its opening, must be delivered too.
                    self.audience.publish_soon(text_frame(text), must_deliver=facts)
                case Propose(cue):
                    self._start(partial(self._propose, cue))
                case CountShares():
                    pass  # all of them at once, above
                case Settle(packet_id):
                    self._start(partial(self._settle, packet_id))
                case LookUp(packet_id):
                    self._start(partial(self._look_up, packet_id))
                case _:
                    assert_never(effect)
        if facts:
            self.audience.flush()

    def _remember(self, effects: list[Effect]) -> bool:
        """Keep the facts among *effects* for viewers that reconnect; return whether there were any."""
        facts = [
            (effect.seq, text_frame(effect.text)) for effect in effects if isinstance(effect, Publish) and effect.seq
        ]
        self._facts.extend(facts)
        return bool(facts)

    def _start(self, ask: _Question) -> None:
        """Run a query in a task of its own; a closed room starts none."""
        if not self._closed:
            watched_task(self._ask(ask), "a room could not ask", self._tasks)

    async def _ask(self, ask: _Question) -> None:
        try:
            events = await ask()
        except StoreUnavailable:
            self._metrics.store_unavailable += 1
            return
        except Refused:
            return  # the packet is gone; nothing more will be due
        if events and not self._closed:
            self._receive(*events)

    async def _propose(self, cue: Cue) -> list[RoomEvent]:
        announced = await self._feed.announce(self.record, cue)
        return [ProposalAnswered(cue, _ANSWERS[announced.outcome], announced.seq)]

    async def _count(self, packet_ids: list[PacketId]) -> list[RoomEvent]:
        left = await self._packets.remaining(packet_ids)
        return [Counted(packet_id, remaining) for packet_id, remaining in left.items()]

    async def _look_up(self, packet_id: PacketId) -> list[RoomEvent]:
        packet = await self._packets.get(packet_id)
        self._on_packet(packet)
        return [PacketRead(packet)]

    async def _settle(self, packet_id: PacketId) -> list[RoomEvent]:
        """Sweep, even if another process may have done so already, and read the result."""
        if await self._packets.sweep(packet_id) is None:
            return []
        seed = await self._packets.seed(packet_id)
        if seed is None:
            return []
        claims = await self._packets.claims(packet_id)
        return [Settled(packet_id, result_body(packet_id, claims, seed, await self._packets.revealed(packet_id)))]

    def _arm(self) -> None:
        """Set the timer again, always from the clock, so that errors do not add up."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at_ms = self._room.next_wakeup_ms()
        if at_ms is None or self._closed:
            return
        record = self._clock.record
        if record.speed:
            due_s = record.real_until(at_ms, now_real_ms=self._clock.real_ms()) / 1_000
            due_s = min(max(due_s, SLEEP_MIN_S), SLEEP_MAX_S)
        else:
            due_s = STILL_CLOCK_S
        self._timer = self._loop.call_later(due_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        try:
            self._carry_out(self._room.wake(self._clock.room_ms()))
        finally:
            self._arm()  # an error must not be the room's last step
