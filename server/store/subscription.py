"""A subscription to one pub/sub channel of the store."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from server.store.connection import Store, StoreUnavailable, unavailable_as_ours
from server.watched_task import watched_task

BACKOFF_MIN_S = 0.05
BACKOFF_MAX_S = 1.0
_LISTEN_S = 1.0
_CANCEL_AGAIN_S = 0.1  # on Python 3.11 the library may swallow a cancel while it subscribes


class Subscription:
    """Receives from *channel* and resubscribes by itself; messages are lost while the store is unavailable."""

    def __init__(self, store: Store, channel: str) -> None:
        self._store = store
        self._channel = channel
        self._task: asyncio.Task[None] | None = None

    def start(self, on_message: Callable[[bytes], None]) -> None:
        """Subscribe: pass messages to *on_message*; while the store is unavailable, keep retrying."""
        work = partial(listen, self._store, self._channel, on_message)
        self._task = watched_task(kept_up(work, lambda: None), "messages of other processes are no longer received")

    async def stop(self) -> None:
        """Unsubscribe."""
        await cancelled([] if self._task is None else [self._task])
        self._task = None


async def kept_up(work: Callable[[Callable[[], None]], Awaitable[None]], on_lost: Callable[[], None]) -> None:
    """Restart *work* while the store is unavailable; it calls its argument whenever the store answers."""
    backoff_s = BACKOFF_MIN_S

    def reached() -> None:
        nonlocal backoff_s
        backoff_s = BACKOFF_MIN_S

    while True:
        try:
            await work(reached)
        except StoreUnavailable:
            on_lost()
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)


async def cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_CANCEL_AGAIN_S)


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
