"""
What processes tell each other about their rooms' viewers: comments, which may be lost, and how many they are.

Comments go over one pub/sub channel. Numbers are kept in the store, each process's for a few seconds, so that what a
process had when it died is soon not counted; likes only add up.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from server.core.chatter import Said
from server.core.ids import RoomId
from server.store import keys
from server.store.connection import Store, StoreUnavailable, unavailable_as_ours

NUMBERS_HOLD_MS = 5_000  # real; a process writes them every second
BACKOFF_MIN_S = 0.05
BACKOFF_MAX_S = 1.0
_LISTEN_S = 1.0
_CANCEL_AGAIN_S = 0.1  # on Python 3.11 the library may swallow a cancel while it subscribes

Hear = Callable[[RoomId, list[Said]], None]


class Numbers(NamedTuple):
    """A room's viewers connected to the other processes, and its likes in total."""

    elsewhere: int
    likes: int


class ChatterChannel:
    """One process's end of the channel; *process_id* is its alone."""

    def __init__(self, store: Store, process_id: str) -> None:
        self._store = store
        self._process_id = process_id
        self._task: asyncio.Task[None] | None = None

    def start(self, hear: Hear) -> None:
        """Pass on to *hear* what other processes publish, from now on; a store out of reach is awaited."""
        self._task = asyncio.create_task(self._keep_listening(hear))
        self._task.add_done_callback(_report)

    async def stop(self) -> None:
        """Listen no more, and take away what was handed in; if the store does not answer, it expires."""
        left = set() if self._task is None else {self._task}
        while left:
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=_CANCEL_AGAIN_S)
        self._task = None
        with contextlib.suppress(StoreUnavailable):
            await self._store.redis.hdel(keys.PRESENT, self._process_id)

    async def publish(self, said: Mapping[RoomId, Sequence[Said]]) -> None:
        """Tell the other processes what was said here. Raises StoreUnavailable; then it may be lost."""
        rooms = {room_id: [(viewer_id, text) for viewer_id, text in comments] for room_id, comments in said.items()}
        await self._store.redis.publish(keys.CHATTER, orjson.dumps({"from": self._process_id, "rooms": rooms}))

    async def exchange(self, viewers: Mapping[RoomId, int], likes: Mapping[RoomId, int]) -> dict[RoomId, Numbers]:
        """
        Hand in how many viewers are here, which replaces what was handed in before, and likes, which are added.

        Returns the numbers of each room that is named in either. Raises StoreUnavailable; then nobody knows whether the
        likes were added.
        """
        rooms = list(dict.fromkeys([*viewers, *likes]))
        pairs = [part for room_id in rooms for part in (room_id, str(likes.get(room_id, 0)))]
        living, totals = await self._store.run(
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

    async def _keep_listening(self, hear: Hear) -> None:
        backoff_s = BACKOFF_MIN_S

        def reached() -> None:
            nonlocal backoff_s
            backoff_s = BACKOFF_MIN_S

        while True:
            try:
                await self._listen(hear, reached)
            except StoreUnavailable:
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)

    async def _listen(self, hear: Hear, reached: Callable[[], None]) -> None:
        channel: Any = self._store.redis.pubsub(ignore_subscribe_messages=True)
        try:
            with unavailable_as_ours():
                await channel.subscribe(keys.CHATTER)
                while True:
                    message = await channel.get_message(timeout=_LISTEN_S)
                    reached()
                    if message is not None:
                        self._pass_on(message["data"], hear)
        finally:
            await channel.aclose()

    def _pass_on(self, data: bytes, hear: Hear) -> None:
        published = orjson.loads(data)
        if published["from"] != self._process_id:
            for room_id, comments in published["rooms"].items():
                hear(RoomId(room_id), [Said(viewer_id, text) for viewer_id, text in comments])


def _report(task: asyncio.Task[None]) -> None:
    """Make a fault of ours heard at once: nobody awaits this task before the process ends."""
    if not task.cancelled() and task.exception() is not None:
        task.get_loop().call_exception_handler(
            {"message": "other processes are no longer heard", "task": task, "exception": task.exception()}
        )
