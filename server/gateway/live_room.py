"""A live room: the shell around core/rooms/room.py that has a clock, a feed, a store and an audience."""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import assert_never

from server.core.ids import PacketId, ViewerId
from server.core.packets.lifecycle import CountShares, Effect, LookUp, Propose, Settle, Tell, result_body
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

SLEEP_MAX_S = 5.0  # no timer is longer: real time may be corrected while one sleeps
SLEEP_MIN_S = 0.001
RECALLS_MAX = 2  # readings of the stored feed at a time, per room
STILL_CLOCK_S = 0.1  # the test clock moves by a call, not by itself: it is looked at this often

_ANSWERS = {
    AnnounceOutcome.ANNOUNCED: Answer.TAKEN,
    AnnounceOutcome.ALREADY: Answer.TAKEN,
    AnnounceOutcome.TOO_EARLY: Answer.TOO_EARLY,
    AnnounceOutcome.REFUSED: Answer.REFUSED,
}


Frames = list[tuple[int, bytes]]
"""Facts by number, ready to be written."""

_Question = Callable[[], Awaitable[RoomEvent | None]]
"""Asks the store something. Only its task calls it: one cancelled before its first turn leaves no coroutine behind."""


class LiveRoom:
    """
    Carries out what the room decides.

    What it asks of the store may fail without a word: the room asks again by itself, less and less often.
    """

    def __init__(
        self,
        record: RoomRecord,
        *,
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
        self.viewers = Quota(limits.connections_per_viewer_max)
        self.audience = RoomSubscribers(loop, random.Random(), limits=limits, metrics=metrics)
        self.chatter = Chatter()
        self.exposure = Exposure()
        self._elsewhere = 0  # viewers of other processes, as last counted
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
        Read what was told before our time, then look at the packets *on_air*.

        Returns the last feed entry read, after which to follow. Raises StoreUnavailable.
        """
        after = FROM_THE_START
        while entries := await self._feed.read(self.record, after, READ_COUNT_MAX):
            after = entries[-1].entry_id
            for entry in entries:
                self.exposure.recall(entry, self._clock.room_ms())
                self._remember(self._room.receive(FactRead(entry), self._clock.room_ms()))
        for packet_id in on_air:
            with contextlib.suppress(Refused):
                self._receive(await self._look_up(packet_id))
        self._arm()
        return after

    def close(self) -> None:
        """Stop the timer and whatever is under way."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()

    def deliver(self, entries: list[FeedEntry]) -> None:
        """Take what was read back from the feed and tell it."""
        now_ms = self._clock.room_ms()
        for entry in entries:
            self.exposure.delivered(entry, len(self.audience), now_ms)
            self._carry_out(self._room.receive(FactRead(entry), now_ms))
        self._arm()

    def enters(self, epoch: str, seq: int) -> None:
        """Hear that a viewer is about to be seated that has heard fact *seq* of *epoch*, which is "" the first time."""
        heard = seq if epoch == self.record.epoch else None
        self.exposure.came(len(self.audience), self._clock.room_ms(), heard=heard)

    def leaves(self, *, sent_away: bool) -> None:
        """Hear that a viewer is about to free its seat, of its own will or because the server stops."""
        self.exposure.left(len(self.audience), self._clock.room_ms(), sent_away=sent_away)

    def grabbed(self, packet_id: PacketId) -> None:
        """Hear that shares were given, so that ``progress`` is told soon."""
        self._receive(Grabbed(packet_id))

    def missed_out(self, packet_id: PacketId) -> None:
        """Hear that a grab found no share left, so that ``sold_out`` is told without delay."""
        if effects := self._room.receive(Exhausted(packet_id), self._clock.room_ms()):
            self._carry_out(effects)
            self._arm()

    async def look_up(self, packet_id: PacketId) -> None:
        """Look at a packet now: it was voided, or settled. Never raises: the room will find out by itself."""
        await self._ask(partial(self._look_up, packet_id))

    def remembers(self, epoch: str, seq: int) -> bool:
        """Tell whether a viewer that has heard fact *seq* of *epoch* can be greeted without asking the store."""
        if not epoch or epoch != self.record.epoch or seq == self._room.seq:
            return True
        return seq < self._room.seq and bool(self._facts) and self._facts[0][0] <= seq + 1

    async def recall(self, epoch: str, seq: int) -> Frames:
        """
        Read what this process does not remember: facts that another one has told already, or that are too long ago.

        Returns the latter, for ``welcome``. Raises StoreUnavailable.
        """
        async with self._recalls:
            if seq > self._room.seq and not self.remembers(epoch, seq):
                await self._catch_up()
            if self.remembers(epoch, seq) or seq > self._room.seq:
                return []
            return [_numbered_frame(entry) for entry in await self._feed.since(self.record, seq)]

    def welcome(
        self, viewer_id: ViewerId, *, epoch: str, seq: int, resume: str = "", recalled: Frames | None = None
    ) -> bytes:
        """
        Return the frames that greet a viewer: ``welcome``, and after it what it has missed since fact *seq*.

        An *epoch* of "" is a first visit. ``resync`` says that what was missed can no longer be told one by one.
        """
        missed = self._missed(epoch, seq, recalled or [])
        text = messages.welcome(
            room_id=self.record.room_id,
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
        """Take the viewers of the other processes and the likes in total, and tell them if they are news."""
        self._elsewhere = elsewhere
        if len(self.audience):
            text = self.chatter.count(elsewhere + len(self.audience), likes, now_ms)
            if text is not None:
                self.audience.tell_soon(text_frame(text))

    def _missed(self, epoch: str, seq: int, recalled: Frames) -> list[bytes] | None:
        """Return the frames of the facts after *seq*, or None if we do not have them all or they are too much."""
        if not epoch:
            return []
        if epoch != self.record.epoch or seq > self._room.seq:
            return None
        first = self._facts[0][0] if self._facts else self._room.seq + 1
        missed = [frame for number, frame in recalled if seq < number < first]
        missed += [frame for number, frame in self._facts if number > seq]
        # Who is sent more at once than it may be behind would be cut off for it, again and again.
        if len(missed) != self._room.seq - seq or sum(map(len, missed)) > self._missed_bytes_max:
            return None
        return missed

    def _receive(self, event: RoomEvent) -> None:
        self._carry_out(self._room.receive(event, self._clock.room_ms()))
        self._arm()

    def _carry_out(self, effects: list[Effect]) -> None:
        facts = self._remember(effects)
        for effect in effects:
            match effect:
                case Tell(text):
                    # What comes along with a fact, a popup with its opening, is as little to be missed.
                    self.audience.tell_soon(text_frame(text), lasting=facts)
                case Propose(cue):
                    self._start(partial(self._propose, cue))
                case CountShares(packet_id):
                    self._start(partial(self._count, packet_id))
                case Settle(packet_id):
                    self._start(partial(self._settle, packet_id))
                case LookUp(packet_id):
                    self._start(partial(self._look_up, packet_id))
                case _:
                    assert_never(effect)
        if facts:
            self.audience.flush()

    def _remember(self, effects: list[Effect]) -> bool:
        """Keep the facts among *effects* for who comes back; tell whether there were any."""
        facts = [(effect.seq, text_frame(effect.text)) for effect in effects if isinstance(effect, Tell) and effect.seq]
        self._facts.extend(facts)
        return bool(facts)

    def _start(self, ask: _Question) -> None:
        """Ask in a task of its own; a closed room asks nothing more."""
        if not self._closed:
            watched_task(self._ask(ask), "a room could not ask", self._tasks)

    async def _ask(self, ask: _Question) -> None:
        try:
            event = await ask()
        except StoreUnavailable:
            self._metrics.store_unavailable += 1
            return
        except Refused:
            return  # the packet is gone; nothing more will be due
        if event is not None and not self._closed:
            self._receive(event)

    async def _propose(self, cue: Cue) -> ProposalAnswered:
        announced = await self._feed.announce(self.record, cue)
        return ProposalAnswered(cue, _ANSWERS[announced.outcome], announced.seq)

    async def _count(self, packet_id: PacketId) -> Counted:
        counts = await self._packets.counts(packet_id)
        return Counted(packet_id, counts.remaining)

    async def _look_up(self, packet_id: PacketId) -> PacketRead:
        packet = await self._packets.get(packet_id)
        self._on_packet(packet)
        return PacketRead(packet)

    async def _settle(self, packet_id: PacketId) -> Settled | None:
        """Sweep, whoever may have done so before us, and read the result."""
        if await self._packets.sweep(packet_id) is None:
            return None
        seed = await self._packets.seed(packet_id)
        if seed is None:
            return None
        claims = await self._packets.claims(packet_id)
        return Settled(packet_id, result_body(packet_id, claims, seed, await self._packets.revealed(packet_id)))

    def _arm(self) -> None:
        """Set the one timer anew, always from the clock, so that no error adds up."""
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
        self._carry_out(self._room.wake(self._clock.room_ms()))
        self._arm()


def _numbered_frame(entry: FeedEntry) -> tuple[int, bytes]:
    return entry.seq, text_frame(messages.fact(entry.kind, entry.seq, entry.at_ms, entry.body))
