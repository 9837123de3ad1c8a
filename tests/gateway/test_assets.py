"""A newcomer that holds shares is sent their count once after its welcome, unless it has left."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from server.core.ids import CreatorId, ViewerId
from server.gateway.assets import BATCH_MAX, WAITING_MAX, AssetDesk
from server.gateway.metrics import Metrics
from server.store import keys
from server.store.assets import Assets
from tests.gateway.house import CREATOR, House
from tests.waiting import until_so

ANN = ViewerId("ann")
TOLD = b'{"type":"assets","count":1}'


class Ear:
    """A connection that keeps what is written to it."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def write(self, frame: bytes) -> None:
        """Keep what a frame says."""
        self.received.append(frame[2:])


class Tallied(Assets):
    """Assets that remember for how many viewers at once they were asked, and can be made to take their time."""

    lots: list[int]
    may_go: asyncio.Event

    async def counts(self, viewer_ids: Sequence[ViewerId], creator_id: CreatorId) -> dict[ViewerId, int]:
        """Count as ever."""
        self.lots.append(len(viewer_ids))
        await self.may_go.wait()
        return await super().counts(viewer_ids, creator_id)


@pytest.fixture
async def assets(house: House) -> Tallied:
    """Return the assets of a store in which Ann holds one share."""
    tallied = Tallied(house.store, house.clock)
    tallied.lots, tallied.may_go = [], asyncio.Event()
    tallied.may_go.set()
    ann = await house.join(ANN)
    packet_id = await house.packet(lead_ms=0)
    await ann.next("open")
    assert (await ann.grab(packet_id))["status"] == "granted"
    return tallied


@pytest.fixture
async def desk(assets: Tallied) -> AsyncIterator[AssetDesk]:
    made = AssetDesk(assets, Metrics())
    yield made
    await made.stop()


async def test_who_holds_packets_is_told_how_many_when_it_comes(house: House) -> None:
    """The welcome omits the count and waits for nobody; a viewer without shares gets no count."""
    ann = await house.join(ANN)
    for _ in range(2):
        packet_id = await house.packet(lead_ms=0)
        while (await ann.next("open"))["packet_id"] != packet_id:
            pass
        assert (await ann.grab(packet_id))["status"] == "granted"
    stranger, back = await house.join("bob"), await house.join(ANN)
    assert (stranger.welcome["assets"], back.welcome["assets"]) == (None, None)
    assert await back.next("assets") == {"type": "assets", "count": 2}
    await house.packet(lead_ms=0)
    await stranger.next("open")
    assert not [text for text in stranger.received if '"type":"assets"' in text]


async def test_a_crowd_is_counted_a_lot_at_a_time(assets: Tallied, desk: AssetDesk) -> None:
    """Viewers without shares get no frame, and the store is asked once per batch."""
    ears = {ViewerId(f"v{n}"): Ear() for n in range(2 * BATCH_MAX)} | {ANN: Ear()}
    for viewer_id, ear in ears.items():
        desk.join(ear, viewer_id, CREATOR)
    await until_so(lambda: bool(ears[ANN].received))
    assert {viewer_id: ear.received for viewer_id, ear in ears.items() if ear.received} == {ANN: [TOLD]}
    assert assets.lots == [BATCH_MAX, BATCH_MAX, 1]


async def test_who_has_left_is_forgotten(assets: Tallied, desk: AssetDesk) -> None:
    """A connection that left is not counted, nor written to after its count; another device is."""
    gone, going, stays = Ear(), Ear(), Ear()
    assets.may_go.clear()
    for ear in (gone, going, stays):
        desk.join(ear, ANN, CREATOR)
    desk.leave(gone, CREATOR)
    await until_so(lambda: bool(assets.lots))
    desk.leave(going, CREATOR)
    assets.may_go.set()
    await until_so(lambda: bool(stays.received))
    desk.leave(stays, CREATOR)
    assert (gone.received, going.received, stays.received) == ([], [], [TOLD])
    assert assets.lots == [1]


async def test_no_more_wait_than_there_is_room_for(assets: Tallied, desk: AssetDesk) -> None:
    """A newcomer that joins a full queue gets no count, but gets one when it joins again."""
    for n in range(WAITING_MAX):
        desk.join(Ear(), ViewerId(f"v{n}"), CreatorId("nobody"))
    late = Ear()
    desk.join(late, ANN, CREATOR)
    await desk.stop()
    assert (late.received, assets.lots) == ([], [])
    desk.join(late, ANN, CREATOR)
    await until_so(lambda: bool(late.received))


async def test_a_broken_store_is_told_and_the_next_one_is_counted(
    house: House, assets: Tallied, desk: AssetDesk
) -> None:
    """A broken claim fails this batch only."""
    told: asyncio.Queue[str] = asyncio.Queue()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.put_nowait(context["message"]))
    await house.store.redis.zadd(keys.packets(CREATOR), {"c1.broken": 1})
    await house.store.redis.hset("{c1}:claims:c1.broken", ANN, "many")
    desk.join(Ear(), ANN, CREATOR)
    assert await told.get() == "newcomers' packets cannot be counted"
    await house.store.redis.zrem(keys.packets(CREATOR), "c1.broken")
    ear = Ear()
    desk.join(ear, ANN, CREATOR)
    await until_so(lambda: bool(ear.received))


async def test_who_leaves_at_once_costs_nobody_a_message(assets: Tallied, desk: AssetDesk) -> None:
    """A creator all of whose newcomers left before their batch is not asked for, and the others are told."""
    faults: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["message"]))
    gone, ear = Ear(), Ear()
    await assets._store.redis.zadd(keys.packets(CreatorId("c0")), {"c0.p": 1})
    desk.join(gone, ViewerId("bob"), CreatorId("c0"))
    desk.join(ear, ANN, CREATOR)
    desk.leave(gone, CreatorId("c0"))
    await until_so(lambda: bool(ear.received))
    assert (ear.received, faults, assets.lots) == ([TOLD], [], [1])
    assert await assets.counts([], CREATOR) == {}


async def test_a_batch_that_fails_costs_no_other_its_message(assets: Tallied, desk: AssetDesk) -> None:
    """Newcomers of another creator wait behind a broken record, and get their count."""
    faults: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["message"]))
    await assets._store.redis.zadd(keys.packets(CreatorId("c0")), {"c0.broken": 1})
    await assets._store.redis.hset("{c0}:claims:c0.broken", ANN, "many")
    ear = Ear()
    desk.join(Ear(), ANN, CreatorId("c0"))
    desk.join(ear, ANN, CREATOR)
    await until_so(lambda: bool(ear.received))
    assert (ear.received, faults) == ([TOLD], ["newcomers' packets cannot be counted"])
