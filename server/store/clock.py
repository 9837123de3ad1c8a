"""Room time by the store's clock: one stored record, and the offset of this process's time from the store's."""

import time
from dataclasses import asdict, replace
from typing import Any, Self

from server.core.ids import CreatorId
from server.core.roomtime import RoomClock
from server.store import keys
from server.store.connection import Store
from server.store.fitness import StoreUnfit
from server.store.supervision import SupervisedTask

KEPT_EVERY_S = 1.0  # a clock that is slewed at the usual 500 ppm is then off by 0.5 ms; one that is set is soon noticed
STEP_MIN_MS = 1_000  # a clock that is off by less stands still for that long instead
_TRIES = 7  # the quickest of a few round trips says most about the offset


class StoreClock:
    """
    The room clock as this process estimates it.

    ``error_ms`` bounds, in real milliseconds, how far the estimate may be from the store's own time.
    """

    def __init__(self, store: Store, record: RoomClock) -> None:
        self.record = record
        self.error_ms = 0
        self.store = store
        self._offset_us = 0
        self._last_us = 0
        self._copied: set[CreatorId] = set()
        self._read_us: tuple[int, int] | None = None  # a local time, and the store's time read before it
        self._moved = False  # the record was, and the creators' copies were not yet

    @classmethod
    async def open(cls, store: Store, *, speed: int, origin_ms: int | None) -> Self:
        """
        Read the store's clock; the first process writes it, with room time *origin_ms* (or real time) as of now.

        Raises StoreUnfit if the store runs at another speed.
        """
        seconds, microseconds = await store.redis.time()
        now_ms = seconds * 1_000 + microseconds // 1_000
        proposed = f"{now_ms if origin_ms is None else origin_ms}:{now_ms}:{speed}"
        origin, started, stored_speed = await store.run("open_clock", [keys.CLOCK], proposed.split(":"))
        record = RoomClock(int(origin), int(started), int(stored_speed))
        if record.speed != speed:
            raise StoreUnfit(
                f"the store's room time runs at speed {record.speed}, not {speed}: "
                f"start with --speed {record.speed}, or with a fresh store"
            )
        clock = cls(store, record)
        await clock.sync()
        return clock

    @property
    def earliest_ms(self) -> int:
        """Return the lower bound of room time by the store's own clock."""
        return self.room_ms() - self.error_ms * self.record.speed

    @property
    def latest_ms(self) -> int:
        """Return the upper bound of room time by the store's own clock."""
        return self.room_ms() + self.error_ms * self.record.speed

    async def sync(self) -> None:
        """
        Estimate the offset to the store's time again, from the quickest of a few round trips.

        If the store's clock was set back meanwhile, the room clock's start is moved back too: room time goes on.
        """
        await self._notice_step()
        best_us: int | None = None
        for _ in range(_TRIES):
            before_us = _local_us()
            seconds, microseconds = await self.store.redis.time()
            after_us = _local_us()
            if best_us is None or after_us - before_us < best_us:
                best_us = after_us - before_us
                self._offset_us = seconds * 1_000_000 + microseconds - (before_us + after_us) // 2
        assert best_us is not None
        self.error_ms = -(-best_us // 2_000) + 1

    async def _notice_step(self) -> None:
        before_us, expected_ms = _local_us(), 0
        if self._read_us is not None and self.record.speed:
            local_us, store_us = self._read_us
            expected_ms = (store_us + before_us - local_us) // 1_000
        known_ms = self.record.started_ms
        started, now = await self.store.run("keep_clock", [keys.CLOCK], [known_ms, expected_ms, STEP_MIN_MS])
        # Not the time before: a store that took long to answer would seem to be ahead, and then to have gone back.
        self._read_us = _local_us(), int(now) * 1_000
        if back_ms := known_ms - int(started):
            self._last_us -= back_ms * 1_000
            self._offset_us -= back_ms * 1_000
            self.record = replace(self.record, started_ms=int(started))
            self._moved = True
            self.store.supervisor.notes["clock"] = (
                f"the store's clock went back by {back_ms} ms; room time went on: set the host's clock by slewing it"
            )
        if self._moved:
            creators: Any = await self.store.redis.smembers(keys.CREATORS)
            for name in creators:
                await self.store.redis.hset(keys.clock_of(CreatorId(name.decode())), "started_ms", started.decode())
            self._moved = False

    def real_ms(self) -> int:
        """Return the store's real time, in milliseconds since 1970, as estimated; it goes back only if that was set."""
        self._last_us = max(self._last_us, _local_us() + self._offset_us)
        return self._last_us // 1_000

    def room_ms(self) -> int:
        """Return room time as estimated, in milliseconds."""
        return self.record.room_ms(self.real_ms())

    async def copy_to(self, creator_id: CreatorId) -> None:
        """Copy the clock to the key that this creator's scripts read, and add the creator to the list of all."""
        if creator_id in self._copied:
            return
        await self.store.redis.hset(keys.clock_of(creator_id), mapping=asdict(self.record))  # type: ignore[arg-type]
        await self.store.redis.sadd(keys.CREATORS, creator_id)
        self._copied.add(creator_id)


class ClockKeeper:
    """Estimates the offset again every few seconds, so that drift between hosts' clocks does no harm."""

    def __init__(self, clock: StoreClock, *, every_s: float = KEPT_EVERY_S) -> None:
        self._clock = clock
        self._every_s = every_s
        self._task: SupervisedTask | None = None

    async def start(self) -> None:
        """Start estimating. While the store is unavailable the last estimate stays."""
        self._task = self._clock.store.supervisor.every(self._every_s, "the clock", self._clock.sync)

    async def stop(self) -> None:
        """Stop estimating."""
        if self._task is not None:
            await self._task.stop()


def _local_us() -> int:
    return time.monotonic_ns() // 1_000
