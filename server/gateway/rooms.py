"""All live rooms of this process: each is opened once and then kept, with or without viewers."""

import asyncio
from collections.abc import Callable, Iterator

from server.core.ids import RoomId
from server.core.rooms.feed import FeedEntry
from server.gateway.limits import Limits
from server.gateway.live_room import LiveRoom
from server.gateway.metrics import Metrics
from server.store.allocators.running import RunningAllocators
from server.store.clock import StoreClock
from server.store.connection import StoreUnavailable
from server.store.feed import Feed, FeedFollower
from server.store.packets import Packets
from server.store.rooms import RoomRecord, Rooms
from server.watched_task import watched_task


class LiveRooms:
    """Opens rooms, delivers feed entries to them, and notifies the allocators of packets and changes."""

    def __init__(
        self,
        *,
        clock: StoreClock,
        rooms: Rooms,
        feed: Feed,
        packets: Packets,
        follower: FeedFollower,
        limits: Limits,
        metrics: Metrics,
        allocators: RunningAllocators,
    ) -> None:
        self._clock = clock
        self._rooms = rooms
        self._feed = feed
        self._packets = packets
        self._follower = follower
        self._limits = limits
        self._metrics = metrics
        self._allocators = allocators
        self._live: dict[RoomId, LiveRoom] = {}
        self._opening: dict[RoomId, asyncio.Task[LiveRoom]] = {}
        self._finding: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open all rooms of the store, and from now on those that other processes open."""
        self._follower.on_new_room = self._find_soon
        for record in await self._rooms.list():
            await self.open(record)

    async def stop(self) -> None:
        """Close all rooms."""
        self._follower.on_new_room = None
        under_way = [*self._finding, *self._opening.values()]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        for live in self._live.values():
            live.close()

    def __iter__(self) -> Iterator[LiveRoom]:
        return iter(self._live.values())

    def get(self, room_id: RoomId) -> LiveRoom | None:
        """Return the room if it is live in this process."""
        return self._live.get(room_id)

    async def find(self, room_id: RoomId) -> LiveRoom | None:
        """Return the room, opened if need be, or None if the store has none of that id. Raises StoreUnavailable."""
        live = self._live.get(room_id)
        if live is not None:
            return live
        record = await self._rooms.get(room_id)
        return None if record is None else await self.open(record)

    async def open(self, record: RoomRecord) -> LiveRoom:
        """Open a room, once for any number of callers. Raises StoreUnavailable."""
        live = self._live.get(record.room_id)
        if live is not None:
            return live
        opening = self._opening.get(record.room_id)
        if opening is None:
            opening = asyncio.get_running_loop().create_task(self._open(record))
            self._opening[record.room_id] = opening
            opening.add_done_callback(lambda _: self._opening.pop(record.room_id, None))
        return await asyncio.shield(opening)

    async def _open(self, record: RoomRecord) -> LiveRoom:
        live = LiveRoom(
            record,
            creator_name=await self._rooms.creator_name(record),
            loop=asyncio.get_running_loop(),
            clock=self._clock,
            feed=self._feed,
            packets=self._packets,
            limits=self._limits,
            metrics=self._metrics,
            on_packet=self._allocators.observe,
            catch_up=lambda: self._follower.catch_up(record.room_id),
        )
        after = await live.open(await self._rooms.on_air(record))
        self._live[record.room_id] = live
        self._follower.follow(record, after, self._deliver_to(live))
        return live

    def _deliver_to(self, live: LiveRoom) -> Callable[[list[FeedEntry]], None]:
        def deliver(entries: list[FeedEntry]) -> None:
            for entry in entries:
                self._allocators.hear(entry)
            live.deliver(entries)

        return deliver

    def _find_soon(self, room_id: RoomId) -> None:
        """Open a room that a notification named: another process opened it, or launched a packet into it."""
        if room_id not in self._opening:
            watched_task(self._find_quietly(room_id), "a room could not be opened", self._finding)

    async def _find_quietly(self, room_id: RoomId) -> None:
        try:
            await self.find(room_id)
        except StoreUnavailable:
            self._metrics.store_unavailable += 1  # the next notification, or the first viewer, opens it
