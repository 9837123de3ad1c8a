"""
Logistics trails in the store, and the channel over which processes publish their news.

An order's trail is kept under the order's own tag: nothing that writes it moves money (LT-5).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from server.core.ids import OrderId, RoomId, ViewerId
from server.core.orders.trail import EVENTS_OF_ORDER_MAX, ServiceMessage, Trail, TrailEvent, TrailStep
from server.core.refusal import Refused
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.paging import place_after
from server.store.subscription import Subscription
from server.store.transfers import StoreBroken

ISVS_MAX = 1_000  # far more than exist
WAITING_MAX = 10_000  # orders that an ISV has reported on before its integration; of more, the first are not pushed
WAITING_COUNT = 100  # taken at once


class Appended(NamedTuple):
    """The trail after an event was appended, and who was integrated then; *news* unless the event was there before."""

    trail: Trail
    news: bool
    integrated: frozenset[str]


class Viewed(NamedTuple):
    """A trail and the ISVs that were integrated when it was read."""

    trail: Trail
    integrated: frozenset[str]


class Trails:
    """The trails of all orders."""

    def __init__(self, store: Store, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock

    async def open(self, order_id: OrderId, viewer_id: ViewerId, room_id: RoomId | None) -> None:
        """
        Open the trail of a buyer's order; a repetition is no error, and completes an interrupted one.

        Raises Refused (trail_taken) if the order's trail is of another buyer or room.
        """
        (outcome,) = await self._store.run("open_trail", [keys.trail(order_id)], [order_id, viewer_id, room_id or ""])
        if outcome == b"taken":
            raise Refused("trail_taken", "the order has a trail of another buyer or room", field="order_id")
        opened_at: dict[str, float] = {order_id: self._clock.room_ms()}
        await self._store.redis.zadd(keys.trails_of(viewer_id), opened_at, nx=True)

    async def append(self, event: TrailEvent) -> Appended:
        """
        Append an event to its order's trail, once per event id (LT-6).

        Raises Refused: not_found, event_conflict, trail_full.
        """
        outcome, viewer_id, room_id, events = await self._store.run(
            "append_trail",
            [keys.trail(event.order_id), keys.trail_events(event.order_id)],
            [event.event_id, f"{event.step}:{event.occurred_at_ms}:{event.source}", EVENTS_OF_ORDER_MAX],
        )
        if outcome == b"not_found":
            raise _no_such_trail(event.order_id)
        integrated, ended = await self._isvs()
        trail = _trail_from(event.order_id, viewer_id, room_id, zip(events[::2], events[1::2], strict=True), ended)
        if outcome == b"refused":
            trail.append(event)  # raises the reason
            raise StoreBroken(f"the trail of {event.order_id} refused an event that it may have")
        return Appended(trail, outcome == b"appended", integrated)

    async def get(self, order_id: OrderId) -> Trail:
        """Return an order's trail. Raises Refused (not_found)."""
        return (await self.view(order_id)).trail

    async def view(self, order_id: OrderId) -> Viewed:
        """Return an order's trail and who is integrated. Raises Refused (not_found)."""
        fields: Any = await self._store.redis.hmget(keys.trail(order_id), "viewer_id", "room_id")
        viewer_id, room_id = fields
        if viewer_id is None:
            raise _no_such_trail(order_id)
        events: Any = await self._store.redis.hgetall(keys.trail_events(order_id))
        integrated, ended = await self._isvs()
        return Viewed(_trail_from(order_id, viewer_id, room_id, events.items(), ended), integrated)

    async def tell(self, order_id: OrderId, steps: Sequence[TrailStep]) -> list[TrailStep]:
        """Note that the buyer is told these steps; return those that it was not told before (AMB-49)."""
        async with self._store.redis.pipeline(transaction=False) as together:
            for step in steps:
                together.sadd(keys.trail_told(order_id), step)
            added = await together.execute()
        return [step for step, new in zip(steps, added, strict=True) if new]

    async def orders_of(self, viewer_id: ViewerId, *, count: int, after: OrderId | None = None) -> list[OrderId]:
        """
        Return up to *count* orders of a buyer that have a trail, the last opened first, from those *after* one on.

        Raises Refused ``bad_field`` if that one is none of the buyer's.
        """
        first = await place_after(self._store, keys.trails_of(viewer_id), after)
        found: Any = await self._store.redis.zrevrange(keys.trails_of(viewer_id), first, first + count - 1)
        return [OrderId(order_id.decode()) for order_id in found]

    async def integrate(self, isv_id: str, *, integrated: bool) -> None:
        """
        Set whether an ISV is integrated, so that its reports are shown (LT-4); those shown stay shown (AMB-49).

        Raises Refused (too_many).
        """
        if not integrated:
            await self._store.run("end_isv", [keys.ISVS, keys.ISVS_ENDED], [isv_id])
            return
        if await self._store.redis.scard(keys.ISVS) >= ISVS_MAX and isv_id not in await self.integrated():
            raise Refused("too_many", f"at most {ISVS_MAX} ISVs may be integrated", field="isv_id")
        await self._store.redis.sadd(keys.ISVS, isv_id)

    async def integrated(self) -> frozenset[str]:
        """Return the integrated ISVs, whose reports are shown (LT-4)."""
        isv_ids: Any = await self._store.redis.smembers(keys.ISVS)
        return frozenset(isv_id.decode() for isv_id in isv_ids)

    async def wait(self, isv_id: str, order_id: OrderId) -> bool:
        """
        Have an order wait for the integration of an ISV; return False if that has come meanwhile and missed the order.

        An integration is written first and then takes what waits, so either it finds the order, or this call sees it.
        """
        waiting = keys.isv_waiting(isv_id)
        arrived: dict[str, float] = {order_id: self._clock.room_ms()}
        await self._store.redis.zadd(waiting, arrived)
        await self._store.redis.zremrangebyrank(waiting, 0, -WAITING_MAX - 1)
        return isv_id not in await self.integrated() or not await self._store.redis.zrem(waiting, order_id)

    async def take_waiting(self, isv_id: str) -> list[OrderId]:
        """Take up to WAITING_COUNT of the orders that wait for the integration of an ISV, each once."""
        found: Any = await self._store.redis.zpopmin(keys.isv_waiting(isv_id), WAITING_COUNT)
        return [OrderId(order_id.decode()) for order_id, _ in found]

    async def _isvs(self) -> tuple[frozenset[str], Mapping[str, int]]:
        """Return who is integrated, and until which microsecond the reports of others are shown; read after events."""
        async with self._store.redis.pipeline(transaction=True) as together:
            together.smembers(keys.ISVS)
            together.hgetall(keys.ISVS_ENDED)
            isv_ids, ended = await together.execute()
        until_us = {isv_id.decode(): int(us) for isv_id, us in ended.items()}
        return frozenset(isv_id.decode() for isv_id in isv_ids), until_us


