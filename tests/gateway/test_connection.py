"""Connections, over real sockets: what viewers may write, and what they may not."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from websockets.exceptions import ConnectionClosedError

from server.core.ids import PacketId, RoomId
from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.core.rooms.session import SessionLimits
from server.gateway.frames import text_frame
from server.gateway.grabs import GrabDesk
from server.gateway.limits import PRODUCTION
from server.store.allocators.port import Allocator
from server.store.connection import Store
from tests.gateway.house import CREATOR, House, grab_text, masked, open_house
from tests.waiting import PATIENCE_S, until_so


class Slow(Allocator):
    """The allocator, once it is let go."""

    def __init__(self, allocator: Allocator) -> None:
        self.allocator = allocator
        self.go = asyncio.Event()

    async def claim(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        await self.go.wait()
        return await self.allocator.claim(packet_id, room_id, grabs)


PING = b'{"type":"ping","client_ms":7}'


async def test_a_packet_is_grabbed_in_its_own_room_only(empty_store: Store) -> None:
    """
    Over a connection to another room a packet is not found, for its winner too, and nothing is written (AMB-46).

    That holds whether the process knows the packet's room or must ask the store, as one that serves another room does.
    """
    async with open_house(empty_store) as house:
        there = await house.rooms.create(RoomId("r2"), CREATOR, "another")
        packet_id = await house.packet(2)
        inside, outside = await house.join("ann"), await house.join("ann", room=there.room_id)
        await inside.next("open")
        for known in (True, False):
            if not known:
                house.gateway.desk = GrabDesk(
                    asyncio.get_running_loop(), house.allocators.of, lambda _: None, house.gateway.metrics
                )
                assert (await inside.grab(packet_id, "mine"))["status"] == "granted"
            for request_id in ("mine", "another"):
                receipt = await outside.grab(packet_id, request_id)
                assert (receipt["status"], receipt["amount_fen"]) == ("not_found", None)
            assert (await house.packets.counts(packet_id)).given == (0 if known else 1)
        assert house.allocators.room_of(packet_id) == house.room.room_id


@pytest.mark.parametrize("joined", [1, 2])
async def test_pongs_count_as_messages(empty_store: Store, joined: int) -> None:
    """Pongs that nobody asked for spend the same allowance as messages, whether they come one by one or together."""
    few = replace(PRODUCTION, session=SessionLimits(messages_max=4))
    async with open_house(empty_store, few) as house:
        guest = await house.raw()
        for _ in range(6):
            guest.writer.write(masked(b"", head=0x8A) * joined)
            await asyncio.sleep(0.01)  # a read each
        assert await guest.close_code() == 1008


async def test_the_tenth_malformed_message_closes(house: House) -> None:
    """Nine malformed messages get an error; the tenth also closes the connection with 1008."""
    guest = await house.join("v1")
    for _ in range(9):
        await guest.socket.send("nonsense")
        assert (await guest.next("error"))["code"] == "malformed_json"
    await guest.socket.send(PING.decode())
    await guest.next("pong")
    await guest.socket.send('{"type":"dance"}')
    assert (await guest.next("error"))["code"] == "unknown_type"
    with pytest.raises(ConnectionClosedError) as closed:
        await guest.next("anything")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert house.gateway.metrics.malformed == 10


async def test_a_flood_is_turned_away_and_then_cut_off(empty_store: Store) -> None:
    """Past its messages a connection's grabs are refused without the store, and past its refusals it is closed."""
    limits = replace(PRODUCTION, session=SessionLimits(messages_max=5, excess_max=3))
    async with open_house(empty_store, limits) as house:
        packet_id = await house.packet(lead_ms=60_000)
        guest = await house.join("v1")
        for number in range(5):
            assert (await guest.grab(packet_id, f"q{number}"))["status"] == "too_early"
        calls = house.default.store_calls
        for number in range(2):
            assert (await guest.grab(packet_id, f"more{number}"))["status"] == "rate_limited"
        await guest.socket.send(PING.decode())
        with pytest.raises(ConnectionClosedError, match="1008"):
            await guest.next("receipt")
        assert house.default.store_calls == calls
        assert house.gateway.metrics.grabs[ClaimStatus.RATE_LIMITED] == 2


