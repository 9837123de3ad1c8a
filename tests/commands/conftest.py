"""Fixtures for the tests of commands."""

import pytest

from server.commands.context import CommandContext
from server.store.connection import Store
from tests.commands.ground import Host, context_of
from tests.store.desk import Desk
from tests.store.shop import Shop


@pytest.fixture
async def desk(store: Store) -> Desk:
    """Open a desk on an empty store."""
    return await Desk.open(store)


@pytest.fixture
def host() -> Host:
    """Stand in for the gateway."""
    return Host()


@pytest.fixture
def at(desk: Desk, host: Host) -> CommandContext:
    """Give commands the desk's store and clock."""
    return context_of(desk.store, desk.clock, host=host)


@pytest.fixture
async def shop(store: Store) -> Shop:
    """Open a shop on an empty store."""
    return await Shop.open(store)
