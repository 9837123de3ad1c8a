"""A house on an empty store, on which the gateway's tests stand."""

from collections.abc import AsyncIterator

import pytest

from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from tests.gateway.house import House, open_house


@pytest.fixture
async def empty_store(embedded: EmbeddedStore) -> AsyncIterator[Store]:
    """Connect to an empty store on a single node: the gateway does not see the difference."""
    connected = await Store.connect(embedded.url, durability=Durability.RELAXED)
    await connected.redis.flushall()
    yield connected
    await connected.close()


@pytest.fixture
async def house(empty_store: Store) -> AsyncIterator[House]:
    """Open a house with the production limits."""
    async with open_house(empty_store) as opened:
        yield opened