async def test_a_viewer_too_far_behind_is_cut_off(empty_store: Store) -> None:
    """A viewer that does not read is disconnected once its outbox is full, and uses no more memory."""
    async with open_house(empty_store, replace(PRODUCTION, outbox_bytes_max=64 * 1024)) as house:
        guest = await house.raw("sleeper")
        live = house.gateway.room(house.room.room_id)
        assert live is not None
        for _ in range(2_000):
            live.audience.publish(b"\x81\x7e\x40\x00" + b"x" * 0x4000)
            await asyncio.sleep(0)
            if not house.gateway.metrics.connected:
                break
        assert house.gateway.metrics.too_slow == 1
        assert len(live.audience) == 0
        assert await guest.close_code() == 4008


async def test_a_viewer_who_stops_reading_misses_comments_but_no_fact(empty_store: Store) -> None:
    """A slow consumer gets no comments; once it reads again it has all facts in order, and new comments."""
    async with open_house(empty_store) as house:
        sleeper = await house.raw("sleeper")
        live = house.gateway.room(house.room.room_id)
        assert live is not None
        metrics, comments = house.gateway.metrics, 0
        while not metrics.messages_dropped:
            live.audience.publish_soon(text_frame(b'{"type":"comments","comments":[%s]}' % (b" " * 0x4000)))
            live.audience.flush()
            comments += 1
            await asyncio.sleep(0)
        for seq in range(200):
            live.audience.publish(text_frame(b'{"type":"open","seq":%d}' % seq))
            live.audience.publish_soon(text_frame(b'{"type":"comments","comments":[]}'))
            live.audience.flush()
        assert metrics.messages_dropped == 201

        received = [await sleeper.message() for _ in range(comments - 1 + 200)]
        assert [message["seq"] for message in received if message["type"] == "open"] == list(range(200))
        live.audience.publish_soon(text_frame(b'{"type":"comments","comments":["back"]}'))
        assert (await sleeper.message())["comments"] == ["back"]
        assert metrics.too_slow == 0


async def test_receipts_on_their_way_arrive_before_the_server_goes(house: House) -> None:
    """A shutdown answers the grabs it has taken, then closes with 1012."""
    slow = Slow(house.default)
    house.gateway.desk = GrabDesk(
        asyncio.get_running_loop(), lambda _: slow, house.allocators.room_of, house.gateway.metrics
    )
    packet_id = await house.packet(lead_ms=60_000)
    guest = await house.join("v1")
    for number in range(2):
        await guest.socket.send(grab_text(packet_id, f"q{number}"))
    await until_so(lambda: house.gateway.metrics.frames_in == 2)
    for connection in list(house.server.server_state.connections):
        connection.shutdown()
    slow.go.set()
    assert [(await guest.next("receipt"))["status"] for _ in range(2)] == ["too_early"] * 2
    with pytest.raises(ConnectionClosedError, match="1012"):
        await guest.next("anything")


async def test_a_lost_connection_leaves_nothing_behind(house: House) -> None:
    """A viewer whose socket dies without a word is gone from the audience, the registry and the quotas."""
    guest = await house.raw()
    assert house.gateway.audience(house.room.room_id) == 1
    guest.writer.transport.abort()
    await until_so(lambda: not house.server.server_state.connections)
    assert house.gateway.audience(house.room.room_id) == 0
    assert house.gateway.metrics.connected == 0


async def test_the_silent_are_pinged_and_the_dead_cut_off(house: House) -> None:
    """A connection silent for a turn gets a ping; one that answers stays, one that does not is aborted."""
    alive, dead = await house.join("alive"), await house.raw("dead")
    keepalive = house.gateway.keepalive
    for turns in range(4):
        for _ in range(house.gateway.limits.keepalive_s):
            keepalive.turn()
        if turns < 3:
            await alive.socket.send(PING.decode())
            await alive.next("pong")
    assert (await dead.frame()) == (9, b"")
    assert await asyncio.wait_for(dead.reader.read(), PATIENCE_S) == b""
    assert house.gateway.metrics.connected == 1
