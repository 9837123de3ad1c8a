"""A subscription to one pub/sub channel of the store."""

from collections.abc import Callable
from typing import Any

from server.store.connection import Store
from server.store.supervision import SupervisedTask
from server.store.unavailable import unavailable_as_ours

_LISTEN_S = 1.0


class Subscription:
    """Receives from *channel* of this database and resubscribes by itself; messages are lost without the store."""

    def __init__(self, store: Store, channel: str) -> None:
        self._store = store
        self._channel = store.channel(channel)
        self._task: SupervisedTask | None = None

    def start(self, on_message: Callable[[bytes], None]) -> None:
        """Subscribe: pass messages to *on_message*; while the store is unavailable, keep retrying."""
        self._task = self._store.supervisor.keep(
            f"the subscription to {self._channel}",
            lambda achieved: listen(self._store, self._channel, on_message, achieved),
        )

    async def stop(self) -> None:
        """Unsubscribe."""
        if self._task is not None:
            await self._task.stop()
            self._task = None


async def listen(store: Store, channel: str, on_message: Callable[[bytes], None], reached: Callable[[], None]) -> None:
    """
    Pass on a channel's messages until the store is unavailable; call *reached* whenever it answers.

    Raises StoreUnavailable, and never returns.
    """
    bell: Any = store.redis.pubsub(ignore_subscribe_messages=True)
    try:
        with unavailable_as_ours():
            await bell.subscribe(channel)
            while True:
                message = await bell.get_message(timeout=_LISTEN_S)
                reached()
                if message is not None:
                    on_message(message["data"])
    finally:
        await bell.aclose()
