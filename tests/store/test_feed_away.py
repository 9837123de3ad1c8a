"""Tests of a follower whose store dies, hangs and comes back: real stores, real kills."""

import asyncio
import os
import signal
from pathlib import Path

from server.core.ids import RoomId
from server.store.connection import Store
from server.store.embedded.process import EmbeddedStore
from server.store.feed import FROM_THE_START, Feed, FeedFollower
from server.store.rooms import RoomRecord
from tests.store.test_feed import HOST, append
from tests.waiting import until_so


async def test_a_follower_outlives_the_store_and_goes_on_where_it_was(tmp_path: Path) -> None:
    """It says that it hears nothing, tries again, and delivers what came meanwhile, once."""
    running = EmbeddedStore.start(tmp_path)
    store = await Store.connect(running.url)
    room = RoomRecord(RoomId("r1"), HOST, "", "", 0)
    numbers: list[int] = []
    follower = FeedFollower(store, Feed(store))
    follower.follow(room, FROM_THE_START, lambda entries: numbers.extend(entry.at_ms for entry in entries))
    await follower.start()
    await append(store, room, 1)
    await until_so(lambda: numbers == [1] and follower.is_fresh())

    running.stop()
    await until_so(lambda: not follower.is_fresh())
    running = EmbeddedStore.start(tmp_path)
    await append(store, room, 2, ring=False)
    await until_so(lambda: len(numbers) > 1 and follower.is_fresh())
    assert numbers == [1, 2]

    while len(numbers) < 4:  # the bell is heard again too: looks alone would take half a second each
        await append(store, room, 3)
        await asyncio.sleep(0.01)  # each append rings
    await follower.stop()
    await store.close()
    running.stop()


async def test_a_store_that_hangs_is_not_heard(tmp_path: Path) -> None:
    """A stopped process answers nothing, and so nothing is answered from memory."""
    running = EmbeddedStore.start(tmp_path)
    store = await Store.connect(running.url)
    follower = FeedFollower(store, Feed(store))
    follower.follow(RoomRecord(RoomId("r1"), HOST, "", "", 0), FROM_THE_START, lambda _: None)
    await follower.start()
    await until_so(follower.is_fresh)
    os.kill(running.pid, signal.SIGSTOP)
    await until_so(lambda: not follower.is_fresh())
    os.kill(running.pid, signal.SIGCONT)
    await until_so(follower.is_fresh)
    await follower.stop()
    await store.close()
    running.stop()


async def test_a_store_that_comes_back_is_asked_before_it_is_heard(tmp_path: Path) -> None:
    """Killed and started again: the hook is awaited at the start and after each absence, before anything is heard."""
    running = EmbeddedStore.start(tmp_path)
    store = await Store.connect(running.url)
    follower = FeedFollower(store, Feed(store))
    follower.follow(RoomRecord(RoomId("r1"), HOST, "", "", 0), FROM_THE_START, lambda _: None)
    heard_before: list[bool] = []

    async def come_back() -> None:
        await store.redis.ping()
        heard_before.append(follower.is_fresh())

    follower.on_back = come_back
    await follower.start()
    await until_so(follower.is_fresh)
    os.kill(running.pid, signal.SIGKILL)
    await until_so(lambda: len(heard_before) > 1)
    await until_so(follower.is_fresh)

    assert not any(heard_before)
    await follower.stop()
    await store.close()
    running.stop()
