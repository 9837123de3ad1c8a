"""Tests of the feed: what may be told, when, once, and in which order it is read back."""

import asyncio
from typing import Any, cast

import pytest

from server.core.ids import CreatorId, PacketId, RoomId
from server.core.refusal import Refused
from server.core.rooms.feed import Cue, FactKind, FeedEntry
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.feed import FROM_THE_START, Announced, AnnounceOutcome, Feed, FeedFollower
from server.store.rooms import RoomRecord, Rooms
from tests.waiting import PATIENCE_S, until_so

HOST = CreatorId("c1")
PACKET = PacketId("c1.p1")
WARMUP_MS, GRAB_MS, END_MS = 1_000_000, 1_060_000, 1_120_000
TELLS_IN_ORDER = ["warmup", "open", "sold_out", "closed", "result"]

REFUSED = Announced(AnnounceOutcome.REFUSED, 0)
TOO_EARLY = Announced(AnnounceOutcome.TOO_EARLY, 0)


class Stage:
    """A room with one packet written by hand, and a clock that stands where a test puts it."""

    def __init__(self, store: Store, room: RoomRecord) -> None:
        self.store = store
        self.room = room
        self.feed = Feed(store)

    async def at(self, room_ms: int) -> None:
        await self.store.redis.hset(
            keys.clock_of(HOST), mapping={"origin_ms": str(room_ms), "started_ms": "0", "speed": "0"}
        )

    async def packet(self, **fields: str | int) -> None:
        await self.store.redis.hset(keys.packet(PACKET), mapping={name: str(value) for name, value in fields.items()})

    async def tell(self, kind: str, **body: Any) -> Announced:
        return await self.feed.announce(self.room, Cue(cast(FactKind, kind), PACKET, body))

    async def entries(self) -> list[FeedEntry]:
        return await self.feed.read(self.room, FROM_THE_START)


@pytest.fixture
async def stage(store: Store) -> Stage:
    """Set a room with a launched packet, a millisecond before its warm-up."""
    clock = await StoreClock.open(store, speed=0, origin_ms=0)
    made = Stage(store, await Rooms(store, clock).create(RoomId("r1"), HOST, "one"))
    await made.packet(
        state="launched",
        warmup_at_ms=WARMUP_MS,
        grab_at_ms=GRAB_MS,
        claim_end_at_ms=END_MS,
        given=0,
        share_count=10,
    )
    await made.at(WARMUP_MS - 1)
    return made


@pytest.mark.parametrize(("kind", "due_ms"), [("warmup", WARMUP_MS), ("open", GRAB_MS), ("closed", END_MS)])
async def test_a_fact_is_refused_one_millisecond_before_its_time(stage: Stage, kind: str, due_ms: int) -> None:
    """The store's clock decides; at the very millisecond it is told."""
    for before in TELLS_IN_ORDER[: TELLS_IN_ORDER.index(kind)]:
        await stage.at(END_MS)
        await stage.tell(before)
    await stage.at(due_ms - 1)
    assert await stage.tell(kind) == TOO_EARLY
    told = len(await stage.entries())

    await stage.at(due_ms)
    assert await stage.tell(kind) == Announced(AnnounceOutcome.ANNOUNCED, told + 1)


async def test_a_fact_is_told_once_however_many_propose_it(stage: Stage) -> None:
    """The first wins, the others hear its number."""
    await stage.at(WARMUP_MS)
    answers = await asyncio.gather(*(stage.tell("warmup", by=n) for n in range(50)))

    assert sorted(answer.outcome for answer in answers) == ["already"] * 49 + ["announced"]
    assert {answer.seq for answer in answers} == {1}
    assert len(await stage.entries()) == 1


async def test_a_packets_whole_life_is_told_in_order(stage: Stage) -> None:
    """Numbers have no gap, times are the store's, bodies come back as they went in."""
    await stage.at(END_MS)
    await stage.tell("warmup", packet={"name": "红包", "total_fen": 2**53 - 1})
    await stage.tell("open")
    await stage.packet(given=10)
    await stage.tell("sold_out", elapsed_ms=12)
    await stage.at(END_MS + 1)
    await stage.tell("closed")
    await stage.packet(state="settled")
    await stage.tell("result")
    entries = await stage.entries()

    assert [entry.kind for entry in entries] == TELLS_IN_ORDER
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.at_ms for entry in entries] == [END_MS] * 3 + [END_MS + 1] * 2
    assert entries[0].body == {"packet": {"name": "红包", "total_fen": 2**53 - 1}}
    assert {entry.packet_id for entry in entries} == {PACKET}


async def test_room_time_beyond_32_bits_keeps_every_digit(stage: Stage) -> None:
    """Lua's numbers are doubles, and a careless one turns into 1.7e+12."""
    now_ms = 1_795_295_560_987_654
    await stage.at(now_ms)
    await stage.tell("warmup")

    assert [entry.at_ms for entry in await stage.entries()] == [now_ms]


