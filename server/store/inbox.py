"""Viewers' inboxes in the store: each capped, by the room time at which a message came, and gone when nobody writes."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from server.core.ids import OrderId, ViewerId
from server.core.orders.inbox import MESSAGES_MAX, InboxMessage, MessageKind
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.paging import place_after

KEPT_S = 30 * 86_400  # real seconds after the last message
_UNTIL = "until"


class Received(NamedTuple):
    """A message in an inbox: its id there, the room time at which it came, and whether it was read."""

    message_id: str
    received_at_ms: int
    read: bool
    message: InboxMessage


class Inboxes:
    """The inboxes of all viewers."""

    def __init__(self, store: Store, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock

    async def add(self, viewer_id: ViewerId, messages: Iterable[InboxMessage]) -> None:
        """Add messages, each once; of more than MESSAGES_MAX the oldest leave."""
        now_ms, name = self._clock.room_ms(), keys.messages(viewer_id)
        came: dict[str, float] = {orjson.dumps(tuple(message)).decode(): now_ms for message in messages}
        if not came:
            return
        async with self._store.redis.pipeline(transaction=True) as together:
            together.zadd(name, came, nx=True)
            together.zremrangebyrank(name, 0, -MESSAGES_MAX - 1)
            together.expire(name, KEPT_S)
            together.expire(keys.messages_read(viewer_id), KEPT_S)
            await together.execute()

    async def page(self, viewer_id: ViewerId, *, after: str | None, count: int) -> tuple[Sequence[Received], int]:
        """
        Return up to *count* messages, the last that came first, from those *after* one on, and how many are unread.

        Raises Refused ``bad_field`` if that one is not there.
        """
        name = keys.messages(viewer_id)
        first = await place_after(self._store, name, after)
        until: Any = await self._store.redis.zrange(keys.messages_read(viewer_id), 0, -1, withscores=True)
        read_until_ms = int(until[0][1]) if until else -1
        found: Any = await self._store.redis.zrange(name, first, first + count - 1, desc=True, withscores=True)
        unread = int(await self._store.redis.zcount(name, f"({read_until_ms}", "+inf"))
        return [_received(member.decode(), int(at_ms), read_until_ms) for member, at_ms in found], unread

    async def mark_read(self, viewer_id: ViewerId, until_ms: int) -> None:
        """Mark the messages that came until a room instant as read; what was read stays so."""
        name = keys.messages_read(viewer_id)
        async with self._store.redis.pipeline(transaction=True) as together:
            together.zadd(name, {_UNTIL: until_ms}, gt=True)
            together.expire(name, KEPT_S)
            await together.execute()


def _received(member: str, at_ms: int, read_until_ms: int) -> Received:
    kind, order_id, about, amount_fen, occurred_at_ms = orjson.loads(member)
    message = InboxMessage(MessageKind(kind), OrderId(order_id), about, amount_fen, occurred_at_ms)
    return Received(member, at_ms, at_ms <= read_until_ms, message)
