"""Processes hear each other's comments and count each other's viewers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from server.core.ids import RoomId, ViewerId
from server.core.rooms.chatter import Said
from server.store import keys
from server.store.chatter import ChatterChannel, Numbers
from server.store.connection import Durability, Store, StoreUnavailable
from server.store.embedded.process import EmbeddedStore
from tests.waiting import PATIENCE_S, until_so

R1, R2 = RoomId("r1"), RoomId("r2")
HI = [Said(ViewerId("v1"), "你好"), Said(ViewerId("v2"), '"hi"')]

Ear = asyncio.Queue[tuple[RoomId, list[Said]]]
Open = Callable[[str], Coroutine[Any, Any, tuple[ChatterChannel, Ear]]]


@pytest.fixture
async def process(store: Store) -> AsyncIterator[Open]:
    """Return a function that opens a process's channel and waits until it hears."""
    opened: list[ChatterChannel] = []

    async def start(process_id: str) -> tuple[ChatterChannel, Ear]:
        channel, ear = ChatterChannel(store, process_id), Ear()
        channel.start(lambda room_id, said: ear.put_nowait((room_id, said)))
        opened.append(channel)
        await listening(store, len(opened))
        return channel, ear

    yield start
    for channel in opened:
        await channel.stop()


async def listening(store: Store, processes: int) -> None:
    async def so_many() -> bool:
        return (await store.redis.pubsub_numsub(keys.CHATTER))[0][1] >= processes

    await until_so(so_many)


async def test_what_is_published_is_heard_by_the_others(process: Open) -> None:
    """Comments reach every other process, room by room and as they were, and not the one that published them."""
    (first, own), (_, second), (_, third) = await process("a"), await process("b"), await process("c")
    await first.publish({R1: HI, R2: HI[:1]})
    for ear in (second, third):
        async with asyncio.timeout(PATIENCE_S):
            assert [await ear.get(), await ear.get()] == [(R1, HI), (R2, HI[:1])]
    assert own.empty()


async def test_viewers_of_all_processes_are_summed(process: Open) -> None:
    """Each process is told how many viewers the others have in its rooms, as they last said."""
    (first, _), (second, _), (third, _) = await process("a"), await process("b"), await process("c")
    assert await first.exchange({R1: 3}, {}) == {R1: Numbers(0, 0)}
    assert await second.exchange({R1: 5, R2: 1}, {}) == {R1: Numbers(3, 0), R2: Numbers(0, 0)}
    assert await third.exchange({R1: 1}, {}) == {R1: Numbers(8, 0)}
    assert await second.exchange({R1: 2}, {}) == {R1: Numbers(4, 0)}
    assert await first.exchange({R1: 3}, {}) == {R1: Numbers(3, 0)}


async def test_a_process_that_is_gone_is_not_counted(store: Store, process: Open) -> None:
    """Numbers past their time are forgotten, those of a process that stops at once, and what cannot be read as well."""
    (first, _), (second, _) = await process("a"), await process("b")
    await second.exchange({R1: 5}, {})
    await store.redis.hset(keys.PRESENT, mapping={"dead": '1000:{"r1":7}', "odd": "no numbers"})
    assert await first.exchange({R1: 3}, {}) == {R1: Numbers(5, 0)}
    await second.stop()
    assert await first.exchange({R1: 3}, {}) == {R1: Numbers(0, 0)}
    assert await store.redis.hkeys(keys.PRESENT) == [b"a"]


async def test_numbers_hold_five_seconds_of_the_stores_time(store: Store, process: Open) -> None:
    """A process's numbers count for five seconds of the store's time, whatever its own clock says."""
    first, _ = await process("a")
    before = (await store.redis.time())[0]
    await first.exchange({R1: 3}, {})
    kept: Any = await store.redis.hget(keys.PRESENT, "a")
    after = (await store.redis.time())[0]
    expires_ms, _, numbers = kept.partition(b":")
    assert before * 1_000 <= int(expires_ms) - 5_000 <= (after + 1) * 1_000
    assert numbers == b'{"r1":3}'


async def test_likes_add_up_over_processes_and_outlive_them(process: Open) -> None:
    """A room's likes are one total, also of those who have left and of processes that are gone."""
    (first, _), (second, _) = await process("a"), await process("b")
    assert await first.exchange({R1: 1}, {R1: 7}) == {R1: Numbers(0, 7)}
    await first.stop()
    assert await second.exchange({}, {R1: 5, R2: 1}) == {R1: Numbers(0, 12), R2: Numbers(0, 1)}
    assert await second.exchange({R1: 1}, {}) == {R1: Numbers(0, 12)}


async def test_a_channel_survives_its_store(tmp_path: Path) -> None:
    """While the store is away nothing is heard and handing in fails; when it is back, both go on by themselves."""
    running = EmbeddedStore.start(tmp_path, durability=Durability.RELAXED)
    try:
        store = await Store.connect(running.url, durability=Durability.RELAXED)
        first, second = ChatterChannel(store, "a"), ChatterChannel(store, "b")
        ear = Ear()
        second.start(lambda room_id, said: ear.put_nowait((room_id, said)))
        await listening(store, 1)
        running.stop()
        with pytest.raises(StoreUnavailable):
            await first.exchange({R1: 1}, {})
        with pytest.raises(StoreUnavailable):
            await first.publish({R1: HI})
        running = EmbeddedStore.start(tmp_path, durability=Durability.RELAXED)
        await listening(store, 1)
        await first.publish({R1: HI})
        async with asyncio.timeout(PATIENCE_S):
            assert await ear.get() == (R1, HI)
    finally:
        running.stop()
    await second.stop()
    await store.close()
