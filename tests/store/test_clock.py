"""Tests of the room clock."""

import asyncio

import pytest

from server.core.ids import CreatorId
from server.store import keys
from server.store.clock import ClockKeeper, StoreClock
from server.store.connection import Store, StoreUnfit
from tests.waiting import until_so


async def test_the_first_process_writes_the_clock_and_the_others_read_it(store: Store) -> None:
    """Of any number of processes that start at once, one writes the record."""
    clocks = await asyncio.gather(*(StoreClock.open(store, speed=60, origin_ms=n * 1_000) for n in range(1, 20)))

    assert len({clock.record for clock in clocks}) == 1
    assert clocks[0].record.origin_ms in range(1_000, 20_000, 1_000)


async def test_another_speed_is_refused_and_changes_nothing(store: Store) -> None:
    """Two processes of one room must not disagree about when something is due."""
    first = await StoreClock.open(store, speed=60, origin_ms=0)
    with pytest.raises(StoreUnfit, match="--speed 60"):
        await StoreClock.open(store, speed=1, origin_ms=0)

    assert (await StoreClock.open(store, speed=60, origin_ms=9)).record == first.record


async def test_the_estimate_is_as_near_to_the_stores_time_as_it_says(store: Store) -> None:
    """The store's time, read between two estimates, lies between them but for the error bound."""
    clock = await StoreClock.open(store, speed=1, origin_ms=None)
    for _ in range(50):
        before_ms = clock.real_ms()
        seconds, microseconds = await store.redis.time()
        after_ms = clock.real_ms()
        store_ms = seconds * 1_000 + microseconds // 1_000
        assert before_ms - clock.error_ms <= store_ms <= after_ms + clock.error_ms
        assert after_ms >= before_ms
    assert clock.error_ms >= 1


async def test_time_never_goes_back_when_it_is_estimated_anew(store: Store) -> None:
    """An estimate that was ahead stands still instead."""
    clock = await StoreClock.open(store, speed=1, origin_ms=None)
    clock._offset_us += 60_000_000
    ahead_ms = clock.real_ms()
    await clock.sync()

    assert clock.real_ms() == ahead_ms


@pytest.mark.parametrize("speed", [1, 60])
async def test_a_store_whose_clock_goes_back_does_not_take_room_time_along(store: Store, speed: int) -> None:
    """Processes and scripts agree on a room time that goes on, move it once, and say so in /readyz."""
    first, second = [await StoreClock.open(store, speed=speed, origin_ms=1_000_000) for _ in range(2)]
    creator_id, other = CreatorId("c1"), CreatorId("c2")
    await first.copy_to(creator_id)
    for clock in (first, second):  # as if the store's clock had been a minute ahead until now
        assert clock._read_us is not None
        clock._read_us = clock._read_us[0], clock._read_us[1] + 60_000_000
        clock._offset_us += 60_000_000
    before_ms = first.room_ms()
    assert before_ms >= 1_000_000 + 60_000 * speed

    await first.sync()
    await second.sync()
    await first.sync()
    await second.copy_to(other)

    assert first.record == second.record
    for clock in (first, second):
        assert before_ms <= clock.room_ms() <= before_ms + 5_000 * speed
        assert "went back by" in clock.store.supervisor.notes["clock"]
    for each in (creator_id, other):
        record = await store.redis.hgetall(keys.clock_of(each))
        assert int(record[b"started_ms"]) == first.record.started_ms
        seconds, micros = await store.redis.time()
        scripts_ms = first.record.room_ms(seconds * 1_000 + micros // 1_000)
        assert abs(scripts_ms - first.room_ms()) <= (first.error_ms + 200) * speed
    assert (await StoreClock.open(store, speed=speed, origin_ms=None)).record == first.record


async def test_a_kept_clock_is_estimated_again_and_again(store: Store) -> None:
    """A clock that was put wrong is right again without being asked, however often."""
    clock = await StoreClock.open(store, speed=1, origin_ms=None)
    keeper = ClockKeeper(clock, every_s=0.01)
    await keeper.start()
    try:
        for _ in range(2):
            clock._offset_us -= 60_000_000
            behind = clock._offset_us
            await until_so(lambda: clock._offset_us != behind)  # noqa: B023 - at once
            assert clock._offset_us - behind > 59_000_000
    finally:
        await keeper.stop()


async def test_room_time_starts_at_its_origin(store: Store) -> None:
    """Without an origin room time is real time; with speed 0 it stands."""
    still = await StoreClock.open(store, speed=0, origin_ms=42)
    assert still.room_ms() == 42
    await store.redis.delete(keys.CLOCK)
    real = await StoreClock.open(store, speed=1, origin_ms=None)
    before_ms, room_ms = real.real_ms(), real.room_ms()
    assert before_ms <= room_ms <= real.real_ms()


async def test_a_creators_copy_of_the_clock_is_written_once(store: Store) -> None:
    """The scripts of a creator read the copy; making it again costs no command."""
    clock = await StoreClock.open(store, speed=60, origin_ms=1_700_000_000_000)
    await clock.copy_to(CreatorId("c1"))
    await store.redis.config_resetstat()
    await clock.copy_to(CreatorId("c1"))
    calls = await store.redis.info("commandstats")

    assert "cmdstat_hset" not in calls
    assert await store.redis.hgetall(keys.clock_of(CreatorId("c1"))) == await store.redis.hgetall(keys.CLOCK)
    assert await store.redis.smembers(keys.CREATORS) == {b"c1"}
