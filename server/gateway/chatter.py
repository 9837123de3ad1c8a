"""Publish the comments of a window in one message, and count likes and viewers once a second."""

import asyncio
import contextlib

from server.core.ids import RoomId, ViewerId
from server.core.rooms import messages
from server.core.rooms.chatter import COMMENTS_OF_WINDOW_MAX, Said
from server.gateway.frames import text_frame
from server.gateway.live_room import LiveRoom
from server.gateway.metrics import Metrics
from server.gateway.rooms import LiveRooms
from server.store.chatter import ChatterChannel
from server.store.connection import StoreUnavailable
from server.store.supervision import SupervisedTask
from server.watched_task import watched_task

WINDOW_MS = 200  # real; the comments of one are one message
TOO_MUCH_SAID = f"at most {COMMENTS_OF_WINDOW_MAX} comments of a room in {WINDOW_MS} ms"
COUNT_EVERY_S = 1.0


class ChatterDesk:
    """
    Carries comments and likes between viewers, rooms and processes.

    A silent room costs nothing: the only timer runs while some window is open. A count is one call to the store for
    all rooms that have viewers in this process, and no call if no room has.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, channel: ChatterChannel, rooms: LiveRooms, metrics: Metrics
    ) -> None:
        self._loop = loop
        self._channel = channel
        self._rooms = rooms
        self._metrics = metrics
        self._open: dict[RoomId, LiveRoom] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._publishing: asyncio.Task[None] | None = None
        self._counting: SupervisedTask | None = None
        self._handed_in = False

    def start(self) -> None:
        """Subscribe to the other processes and start counting."""
        self._channel.start(self._on_comments)
        self._counting = self._channel.store.supervisor.every(
            COUNT_EVERY_S, "the count of viewers and likes", self.count
        )

    async def stop(self) -> None:
        """Stop the timer and the running tasks, hand in the last likes and withdraw this process's viewer count."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._counting is not None:
            await self._counting.stop()
        if self._publishing is not None:
            self._publishing.cancel()
            await asyncio.gather(self._publishing, return_exceptions=True)
        with contextlib.suppress(StoreUnavailable):
            await self.count()
        await self._channel.stop()

    def say(self, room: LiveRoom, viewer_id: ViewerId, text: str) -> bool:
        """Take a viewer's comment; return False if this window of the room is full."""
        self._metrics.comments_in += 1
        taken = room.chatter.say(viewer_id, text)
        self._open_window(room)
        return taken

    def like(self, room: LiveRoom, count: int) -> None:
        """Take a viewer's likes."""
        self._metrics.likes_in += count
        room.chatter.like(count)

    async def count(self) -> None:
        """
        Hand in this process's numbers, and publish the totals of all processes in each room where they changed.

        Raises StoreUnavailable; the store may or may not have the numbers then, and losing likes is better than
        counting a tap twice.
        """
        rooms = {room.record.room_id: room for room in self._rooms if len(room.audience) or room.chatter.liked}
        viewers = {room_id: len(room.audience) for room_id, room in rooms.items() if len(room.audience)}
        likes = {room_id: room.chatter.take_likes() for room_id, room in rooms.items() if room.chatter.liked}
        if not rooms and not self._handed_in:
            return
        numbers = await self._channel.exchange(viewers, likes)
        self._handed_in = bool(viewers)
        now_ms = int(self._loop.time() * 1_000)
        for room_id, (elsewhere, likes_in_all) in numbers.items():
            rooms[room_id].counted(elsewhere, likes_in_all, now_ms)

    def _on_comments(self, room_id: RoomId, comments: list[Said]) -> None:
        room = self._rooms.get(room_id)
        if room is not None and len(room.audience):
            room.chatter.receive(comments)
            self._open_window(room)

    def _open_window(self, room: LiveRoom) -> None:
        self._open[room.record.room_id] = room
        if self._timer is None:
            self._timer = self._loop.call_later(WINDOW_MS / 1_000, self._close_windows)

    def _close_windows(self) -> None:
        self._timer = None
        rooms, self._open = self._open, {}
        said: dict[RoomId, list[Said]] = {}
        for room_id, room in rooms.items():
            window = room.chatter.close_window()
            self._metrics.comments_dropped += window.dropped
            room.audience.publish_soon(text_frame(messages.comments(window.published)))
            if window.own:
                said[room_id] = window.own
        if said:
            self._publish_soon(said)

    def _publish_soon(self, said: dict[RoomId, list[Said]]) -> None:
        if self._publishing is None:
            self._publishing = watched_task(self._publish(said), "comments could not be published")
        else:
            # Backpressure: the store has not answered for a whole window, so these comments are dropped.
            self._metrics.comments_dropped += sum(map(len, said.values()))

    async def _publish(self, said: dict[RoomId, list[Said]]) -> None:
        try:
            await self._channel.publish(said)
        except StoreUnavailable:
            self._metrics.store_unavailable += 1
            self._metrics.comments_dropped += sum(map(len, said.values()))
        finally:
            self._publishing = None
