"""
The processes' channel for comments, which may be lost, and the counts of their rooms' viewers and likes.

Comments go over one pub/sub channel. Each process's viewer counts are kept in the store for a few seconds, so that a
dead process soon no longer counts; likes only add up.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import orjson

from server.core.ids import RoomId
from server.core.rooms.chatter import Said
from server.store import keys
from server.store.connection import Store, StoreUnavailable
from server.store.subscription import Subscription

NUMBERS_HOLD_MS = 5_000  # real; a process writes them every second

OnComments = Callable[[RoomId, list[Said]], None]


class Numbers(NamedTuple):
    """A room's viewers connected to the other processes, and its likes in total."""

    elsewhere: int
    likes: int


class ChatterChannel:
    """One process's end of the channel; *process_id* is its alone."""

    def __init__(self, store: Store, process_id: str) -> None:
        self.store = store
        self._process_id = process_id
        self._subscription = Subscription(store, keys.CHATTER)

    def start(self, on_message: OnComments) -> None:
        """Subscribe: pass other processes' comments to *on_message*; while the store is unavailable, keep retrying."""
        self._subscription.start(lambda data: self._pass_on(data, on_message))

    async def stop(self) -> None:
        """Unsubscribe and remove this process's counts; if the store does not answer, they expire."""
        await self._subscription.stop()
        with contextlib.suppress(StoreUnavailable):
            await self.store.redis.hdel(keys.PRESENT, self._process_id)

    async def publish(self, said: Mapping[RoomId, Sequence[Said]]) -> None:
        """Publish comments to the other processes. Raises StoreUnavailable; then they may be lost."""
        rooms = {room_id: [(viewer_id, text) for viewer_id, text in comments] for room_id, comments in said.items()}
        await self.store.redis.publish(
            self.store.channel(keys.CHATTER), orjson.dumps({"from": self._process_id, "rooms": rooms})
        )

    async def exchange(self, viewers: Mapping[RoomId, int], likes: Mapping[RoomId, int]) -> dict[RoomId, Numbers]:
        """
        Hand in this process's viewers, which replace the last ones, and likes, which are added.

        Returns the numbers of each room named in either. Raises StoreUnavailable; then the likes may have been added or
        not.
        """
        rooms = list(dict.fromkeys([*viewers, *likes]))
        pairs = [part for room_id in rooms for part in (room_id, str(likes.get(room_id, 0)))]
        living, totals = await self.store.run(
            "audience",
            [keys.PRESENT, keys.LIKES],
            [self._process_id, orjson.dumps(viewers), NUMBERS_HOLD_MS, *pairs],
        )
        elsewhere: dict[RoomId, int] = dict.fromkeys(rooms, 0)
        for process_id, numbers in zip(living[::2], living[1::2], strict=True):
            if process_id.decode() != self._process_id:
                for room_id, count in orjson.loads(numbers).items():
                    if room_id in elsewhere:
                        elsewhere[room_id] += count
        return {room_id: Numbers(elsewhere[room_id], total) for room_id, total in zip(rooms, totals, strict=True)}

    def _pass_on(self, data: bytes, on_message: OnComments) -> None:
        published = orjson.loads(data)
        if published["from"] != self._process_id:
            for room_id, comments in published["rooms"].items():
                on_message(RoomId(room_id), [Said(viewer_id, text) for viewer_id, text in comments])
