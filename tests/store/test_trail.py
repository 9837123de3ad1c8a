"""Trails in the store: once per event id whoever asks, the pure trail's answers, and nothing else touched."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import ResponseError

from server.core.ids import OrderId, RoomId, ViewerId
from server.core.orders.trail import EVENTS_OF_ORDER_MAX, ServiceMessage, Trail, TrailEvent, TrailStep
from server.core.refusal import Refused
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.trail import ISVS_MAX, TrailChannel, Trails
from tests.core.orders.test_trail import VECTOR, event
from tests.store.test_subscription import listening
from tests.waiting import PATIENCE_S

ORDER, ANN, ROOM = OrderId("o1"), ViewerId("ann"), RoomId("r1")


@pytest.fixture
async def trails(store: Store, clock: StoreClock) -> Trails:
    """Open the one order's trail on an empty store."""
    opened = Trails(store, clock)
    await opened.open(ORDER, ANN, ROOM)
    return opened


async def everything(store: Store) -> dict[Any, Any]:
    """Return all that is in the store, by key."""
    return {key: await store.redis.dump(key) for key in await store.redis.keys("*")}


@pytest.mark.rule("LT-6")
@pytest.mark.rule("LT-5")
async def test_the_vector_changes_the_trail_and_nothing_else(store: Store, trails: Trails) -> None:
    """Five of six events are there, the repeated one is no news, and no other key has changed."""
    await trails.integrate("wms", integrated=True)
    before = await everything(store)
    news = [(await trails.append(event(step, minute))).news for step, minute in VECTOR]
    assert news == [True] * 5 + [False]
    after = await everything(store)
    assert after.pop(b"{o1}:trail_events")
    assert after == before

    trail = await trails.get(ORDER)
    assert (trail.viewer_id, trail.room_id) == (ANN, ROOM)
    shown = [each.step for each in trail.timeline(await trails.integrated())]
    assert shown == ["paid", "accepted", "picking", "waybill_printed", "packed"]
    assert trail.missing(await trails.integrated()) == [TrailStep.PICKED]


async def test_opening_a_trail_again_changes_nothing(store: Store, trails: Trails) -> None:
    """The same buyer and room are no error; another buyer, or room, is refused."""
    before = await everything(store)
    await trails.open(ORDER, ANN, ROOM)
    for viewer_id, room_id in ((ViewerId("bob"), ROOM), (ANN, RoomId("r2")), (ANN, None)):
        with pytest.raises(Refused) as refused:
            await trails.open(ORDER, viewer_id, room_id)
        assert refused.value.code == "trail_taken"
    assert await everything(store) == before


async def test_an_opening_that_was_cut_off_is_completed_by_its_retry(store: Store, trails: Trails) -> None:
    """Between its two steps the trail takes events, and the buyer's list has it not yet."""
    await store.redis.delete(keys.trails_of(ANN))
    await trails.append(event("paid", 0))
    assert await trails.orders_of(ANN, count=10) == []
    await trails.open(ORDER, ANN, ROOM)
    assert await trails.orders_of(ANN, count=10) == [ORDER]


async def test_a_buyers_orders_come_last_first(store: Store, trails: Trails) -> None:
    """A buyer sees only its own, as many as it asks for; an order made in no room is as good."""
    await trails.open(OrderId("o2"), ANN, None)
    await trails.open(OrderId("o3"), ViewerId("bob"), ROOM)
    await store.redis.zadd(keys.trails_of(ANN), {"o1": 1_000, "o2": 2_000})
    assert await trails.orders_of(ANN, count=10) == ["o2", "o1"]
    assert await trails.orders_of(ANN, count=1) == ["o2"]
    assert (await trails.get(OrderId("o2"))).room_id is None


async def test_an_order_without_a_trail_takes_no_event(store: Store, trails: Trails) -> None:
    """It is not found, and nothing is begun by asking."""
    before = await everything(store)
    unknown = TrailEvent(OrderId("nobody"), TrailStep.PAID, 1, "platform", "e")
    with pytest.raises(Refused) as refused:
        await trails.append(unknown)
    assert refused.value.code == "not_found"
    with pytest.raises(Refused) as refused:
        await trails.get(OrderId("nobody"))
    assert refused.value.code == "not_found"
    assert await everything(store) == before