class TrailChannel:
    """One process's end of the channel for buyers' messages. It may lose some; the timeline is authoritative."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._subscription = Subscription(store, keys.TRAILS)

    def start(self, on_message: Callable[[ServiceMessage], None]) -> None:
        """Subscribe: pass the messages of all processes, this one included, to *on_message*."""
        self._subscription.start(lambda data: on_message(_message_from(data)))

    async def stop(self) -> None:
        """Unsubscribe."""
        await self._subscription.stop()

    async def publish(self, message: ServiceMessage) -> None:
        """Publish to all processes. Raises StoreUnavailable; then the message may be lost."""
        fields = [message.viewer_id, message.order_id, message.step, message.occurred_at_ms]
        await self._store.redis.publish(self._store.channel(keys.TRAILS), orjson.dumps(fields))


def _message_from(data: bytes) -> ServiceMessage:
    viewer_id, order_id, step, occurred_at_ms = orjson.loads(data)
    return ServiceMessage(ViewerId(viewer_id), OrderId(order_id), TrailStep(step), occurred_at_ms)


def _trail_from(
    order_id: OrderId,
    viewer_id: bytes,
    room_id: bytes | None,
    events: Iterable[tuple[bytes, bytes]],
    ended: Mapping[str, int],
) -> Trail:
    trail = Trail(order_id, ViewerId(viewer_id.decode()), RoomId(room_id.decode()) if room_id else None)
    for event_id, event in events:
        step, occurred_at_ms, source, *arrived_us = event.decode().split(":")  # earlier versions wrote no arrival
        kept = source in ended and int(arrived_us[0] if arrived_us else 0) <= ended[source]
        trail.append(TrailEvent(order_id, TrailStep(step), int(occurred_at_ms), source, event_id.decode()), kept=kept)
    return trail


def _no_such_trail(order_id: OrderId) -> Refused:
    return Refused("not_found", f"there is no trail of an order {order_id}", field="order_id")
