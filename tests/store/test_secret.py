"""The secret that processes share through their store."""

from server.store.connection import Store
from server.store.secret import shared_secret


async def test_all_processes_of_a_store_have_one_secret(store: Store) -> None:
    """The first process generates the secret, and it is long enough to sign with."""
    first = await shared_secret(store)
    assert await shared_secret(store) == first
    assert len(first) >= 32
    await store.redis.flushall()
    assert await shared_secret(store) != first