@pytest.mark.rule("LT-6")
async def test_two_hundred_at_once_append_it_once(trails: Trails) -> None:
    """Of all who report the same event one brings news; of those who give its id to others, all are refused."""
    same = [trails.append(event("packed", 1, event_id="e")) for _ in range(200)]
    assert sum(each.news for each in await asyncio.gather(*same)) == 1
    others = [trails.append(event("picked", n, event_id="e")) for n in range(200)]
    answers = await asyncio.gather(*others, return_exceptions=True)
    assert {each.code for each in answers if isinstance(each, Refused)} == {"event_conflict"}
    assert all(isinstance(each, Refused) for each in answers)


async def test_a_full_trail_says_so(trails: Trails) -> None:
    """Past its bound nothing is appended, though a repetition is answered."""
    for number in range(EVENTS_OF_ORDER_MAX):
        await trails.append(event("picking", number, event_id=f"e{number}"))
    assert not (await trails.append(event("picking", 7, event_id="e7"))).news
    with pytest.raises(Refused) as refused:
        await trails.append(event("picked", 1))
    assert refused.value.code == "trail_full"


REPORTS = st.lists(
    st.builds(
        lambda step, minute, number: event(step, minute, event_id=f"e{number}"),
        st.sampled_from(TrailStep),
        st.integers(0, 3),
        st.integers(0, 5),
    ),
    max_size=25,
)


@pytest.mark.rule("LT-6")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(REPORTS)
async def test_the_store_answers_as_the_pure_trail(trails: Trails, store: Store, reports: list[TrailEvent]) -> None:
    """For events in any order, news, repetitions, refusals and the timeline match the pure trail."""
    await store.redis.delete(keys.trail_events(ORDER))
    pure, integrated = Trail(ORDER, ANN, ROOM), frozenset({"wms"})
    for report in reports:
        answers: list[object] = []
        for append in (pure.append, trails.append):
            try:
                answer = append(report)
                answers.append(answer if isinstance(answer, bool) else (await answer).news)
            except Refused as refused:
                answers.append((refused.code, refused.rule))
        assert answers[0] == answers[1]
        assert (await trails.get(ORDER)).timeline(integrated) == pure.timeline(integrated)


@pytest.mark.parametrize("key", ["{o1}:trail", "{o1}:trail_events"])
async def test_a_key_of_the_wrong_type_stops_the_script(store: Store, trails: Trails, key: str) -> None:
    """Nothing is written beside what is not as the scripts wrote it (F05)."""
    await store.redis.delete(key)
    await store.redis.set(key, "poison")
    before = await everything(store)
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await trails.append(event("paid", 0))
    assert await everything(store) == before


@pytest.mark.rule("LT-4")
async def test_isvs_are_integrated_one_by_one(store: Store, trails: Trails) -> None:
    """None is before somebody says so, and none any more when it is taken back; there is a bound."""
    assert await trails.integrated() == frozenset()
    for integrated, expected in ((True, {"wms"}), (True, {"wms"}), (False, set()), (False, set())):
        await trails.integrate("wms", integrated=integrated)
        assert await trails.integrated() == expected
    await store.redis.sadd(keys.ISVS, *(f"isv{number}" for number in range(ISVS_MAX)))
    await trails.integrate("isv7", integrated=True)
    with pytest.raises(Refused) as refused:
        await trails.integrate("one-more", integrated=True)
    assert refused.value.code == "too_many"


async def test_all_processes_hear_what_is_news(store: Store) -> None:
    """The one that publishes it too: its buyer may be anywhere."""
    message = ServiceMessage(ANN, ORDER, TrailStep.PACKED, 1_700_000_000_000)
    channels, ears = [TrailChannel(store), TrailChannel(store)], [asyncio.Queue[ServiceMessage]() for _ in range(2)]
    for channel, ear in zip(channels, ears, strict=True):
        channel.start(ear.put_nowait)
    await listening(store, keys.TRAILS, 2)
    await channels[0].publish(message)
    async with asyncio.timeout(PATIENCE_S):
        assert [await ear.get() for ear in ears] == [message, message]
    for channel in channels:
        await channel.stop()
