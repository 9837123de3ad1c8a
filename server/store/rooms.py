"""Rooms: their hosts, and the packets on air in them."""

import secrets
from dataclasses import dataclass
from typing import Any

from server.core.ids import CreatorId, PacketId, RoomId
from server.core.refusal import Refused
from server.core.text import checked_text
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store

TITLE_LENGTH_MAX = 60


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """A room as the store knows it. ``seq`` is the number of its last fact; ``epoch`` names the feed it counts in."""

    room_id: RoomId
    creator_id: CreatorId
    title: str
    epoch: str
    seq: int


class Rooms:
    """All rooms of the store."""

    def __init__(self, store: Store, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock

    async def create(self, room_id: RoomId, creator_id: CreatorId, title: str) -> RoomRecord:
        """
        Open a room of a creator; a room that is open already stays as it is, and "" stands for the title that it has.

        Raises Refused: ``room_taken`` if it is another creator's or has another title; ``bad_field``.
        """
        if title:
            checked_text("title", title, length_max=TITLE_LENGTH_MAX)
        await self._clock.copy_to(creator_id)
        await self._store.redis.hsetnx(keys.ROOMS, room_id, creator_id)
        host = await self._host(room_id)
        if host != creator_id:
            raise Refused("room_taken", f"the room {room_id} belongs to another creator", field="room_id")
        title_was, epoch, seq = await self._store.run(
            "create_room", [keys.room(creator_id, room_id)], [room_id, creator_id, title, secrets.token_hex(8)]
        )
        room = RoomRecord(room_id, creator_id, title_was.decode(), epoch.decode(), int(seq))
        if title not in ("", room.title):
            raise Refused("room_taken", f"the room {room_id} is open with the title {room.title!r}", field="title")
        return room

    async def get(self, room_id: RoomId) -> RoomRecord | None:
        """Return the room, or None if there is none of that id."""
        host = await self._host(room_id)
        return None if host is None else await self._record(room_id, host)

    async def known(self, room_id: RoomId) -> RoomRecord:
        """Return the room. Raises Refused (``not_found``) if there is none."""
        if (room := await self.get(room_id)) is None:
            raise Refused("not_found", f"there is no room {room_id}", field="room_id")
        return room

    async def creator_name(self, room: RoomRecord) -> str:
        """Return the name under which viewers know the room's creator."""
        held = await self._store.redis.hget(keys.creator(room.creator_id), "name")
        return held.decode() if isinstance(held, bytes) else room.creator_id

    async def launched(self, room: RoomRecord) -> list[PacketId]:
        """Return the packets launched into the room whose claim window is not over by now, by warm-up."""
        packet_ids, now_ms = await self.on_air(room), self._clock.room_ms()
        async with self._store.redis.pipeline(transaction=False) as together:
            for packet_id in packet_ids:
                together.hmget(keys.packet(packet_id), "state", "claim_end_at_ms", "ended_at_ms")
            records = zip(packet_ids, await together.execute(), strict=True)
        return [
            packet_id
            for packet_id, (state, ends, ended) in records
            if state == b"launched" and ended is None and now_ms < int(ends)
        ]

    async def on_air(self, room: RoomRecord) -> list[PacketId]:
        """Return all packets launched into the room, by warm-up."""
        packet_ids: Any = await self._store.redis.zrange(keys.on_air(room.creator_id, room.room_id), 0, -1)
        return [PacketId(packet_id.decode()) for packet_id in packet_ids]

    async def list(self, limit: int | None = None) -> list[RoomRecord]:
        """Return all rooms, by id, or the first *limit* of them."""
        hosts: Any = await self._store.redis.hgetall(keys.ROOMS)
        found = [
            await self._record(RoomId(room_id.decode()), CreatorId(creator_id.decode()))
            for room_id, creator_id in sorted(hosts.items())[:limit]
        ]
        return [room for room in found if room is not None]

    async def _host(self, room_id: RoomId) -> CreatorId | None:
        creator_id: Any = await self._store.redis.hget(keys.ROOMS, room_id)
        return None if creator_id is None else CreatorId(creator_id.decode())

    async def _record(self, room_id: RoomId, creator_id: CreatorId) -> RoomRecord | None:
        """Read a room; None between the two steps of its creation, which its creator will repeat."""
        fields: Any = await self._store.redis.hmget(keys.room(creator_id, room_id), "title", "epoch", "seq")
        title, epoch, seq = fields
        return None if epoch is None else RoomRecord(room_id, creator_id, title.decode(), epoch.decode(), int(seq))
