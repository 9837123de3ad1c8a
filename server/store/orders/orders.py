"""Orders in the store: read at one instant, and changed by one script or not at all (rules.md 9 to 15)."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakValueDictionary

from server.core.ids import CreatorId, OrderId, home_of
from server.core.orders.order import Order
from server.core.refusal import Raced, Refused
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.orders.commit import OrderStep, commit
from server.store.orders.order_record import OrderRecord, Standing, record_of, room_ms_of
from server.store.paging import place_after

DUE_MAX = 500  # checked in one round of the sweeper: at worst two seconds, then other creators get their turn
_PAGE = 100  # records read at once: some ten kilobytes each


class Orders:
    """All orders of all viewers."""

    def __init__(self, store: Store, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock
        self._turns: WeakValueDictionary[OrderId, asyncio.Lock] = WeakValueDictionary()

    def turn(self, order_id: OrderId) -> asyncio.Lock:
        """Return the lock that serialises this process's steps of an order, so that they do not race."""
        return self._turns.setdefault(order_id, asyncio.Lock())

    async def standing(self, creator_id: CreatorId, order_id: OrderId, transfer_id: str = "") -> Standing:
        """Read what *creator_id*'s tag holds of an order, and whether the transfer was carried out, at one instant."""
        await self._clock.copy_to(creator_id)
        async with self._store.redis.pipeline(transaction=True) as together:
            together.time()
            together.hmget(keys.clock_of(creator_id), "origin_ms", "started_ms", "speed")
            together.hgetall(keys.order(creator_id, order_id))
            together.hget(keys.transfers(creator_id), transfer_id)
            time, clock, fields, stands_for = await together.execute()
        transferred = None if stands_for is None else stands_for.decode()
        return Standing(room_ms_of(time, clock), int(fields.get(b"version", 0)), transferred, fields)

    async def now_ms(self, creator_id: CreatorId) -> int:
        """Return the room time by the store's own clock."""
        await self._clock.copy_to(creator_id)
        async with self._store.redis.pipeline(transaction=False) as together:
            together.time()
            together.hmget(keys.clock_of(creator_id), "origin_ms", "started_ms", "speed")
            time, clock = await together.execute()
        return room_ms_of(time, clock)

    async def commit(self, step: OrderStep) -> None:
        """Commit a step, all or nothing. Raises Raced if the data it was decided on have changed; StoreBroken."""
        if await commit(self._store, step) != b"done":
            raise raced_order()

    async def look_again(self, creator_id: CreatorId, order_id: OrderId, version: int, due_at_ms: int | None) -> None:
        """Set the room instant of the sweeper's next check of an order, or none, unless the order changed meanwhile."""
        names = [keys.order(creator_id, order_id), keys.orders_due(creator_id)]
        await self._store.run("order_due", names, [order_id, version, "" if due_at_ms is None else due_at_ms])

    async def keep_home(self, order_id: OrderId, home: CreatorId) -> CreatorId:
        """Return the home chosen first for an order whose lines suggest the home of *order_id*."""
        transfers, field = keys.transfers(home_of(order_id)), f"home:{order_id}"
        await self._store.redis.hsetnx(transfers, field, home)
        kept = await self._store.redis.hget(transfers, field)
        assert isinstance(kept, bytes)
        return CreatorId(kept.decode())

    async def get(self, order_id: OrderId) -> OrderRecord:
        """Return an order. Raises Refused ``not_found``."""
        record = (await self.standing(home_of(order_id), order_id)).order
        if record is None:
            raise no_such_order()
        return record

    async def find(self, order_id: OrderId) -> Order | None:
        """Return an order if it was made here; None for one that was made elsewhere, whatever its id looks like."""
        with contextlib.suppress(Refused):
            fields: Any = await self._store.redis.hgetall(keys.order(home_of(order_id), order_id))
            record = record_of(fields)
            return None if record is None else record.order
        return None

    async def due(self, creator_id: CreatorId) -> list[OrderId]:
        """Return the orders that are due for the sweeper by this process's clock, at most DUE_MAX."""
        found: Any = await self._store.redis.zrangebyscore(
            keys.orders_due(creator_id), "-inf", self._clock.latest_ms, start=0, num=DUE_MAX
        )
        return [OrderId(name.decode()) for name in found]

    async def list(
        self, creator_id: CreatorId, *, latest: int = 0, before: OrderId | None = None
    ) -> "list[OrderRecord]":
        """
        Return the orders whose home is the creator, oldest first: all, or only this many of the *latest*.

        Only those *before* an order, if one is named. Raises Refused ``bad_field`` if that one is none of theirs.
        """
        name = keys.orders(creator_id)
        first = await place_after(self._store, name, before)
        found: Any = await self._store.redis.zrange(name, first, first + latest - 1 if latest else -1, desc=True)
        return [*await self.named([OrderId(order_id.decode()) for order_id in reversed(found)])]

    async def named(self, order_ids: Sequence[OrderId]) -> "Sequence[OrderRecord]":
        """Return the orders of these ids that were made here, in this order."""
        names = [name for order_id in order_ids for name in _key_of(order_id)]
        records: list[OrderRecord] = []
        for first in range(0, len(names), _PAGE):
            async with self._store.redis.pipeline(transaction=False) as together:
                for name in names[first : first + _PAGE]:
                    together.hgetall(name)
                records += [record for each in await together.execute() if (record := record_of(each)) is not None]
        return records


def _key_of(order_id: OrderId) -> Iterator[str]:
    """Yield the key of an order's record; none for the id of an order that was made elsewhere."""
    with contextlib.suppress(Refused):
        yield keys.order(home_of(order_id), order_id)


def no_such_order() -> Refused:
    """Return the refusal for an order that does not exist."""
    return Refused("not_found", "no such order", field="order_id")


def raced_order() -> Raced:
    """Return the error for a concurrent change between a decision about an order and its commit."""
    return Raced("raced", "the order was changed concurrently; try again", field="order_id")
