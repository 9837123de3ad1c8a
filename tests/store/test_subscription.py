"""A subscription hears its channel, and goes on by itself when the store was away."""

import asyncio
from pathlib import Path

import pytest

from server.store.connection import Durability, Store, StoreUnavailable
from server.store.embedded.process import EmbeddedStore
from server.store.subscription import Subscription
from tests.waiting import PATIENCE_S, until_so


async def listening(store: Store, channel: str, subscriptions: int = 1) -> None:
    """Wait until so many hear *channel*."""

    async def so_many() -> bool:
        return (await store.redis.pubsub_numsub(channel))[0][1] == subscriptions

    await until_so(so_many)


async def test_it_hears_its_channel_and_no_other_until_it_is_stopped(store: Store) -> None:
    """Messages arrive unchanged and in order; after stop nobody listens."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    subscription = Subscription(store, "news")
    subscription.start(heard.put_nowait)
    await listening(store, "news")
    for channel, said in (("news", b"\x00one"), ("gossip", b"other"), ("news", b"two")):
        await store.redis.publish(channel, said)
    async with asyncio.timeout(PATIENCE_S):
        assert [await heard.get(), await heard.get()] == [b"\x00one", b"two"]
    await subscription.stop()
    await listening(store, "news", 0)


async def test_it_survives_its_store(tmp_path: Path) -> None:
    """A store that comes back is heard again without a word from anybody."""
    running = EmbeddedStore.start(tmp_path, durability=Durability.RELAXED)
    try:
        store = await Store.connect(running.url, durability=Durability.RELAXED)
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        subscription = Subscription(store, "news")
        subscription.start(heard.put_nowait)
        await listening(store, "news")
        running.stop()
        with pytest.raises(StoreUnavailable):
            await store.redis.publish("news", b"lost")
        running = EmbeddedStore.start(tmp_path, durability=Durability.RELAXED)
        await listening(store, "news")
        await store.redis.publish("news", b"back")
        async with asyncio.timeout(PATIENCE_S):
            assert await heard.get() == b"back"
    finally:
        running.stop()
    await subscription.stop()
    await store.close()


async def test_it_may_be_stopped_before_it_began(store: Store) -> None:
    """A process that fails on its way up stops what it has not started."""
    await Subscription(store, "news").stop()
