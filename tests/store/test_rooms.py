"""Tests of rooms."""

import asyncio

import pytest

from server.core.ids import CreatorId, PacketId, RoomId
from server.core.refusal import Refused
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.rooms import Rooms

HOST = CreatorId("c1")
ROOM = RoomId("r1")


async def test_a_room_is_created_and_found(store: Store, clock: StoreClock) -> None:
    """It begins with no fact told, and its creator is known from then on."""
    rooms = Rooms(store, clock)
    room = await rooms.create(ROOM, HOST, "七夕 · a live room")

    assert (room.room_id, room.creator_id, room.title, room.seq) == (ROOM, HOST, "七夕 · a live room", 0)
    assert await rooms.get(ROOM) == room
    assert await rooms.list() == [room]
    assert await store.redis.exists(keys.clock_of(HOST))


async def test_creating_a_room_again_changes_nothing(store: Store, clock: StoreClock) -> None:
    """The epoch names the feed, so it must outlive a retry, a second process and a title that is refused."""
    rooms = Rooms(store, clock)
    created = await asyncio.gather(*(rooms.create(ROOM, HOST, "one") for _ in range(10)))
    with pytest.raises(Refused) as refused:
        await rooms.create(ROOM, HOST, "two")
    assert (refused.value.code, refused.value.field) == ("room_taken", "title")
    later = await rooms.create(ROOM, HOST, "")

    assert {*created, later} == {created[0]}


async def test_a_room_of_somebody_else_is_refused(store: Store, clock: StoreClock) -> None:
    """A room's id is taken once, and stays whose it was."""
    rooms = Rooms(store, clock)
    room = await rooms.create(ROOM, HOST, "one")
    with pytest.raises(Refused) as caught:
        await rooms.create(ROOM, CreatorId("c2"), "mine")

    assert caught.value.code == "room_taken"
    assert await rooms.list() == [room]


async def test_a_room_nobody_created_is_none(store: Store, clock: StoreClock) -> None:
    """Asking for it makes none."""
    rooms = Rooms(store, clock)

    assert await rooms.get(ROOM) is None
    assert await rooms.list() == []


async def test_a_creation_that_was_cut_off_is_completed_by_its_retry(store: Store, clock: StoreClock) -> None:
    """Between its two steps a room is none yet."""
    rooms = Rooms(store, clock)
    await store.redis.hset(keys.ROOMS, ROOM, HOST)
    assert await rooms.get(ROOM) is None
    assert await rooms.list() == []

    assert await rooms.create(ROOM, HOST, "one") == await rooms.get(ROOM)


async def test_packets_on_air_come_by_their_warm_up(store: Store, clock: StoreClock) -> None:
    """A viewer who comes in sees them in the order in which they were announced."""
    rooms = Rooms(store, clock)
    room = await rooms.create(ROOM, HOST, "one")
    await store.redis.zadd(keys.on_air(HOST, ROOM), {"c1.b": 2_000, "c1.a": 3_000, "c1.c": 1_000})

    assert await rooms.on_air(room) == [PacketId("c1.c"), PacketId("c1.b"), PacketId("c1.a")]