async def test_room_time_runs_at_the_clocks_speed(stage: Stage) -> None:
    """A running clock tells a fact between the estimates around it."""
    await stage.store.redis.delete(keys.CLOCK)
    clock = await StoreClock.open(stage.store, speed=3_600, origin_ms=WARMUP_MS)
    await clock.copy_to(HOST)
    error_ms = clock.error_ms * clock.record.speed
    before_ms = clock.room_ms()
    await stage.tell("warmup")
    after_ms = clock.room_ms()
    [entry] = await stage.entries()

    assert before_ms - error_ms <= entry.at_ms <= after_ms + error_ms


async def test_what_comes_before_must_have_been_told(stage: Stage) -> None:
    """No opening without a warm-up, no closing without an opening, no result without a closing."""
    await stage.at(END_MS)
    assert await stage.tell("open") == REFUSED
    assert await stage.tell("closed") == REFUSED
    await stage.packet(state="settled")
    assert await stage.tell("result") == REFUSED
    assert await stage.entries() == []


async def test_sold_out_is_told_only_when_it_is_true(stage: Stage) -> None:
    """Every share given, the opening told, the closing not yet."""
    await stage.at(END_MS)
    await stage.packet(given=10)
    await stage.tell("warmup")
    assert await stage.tell("sold_out") == TOO_EARLY
    await stage.tell("open")
    await stage.packet(given=9)
    assert await stage.tell("sold_out") == REFUSED
    await stage.packet(given=10)
    await stage.tell("closed")
    assert await stage.tell("sold_out") == REFUSED


async def test_a_voided_packet_is_told_as_nothing_but_voided(stage: Stage) -> None:
    """A process that has not heard of it yet opens nothing."""
    await stage.at(END_MS)
    await stage.tell("warmup")
    assert await stage.tell("voided") == REFUSED
    await stage.packet(state="voided", given=10)

    assert [await stage.tell(kind) for kind in ("open", "sold_out", "closed", "result")] == [REFUSED] * 4
    assert await stage.tell("voided", reason="host") == Announced(AnnounceOutcome.ANNOUNCED, 2)
    assert (await stage.tell("warmup")).outcome == AnnounceOutcome.ALREADY


async def test_a_result_needs_a_settled_packet(stage: Stage) -> None:
    """The seed is not shown while shares may still be given."""
    await stage.at(END_MS)
    for kind in ("warmup", "open", "closed"):
        await stage.tell(kind)
    assert await stage.tell("result") == REFUSED
    await stage.packet(state="settled")
    assert await stage.tell("result") == Announced(AnnounceOutcome.ANNOUNCED, 4)


@pytest.mark.parametrize("kind", ["warmup", "popup", "", "launched"])
async def test_drafts_and_unknown_kinds_are_refused(stage: Stage, kind: str) -> None:
    """Nothing is told of a packet that has no schedule, and nothing that is no fact."""
    await stage.at(END_MS)
    await stage.packet(state="draft" if kind == "warmup" else "launched")

    assert await stage.tell(kind) == REFUSED
    assert await stage.entries() == []


async def test_packets_and_rooms_nobody_made_are_refused(stage: Stage) -> None:
    """A cue from a store's earlier life writes nothing into this one."""
    await stage.at(END_MS)
    assert await stage.feed.announce(stage.room, Cue(FactKind.WARMUP, PacketId("c1.other"), {})) == REFUSED
    elsewhere = RoomRecord(RoomId("r2"), HOST, "", "", 0)
    assert await stage.feed.announce(elsewhere, Cue(FactKind.WARMUP, PACKET, {})) == REFUSED
    with pytest.raises(Refused):
        await stage.feed.announce(stage.room, Cue(FactKind.WARMUP, PacketId("nobody"), {}))
    assert not await stage.store.redis.exists(keys.feed(HOST, RoomId("r2")))


@pytest.mark.parametrize("poisoned", ["packet", "room", "feed", "cues"])
async def test_a_key_of_the_wrong_type_stops_the_script_before_its_first_write(stage: Stage, poisoned: str) -> None:
    """Nothing that can fail comes after the first write (F05)."""
    names = {
        "packet": keys.packet(PACKET),
        "room": keys.room(HOST, stage.room.room_id),
        "feed": keys.feed(HOST, stage.room.room_id),
        "cues": keys.cues(HOST, stage.room.room_id),
    }
    await stage.at(END_MS)
    await stage.store.redis.delete(names[poisoned])
    await stage.store.redis.set(names[poisoned], "poison")
    before = {name: await stage.store.redis.dump(name) for name in names.values()}
    with pytest.raises(Exception, match="WRONGTYPE"):
        await stage.tell("warmup")

    assert {name: await stage.store.redis.dump(name) for name in names.values()} == before


