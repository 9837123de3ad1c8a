"""Pages of sorted sets that go backwards in time: each begins after a member that the page before has named."""

from server.core.refusal import Refused
from server.store.connection import Store


async def place_after(store: Store, name: str, member: str | None) -> int:
    """
    Return how many members of a sorted set come, from its end, up to and including *member*; 0 without one.

    Raises Refused ``bad_field`` if the set does not have it.
    """
    if member is None:
        return 0
    place = await store.redis.zrevrank(name, member)
    if not isinstance(place, int):
        raise Refused("bad_field", "names nothing in this list", field="after")
    return place + 1
