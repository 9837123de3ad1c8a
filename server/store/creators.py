"""Creators in the store: their data other than money."""

from collections.abc import Iterable
from typing import Any

from server.core.ids import CreatorId
from server.core.rulebooks.eligibility import EVERY_PERMISSION
from server.core.rulebooks.rulebook import Permission
from server.core.text import checked_text
from server.store import keys
from server.store.connection import Store

NAME_LENGTH_MAX = 30  # of a creator, in each warm-up
_PAGE = 500
_DUE = (keys.due, keys.orders_due, keys.expiring, keys.reversals)
"""The keys that a sweep looks at, each by the time of its next step."""


class Creators:
    """The names and permissions of creators; a creator for whom no permissions were set has all."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(self) -> list[CreatorId]:
        """Return all creators, in no order."""
        found: Any = await self._store.redis.smembers(keys.CREATORS)
        return [CreatorId(creator_id.decode()) for creator_id in found]

    async def due(self, latest_ms: int) -> frozenset[CreatorId]:
        """
        Return the creators for whom the sweeper has something to do by *latest_ms*, in no order.

        One whose data cannot be read is among them, so that its sweep says why.
        """
        creators, found = await self.list(), set[CreatorId]()
        for first in range(0, len(creators), _PAGE):
            page = creators[first : first + _PAGE]
            async with self._store.redis.pipeline(transaction=False) as together:
                for creator_id in page:
                    for key_of in _DUE:
                        together.zcount(key_of(creator_id), "-inf", latest_ms)
                counts = await together.execute(raise_on_error=False)
            for number, creator_id in enumerate(page):
                if any(counts[number * len(_DUE) : (number + 1) * len(_DUE)]):
                    found.add(creator_id)
        return frozenset(found)

    async def permissions(self, creator_id: CreatorId) -> frozenset[Permission]:
        """Return the permissions that the platform grants this creator."""
        held = await self._store.redis.hget(keys.creator(creator_id), "permissions")
        if not isinstance(held, bytes):
            return EVERY_PERMISSION
        return frozenset(map(Permission, held.decode().split()))

    async def name(self, creator_id: CreatorId) -> str:
        """Return the name that viewers see; without one it is the id."""
        held = await self._store.redis.hget(keys.creator(creator_id), "name")
        return held.decode() if isinstance(held, bytes) else creator_id

    async def rename(self, creator_id: CreatorId, name: str) -> None:
        """Set the name that viewers see from now on. Raises Refused: bad_field."""
        checked_text("name", name, length_max=NAME_LENGTH_MAX)
        await self._store.redis.hset(keys.creator(creator_id), "name", name)

    async def permit(self, creator_id: CreatorId, permissions: Iterable[Permission]) -> None:
        """Grant exactly *permissions* from now on; a repetition changes nothing."""
        said = " ".join(sorted(set(permissions)))
        await self._store.redis.hset(keys.creator(creator_id), "permissions", said)