async def test_a_feed_is_read_in_pages(stage: Stage) -> None:
    """Each page begins after the last entry of the one before."""
    await stage.at(END_MS)
    for kind in ("warmup", "open", "closed"):
        await stage.tell(kind)
    first = await stage.feed.read(stage.room, FROM_THE_START, 2)
    second = await stage.feed.read(stage.room, first[-1].entry_id, 2)

    assert [entry.seq for entry in first + second] == [1, 2, 3]
    assert await stage.feed.read(stage.room, second[-1].entry_id, 2) == []


async def append(store: Store, room: RoomRecord, number: int, *, ring: bool = True) -> None:
    """Append entry *number* to a feed by hand, as scripts do."""
    fields = {"kind": "launched", "packet_id": PACKET, "seq": "0", "at_ms": str(number), "body": "{}"}
    await store.redis.xadd(keys.feed(HOST, room.room_id), fields)  # type: ignore[arg-type]
    if ring:
        await store.redis.publish(keys.BELL, room.room_id)


async def test_a_follower_delivers_every_entry_once_and_in_order(stage: Stage) -> None:
    """Several rooms, rung and not, from different starting points."""
    rooms = [RoomRecord(RoomId(f"r{n}"), HOST, "", "", 0) for n in range(3)]
    heard: dict[str, list[int]] = {room.room_id: [] for room in rooms}
    for number in range(5):
        await append(stage.store, rooms[0], number)
    after = (await stage.feed.read(rooms[0], FROM_THE_START))[2].entry_id
    follower = FeedFollower(stage.store, stage.feed)
    for room, start in zip(rooms, [after, FROM_THE_START, FROM_THE_START], strict=True):
        follower.follow(room, start, lambda entries: heard[entries[0].room_id].extend(entry.at_ms for entry in entries))
    await follower.start()
    for number in range(5, 105):
        await asyncio.gather(*(append(stage.store, room, number, ring=number % 3 > 0) for room in rooms))
    await until_so(lambda: sum(map(len, heard.values())) >= 302)
    await follower.stop()

    assert heard == {"r0": list(range(3, 105)), "r1": list(range(5, 105)), "r2": list(range(5, 105))}


async def test_a_follower_pages_through_a_long_feed(stage: Stage) -> None:
    """More entries than one answer holds arrive all the same."""
    numbers: list[int] = []
    pipeline = stage.store.redis.pipeline(transaction=False)
    for number in range(2_500):
        fields = {"kind": "launched", "packet_id": PACKET, "seq": "0", "at_ms": str(number), "body": "{}"}
        pipeline.xadd(keys.feed(HOST, stage.room.room_id), fields)  # type: ignore[arg-type]
    await pipeline.execute()
    follower = FeedFollower(stage.store, stage.feed)
    follower.follow(stage.room, FROM_THE_START, lambda entries: numbers.extend(entry.at_ms for entry in entries))
    await follower.start()
    await until_so(lambda: len(numbers) >= 2_500)
    await follower.stop()

    assert numbers == list(range(2_500))


async def test_a_ring_for_an_unknown_room_is_handed_on(stage: Stage) -> None:
    """Another process opened it; once followed, its ring brings its entries."""
    new: list[str] = []
    told: list[FeedEntry] = []
    follower = FeedFollower(stage.store, stage.feed, on_new_room=new.append)
    await follower.start()
    while not new:
        await append(stage.store, stage.room, 1)
        await asyncio.sleep(0.01)  # each append rings
    follower.follow(stage.room, FROM_THE_START, told.extend)
    await until_so(lambda: len(told) >= 1)
    await follower.stop()

    assert set(new) == {stage.room.room_id}


async def test_a_lost_ring_costs_a_look_and_nothing_else(stage: Stage) -> None:
    """Nobody rings, and the entry comes."""
    told: list[FeedEntry] = []
    follower = FeedFollower(stage.store, stage.feed)
    follower.follow(stage.room, FROM_THE_START, told.extend)
    await follower.start()
    await until_so(follower.is_fresh)
    await append(stage.store, stage.room, 7, ring=False)
    await until_so(lambda: len(told) > 0)
    await follower.stop()

    assert [entry.at_ms for entry in told] == [7]


async def test_a_follower_has_heard_only_while_it_follows(stage: Stage) -> None:
    """Before the first look and after the last it knows nothing."""
    follower = FeedFollower(stage.store, stage.feed)
    assert not follower.is_fresh()
    await follower.start()
    await until_so(follower.is_fresh)
    await follower.stop()
    assert not follower.is_fresh()


async def test_a_follower_stops_whatever_it_is_doing(stage: Stage) -> None:
    """Stopped after any number of steps, it ends and delivers nothing more."""
    for steps in range(120):
        follower = FeedFollower(stage.store, stage.feed)
        follower.follow(stage.room, FROM_THE_START, lambda _: None)
        await follower.start()
        for _ in range(steps % 40):
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            await follower.stop()
        assert not follower.is_fresh()
