"""The secret that all processes of one store sign with, if none is configured."""

import secrets

from server.store import keys
from server.store.connection import Store

SECRET_BYTES = 32


async def shared_secret(store: Store) -> bytes:
    """Return the store's secret; the first process that asks generates it. Raises StoreUnavailable."""
    made_up = secrets.token_hex(SECRET_BYTES).encode()
    await store.redis.set(keys.SHARED_SECRET, made_up, nx=True)
    kept = await store.redis.get(keys.SHARED_SECRET)
    assert isinstance(kept, bytes)
    return kept
