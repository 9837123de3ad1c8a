"""All live rooms: opened once, found when asked for, kept in step with the store."""

import asyncio

from server.core.ids import RequestId, RoomId, ViewerId
from server.core.packets.claim import ClaimStatus, Grab
from server.store.connection import Store
from tests.gateway.house import CREATOR, House, open_house
from tests.waiting import until_so

R2 = RoomId("r2")


async def test_a_room_is_opened_once_however_many_ask(house: House) -> None:
    """Concurrent viewers of a room that is not open yet get one room."""
    await house.rooms.create(R2, CREATOR, "another")
    found = await asyncio.gather(*(house.gateway.find_room(R2) for _ in range(50)))
    assert found[0] is not None
    assert {id(room) for room in found} == {id(found[0])}


async def test_a_room_that_is_not_there_is_not_found(house: House) -> None:
    """Asking for an unknown room makes none."""
    assert await house.gateway.find_room(RoomId("nowhere")) is None
    assert house.gateway.room(RoomId("nowhere")) is None


async def test_a_room_opened_elsewhere_comes_to_life_by_its_bell(empty_store: Store) -> None:
    """A launch in a room that this process does not know yet opens it here too."""
    async with open_house(empty_store) as house:
        house.room = await house.rooms.create(R2, CREATOR, "another")
        assert house.gateway.room(R2) is None
        await house.packet(lead_ms=5_000)
        await until_so(lambda: house.gateway.room(R2) is not None)


async def test_rooms_of_the_store_are_live_from_the_start(house: House) -> None:
    """A server serves the rooms that exist, whether or not anybody watches."""
    assert house.gateway.room(house.room.room_id) is not None


async def test_a_packets_other_allocator_is_remembered(house: House) -> None:
    """Looking a packet up tells which allocator answers for it: here one that this server does not run."""
    live = house.gateway.room(house.room.room_id)
    assert live is not None
    packet_id = await house.packet(lead_ms=5_000)
    await house.store.redis.hset(f"{{{CREATOR}}}:packet:{packet_id}", "allocator", "naive")
    await live.look_up(packet_id)
    allocator = house.allocators.of(packet_id)
    assert allocator is not house.default
    [claim] = await allocator.claim(packet_id, house.room.room_id, [Grab(ViewerId("v1"), RequestId("q1"))])
    assert claim.status == ClaimStatus.UNAVAILABLE
