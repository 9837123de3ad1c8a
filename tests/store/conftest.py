"""Fixtures for the tests of money."""

import pytest

from server.store.connection import Store
from tests.store.desk import Desk


@pytest.fixture
async def desk(store: Store) -> Desk:
    """Open a desk on an empty store."""
    return await Desk.open(store)
