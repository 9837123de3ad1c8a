"""
A room's feed in the store: facts are proposed, numbered there, and published only after they were read back.

One pub/sub channel notifies of rooms with new entries; every room is also polled regularly, in case one is lost.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from server.core.ids import PacketId, RoomId
from server.core.rooms.feed import Cue, FactKind, FeedEntry
from server.store import keys
from server.store.connection import Store, StoreUnavailable
from server.store.rooms import RoomRecord
from server.store.subscription import listen
from server.store.supervision import SupervisedTask

FROM_THE_START = "0"
POLL_EVERY_S = 0.5  # the longest delay after a lost notification
FRESH_WITHIN_S = 1.0  # a process whose last read is older answers nothing from memory
READ_COUNT_MAX = 1_000  # entries of one answer
CATCH_UP_WITHIN_S = 2.0

Deliver = Callable[[list[FeedEntry]], None]


class AnnounceOutcome(StrEnum):
    """The outcome of a proposed cue."""

    ANNOUNCED = "announced"
    ALREADY = "already"
    TOO_EARLY = "too_early"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Announced:
    """The answer to a cue: ``seq`` is the fact's number in its room, 0 if it is none (yet)."""

    outcome: AnnounceOutcome
    seq: int


class Feed:
    """The feeds of all rooms."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def announce(self, room: RoomRecord, cue: Cue) -> Announced:
        """Propose a fact. Raises StoreUnavailable; then it may be in the feed, and proposing again finds out."""
        names = [
            keys.clock_of(room.creator_id),
            keys.packet(cue.packet_id),
            keys.room(room.creator_id, room.room_id),
            keys.feed(room.creator_id, room.room_id),
            keys.cues(room.creator_id, room.room_id),
        ]
        outcome, seq = await self._store.run(
            "announce",
            names,
            [
                cue.kind,
                cue.packet_id,
                orjson.dumps(cue.body),
                room.room_id,
                cue.edition,
                self._store.channel(keys.BELL),
            ],
        )
        return Announced(AnnounceOutcome(outcome.decode()), int(seq))

    async def since(self, room: RoomRecord, seq: int) -> list[FeedEntry]:
        """Return the facts after number *seq* that the feed still holds, in order. Raises StoreUnavailable."""
        facts: list[FeedEntry] = []
        before = "+"
        while True:
            found: Any = await self._store.redis.xrevrange(
                keys.feed(room.creator_id, room.room_id), max=before, min="-", count=READ_COUNT_MAX
            )
            entries = [_entry(room.room_id, entry_id, fields) for entry_id, fields in found]
            facts += [entry for entry in entries if entry.seq > seq]
            if len(entries) < READ_COUNT_MAX or any(0 < entry.seq <= seq for entry in entries):
                return facts[::-1]
            before = f"({entries[-1].entry_id}"

    async def read(self, room: RoomRecord, after: str, count: int = READ_COUNT_MAX) -> list[FeedEntry]:
        """Return up to *count* entries that follow the entry *after* (FROM_THE_START for all), in order."""
        found: Any = await self._store.redis.xrange(
            keys.feed(room.creator_id, room.room_id), min=f"({after}", max="+", count=count
        )
        return [_entry(room.room_id, entry_id, fields) for entry_id, fields in found]


@dataclass(slots=True)
class _FollowedRoom:
    room: RoomRecord
    after: str
    deliver: Deliver


class FeedFollower:
    """
    Read every followed room's feed as it grows and deliver each entry once, in order.

    ``on_new_room`` is called with the id of a notified room that is not followed yet; ``on_back`` is awaited whenever
    the store is available again, before any feed counts as fresh.
    """

    def __init__(self, store: Store, feed: Feed, *, on_new_room: Callable[[RoomId], None] | None = None) -> None:
        self.on_new_room = on_new_room
        self.on_back: Callable[[], Awaitable[None]] | None = None
        self._store = store
        self._feed = feed
        self._followed: dict[RoomId, _FollowedRoom] = {}
        self._notified: dict[RoomId, None] = {}  # an ordered set: a room notified twice is read once
        self._unpolled: dict[RoomId, None] = {}
        self._awaited: dict[RoomId, list[asyncio.Future[None]]] = {}
        self._poll_began_s = 0.0
        self._fresh_s: float | None = None
        self._was_unavailable = True
        self._wake = asyncio.Event()
        self._tasks: list[SupervisedTask] = []

    def follow(self, room: RoomRecord, after: str, deliver: Deliver) -> None:
        """Deliver the entries after *after* in the room's feed, from now on."""
        assert room.room_id not in self._followed
        self._followed[room.room_id] = _FollowedRoom(room, after, deliver)
        self._unpolled[room.room_id] = None
        self._notify(room.room_id)

    async def start(self) -> None:
        """Start to follow. While the store is unavailable, keep retrying."""
        keep = self._store.supervisor.keep
        self._tasks = [keep("the feeds' bell", self._listen), keep("the reader of feeds", self._read_on)]

    async def stop(self) -> None:
        """Stop following."""
        for task in self._tasks:
            await task.stop()
        self._tasks.clear()
        self._fresh_s = None
        for waiting in self._awaited.values():
            for read in waiting:
                read.cancel()

    async def catch_up(self, room_id: RoomId) -> None:
        """Wait until a followed room's feed was read to its end once more. Raises StoreUnavailable."""
        read = asyncio.get_running_loop().create_future()
        self._awaited.setdefault(room_id, []).append(read)
        self._notify(room_id)
        try:
            async with asyncio.timeout(CATCH_UP_WITHIN_S):
                await read
        except TimeoutError:
            raise StoreUnavailable(f"the feed could not be read for {CATCH_UP_WITHIN_S:.0f} s") from None

    def is_fresh(self) -> bool:
        """Return whether every feed was read to its end within the last 1,000 real ms, and the store lacks nothing."""
        return (
            not self._store.gate.shut
            and self._fresh_s is not None
            and time.monotonic() - self._fresh_s < FRESH_WITHIN_S
        )

    def _notify(self, room_id: RoomId) -> None:
        self._notified[room_id] = None
        self._wake.set()

    @contextlib.contextmanager
    def _losing_touch(self) -> Iterator[None]:
        """Count nothing as fresh after an error, and let the reader begin anew."""
        try:
            yield
        except Exception:
            self._was_unavailable, self._fresh_s = True, None
            self._wake.set()
            raise

    async def _listen(self, achieved: Callable[[], None]) -> None:
        with self._losing_touch():
            await listen(self._store, self._store.channel(keys.BELL), self._on_notification, achieved)

    def _on_notification(self, notification: bytes) -> None:
        room_id = RoomId(notification.decode())
        if room_id in self._followed:
            self._notify(room_id)
        elif self.on_new_room is not None:
            self.on_new_room(room_id)

    async def _read_on(self, achieved: Callable[[], None]) -> None:
        with self._losing_touch():
            while True:
                await self._await_reason()
                if self._was_unavailable:
                    await self._come_back()
                if not self._notified and not self._unpolled:
                    self._poll_began_s = time.monotonic()
                    self._unpolled = dict.fromkeys(self._followed)
                    if not self._unpolled:
                        await self._store.redis.ping()
                await self._read_next()
                achieved()
                if not self._unpolled and not self._was_unavailable:
                    self._fresh_s = self._poll_began_s

    async def _come_back(self) -> None:
        """Resume after the store was unavailable, even if no command of ours failed meanwhile."""
        self._was_unavailable = False
        if self.on_back is not None:
            await self.on_back()
        self._poll_began_s = time.monotonic()
        self._unpolled = dict.fromkeys(self._followed)

    async def _await_reason(self) -> None:
        """Wait for a notification, for the next poll, or for the store to be available again."""
        self._wake.clear()
        if self._notified or self._unpolled or self._was_unavailable:
            return
        until_poll_s = self._poll_began_s + POLL_EVERY_S - time.monotonic()
        if until_poll_s > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(until_poll_s):
                    await self._wake.wait()

    async def _read_next(self) -> None:
        """Read one room to the end of its feed: a notified one, or else the next of the current poll."""
        room_id = next(iter(self._notified or self._unpolled), None)
        if room_id is None:
            return
        self._notified.pop(room_id, None)  # before reading: a notification while we read means to read again
        awaited = self._awaited.pop(room_id, [])
        try:
            await self._read_to_end(self._followed[room_id])
        except BaseException:
            self._notified[room_id] = None
            self._awaited.setdefault(room_id, []).extend(awaited)
            raise
        for read in awaited:
            if not read.done():
                read.set_result(None)
        self._unpolled.pop(room_id, None)

    async def _read_to_end(self, followed: _FollowedRoom) -> None:
        while True:
            entries = await self._feed.read(followed.room, followed.after, READ_COUNT_MAX)
            if entries:
                followed.after = entries[-1].entry_id
                followed.deliver(entries)
            if len(entries) < READ_COUNT_MAX:
                return


def _entry(room_id: RoomId, entry_id: bytes, fields: dict[bytes, bytes]) -> FeedEntry:
    return FeedEntry(
        room_id=room_id,
        entry_id=entry_id.decode(),
        kind=FactKind(fields[b"kind"].decode()),
        packet_id=PacketId(fields[b"packet_id"].decode()),
        seq=int(fields[b"seq"]),
        at_ms=int(fields[b"at_ms"]),
        body=orjson.loads(fields[b"body"]),
    )
