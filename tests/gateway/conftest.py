"""What the gateway's tests stand on: the event loop of the product, and a house on an empty store."""

from collections.abc import AsyncIterator, Mapping

import pytest
import uvloop
from pytest_asyncio.plugin import LoopFactory

from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from tests.gateway.house import House, open_house


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    """Run on what the product runs on."""
    return {"uvloop": uvloop.new_event_loop}


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
