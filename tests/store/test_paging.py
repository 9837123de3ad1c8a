"""Pages that go backwards in time."""

import pytest

from server.core.refusal import Refused
from server.store.connection import Store
from server.store.paging import place_after


async def test_a_page_begins_after_the_last_of_the_one_before(store: Store) -> None:
    """From the latest on; a member that is not there is no place to go on from."""
    await store.redis.zadd("{list}", {"first": 1, "second": 2, "third": 3})
    assert [await place_after(store, "{list}", name) for name in (None, "third", "second", "first")] == [0, 1, 2, 3]
    with pytest.raises(Refused) as refused:
        await place_after(store, "{list}", "fourth")
    assert (refused.value.code, refused.value.field) == ("bad_field", "after")
