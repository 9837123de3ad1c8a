"""Revocations: known to every process, and kept as long as there may be a token."""

from collections.abc import AsyncIterator

import pytest

from server.core.ids import ViewerId
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from server.store.revocations import Revocations

VERA, WEI = ViewerId("vera"), ViewerId("wei")


@pytest.fixture
async def clock(embedded: EmbeddedStore) -> AsyncIterator[StoreClock]:
    """Open the clock of an empty store."""
    store = await Store.connect(embedded.url, durability=Durability.RELAXED)
    await store.redis.flushall()
    yield await StoreClock.open(store, speed=1, origin_ms=None)
    await store.close()


async def test_every_process_learns_who_was_revoked(clock: StoreClock) -> None:
    """At once where it was asked for, elsewhere with the next reading; others and later arrivals are not covered."""
    here, there = (Revocations(clock.store, clock, kept_ms=10_000) for _ in range(2))
    now_ms = clock.real_ms()
    await here.revoke(VERA, now_ms)
    assert here.covers(VERA, now_ms)
    assert not there.covers(VERA, now_ms)
    await there.start()
    await there.stop()
    assert there.covers(VERA, now_ms)
    assert not there.covers(VERA, now_ms + 1)
    assert not there.covers(WEI, 0)


async def test_old_revocations_are_forgotten(clock: StoreClock) -> None:
    """Neither a process nor the store keeps what no token is old enough for."""
    known = Revocations(clock.store, clock, kept_ms=10_000)
    await known.revoke(VERA, clock.real_ms() - 10_001)
    await known.revoke(WEI, clock.real_ms())
    await known.read()
    assert not known.covers(VERA, 0)
    assert await clock.store.redis.hkeys(keys.REVOKED) == [b"wei"]
