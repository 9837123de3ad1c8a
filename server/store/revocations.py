"""Revoked viewers: whoever came in before the instant noted here may not come back without a new ticket."""

from typing import Any, Final

from server.core.ids import ViewerId
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.supervision import SupervisedTask

READ_EVERY_S: Final = 1.0  # so long may another server still accept a revoked token


class Revocations:
    """The revocations of a store, as every process knows them. They are kept for *kept_ms*: no token lasts longer."""

    def __init__(self, store: Store, clock: StoreClock, *, kept_ms: int) -> None:
        self._store = store
        self._clock = clock
        self._kept_ms = kept_ms
        self._at_ms: dict[str, int] = {}
        self._task: SupervisedTask | None = None

    async def start(self) -> None:
        """Start to read them again and again. While the store is unavailable those that are known stay."""
        self._task = self._store.supervisor.every(READ_EVERY_S, "the revocations", self.read)

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            await self._task.stop()

    def covers(self, viewer_id: ViewerId, since_ms: int) -> bool:
        """Return whether a viewer that has been in since then was revoked."""
        return since_ms <= self._at_ms.get(viewer_id, -1)

    async def revoke(self, viewer_id: ViewerId, at_ms: int) -> None:
        """Revoke what a viewer has until *at_ms* (real). Raises StoreUnavailable."""
        await self._store.redis.hset(keys.REVOKED, viewer_id, str(at_ms))
        self._at_ms[viewer_id] = at_ms

    async def read(self) -> None:
        """Read all revocations, and forget the old ones."""
        kept: dict[bytes, bytes] = await self._all()
        now_ms = self._clock.real_ms()
        self._at_ms.update((name.decode(), int(at_ms)) for name, at_ms in kept.items())
        old = [name for name, at_ms in self._at_ms.items() if at_ms + self._kept_ms < now_ms]
        if old:
            await self._store.redis.hdel(keys.REVOKED, *old)
        for name in old:
            del self._at_ms[name]

    async def _all(self) -> Any:
        return await self._store.redis.hgetall(keys.REVOKED)
