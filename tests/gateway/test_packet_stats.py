"""A packet's effects, counted over real sockets and read back from the store, exactly."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.core.ids import PacketId
from server.core.packets.claim import ClaimStatus
from server.core.packets.packet import Surface
from server.core.packets.packet_stats import PacketStats
from server.store import keys
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from server.store.packet_stats import StatsCounters
from tests.gateway.house import CREATOR, ROOM, House, open_house
from tests.waiting import until_so


@pytest.fixture
async def still(empty_store: Store) -> AsyncIterator[House]:
    """Open a house whose room time stands still until ``at`` moves it."""
    async with open_house(empty_store, speed=0) as opened:
        yield opened


async def at(house: House, room_ms: int) -> None:
    house.clock.record = replace(house.clock.record, origin_ms=room_ms)
    await house.store.redis.hset(keys.clock_of(CREATOR), "origin_ms", str(room_ms))


async def told(house: House, packet_id: PacketId) -> PacketStats:
    await house.gateway.effects.hand_in()
    return await StatsCounters(house.store).of_packet(packet_id, house.clock.room_ms())


def audience(house: House) -> int:
    return house.gateway.audience(ROOM)


@pytest.mark.rule("KS-MON-1")
async def test_two_viewers_and_a_packet(still: House) -> None:
    """One was there and wins, one comes and misses out, one had left before: every number of the funnel, exactly."""
    start_ms = still.clock.room_ms()
    ann = await still.join("ann")
    await at(still, start_ms + 1_000)
    bob = await still.join("bob")
    await at(still, start_ms + 3_000)
    await bob.leave()
    await until_so(lambda: audience(still) == 1)

    packet_id = await still.packet(shares=1, lead_ms=1_000, window_ms=10_000)
    await ann.next("warmup")
    await at(still, start_ms + 3_500)
    cat = await still.join("cat")
    assert [packet["packet_id"] for packet in cat.welcome["packets"]] == [packet_id]
    await at(still, start_ms + 4_000)
    for guest in (ann, cat):
        await guest.next("popup")
    await at(still, start_ms + 4_250)
    for guest, request_id, status in ((ann, "q1", "granted"), (ann, "q2", "repeated"), (cat, "q1", "exhausted")):
        assert (await guest.grab(packet_id, request_id))["status"] == status
    await cat.next("sold_out")
    await at(still, start_ms + 6_000)
    await cat.leave()
    await until_so(lambda: audience(still) == 1)
    await at(still, start_ms + 7_000)

    shown = await told(still, packet_id)
    assert (shown.exposed_viewers, shown.popup_shown, shown.popup_suppressed, shown.widget_clicks) == (2, 2, 0, 0)
    assert shown.grabs == {ClaimStatus.GRANTED: 1, ClaimStatus.REPEATED: 1, ClaimStatus.EXHAUSTED: 1}
    assert (shown.grab_attempts, shown.claims, shown.claim_rate, shown.claimed_amount_fen) == (3, 1, 0.5, 100)
    assert (shown.sold_out_seconds, shown.max_share_fen) == (0.25, 100)
    # Before it ann watched 3 s and bob 2 s, and bob left; with it ann watched 4 s and cat 2.5 s, and cat left.
    assert (shown.watch_seconds_without, shown.watch_seconds) == (5.0, 6.5)
    assert shown.watch_time_uplift == pytest.approx(0.3)
    assert await told(still, packet_id) == shown


@pytest.mark.rule("KS-MON-1")
async def test_a_grab_of_a_packet_on_the_widget_is_a_click(house: House) -> None:
    """Its popup was suppressed for both viewers, and one tapped the widget twice."""
    ann, bob = await house.join("ann"), await house.join("bob")
    packet_id = await house.packet(shares=5, surface=Surface.ASSET_WIDGET)
    for guest in (ann, bob):
        await guest.next("asset_widget")
    await ann.grab(packet_id, "q1")
    await ann.grab(packet_id, "q2")
    shown = await told(house, packet_id)
    assert (shown.popup_shown, shown.popup_suppressed, shown.widget_clicks) == (0, 2, 2)


async def test_viewers_of_two_processes_are_counted_once_each(empty_store: Store) -> None:
    """Each process hands in its own, and the totals are of the room."""
    async with open_house(empty_store) as first, open_house(empty_store) as second:
        guests = [await first.join("ann"), await second.join("bob"), await second.join("cat")]
        packet_id = await first.packet(shares=2)
        for guest in guests:
            await guest.next("popup")
            await guest.grab(packet_id)
        await told(first, packet_id)
        shown = await told(second, packet_id)
        assert (shown.exposed_viewers, shown.popup_shown, shown.grab_attempts, shown.claims) == (3, 3, 3, 2)


@pytest.mark.rule("KS-MON-1")
async def test_a_viewer_counts_once_however_many_connections_it_has(empty_store: Store) -> None:
    """Two devices at one server, a third at another, and a fresh start are one viewer (AMB-51)."""
    async with open_house(empty_store) as first, open_house(empty_store) as second:
        phone, tablet, bob = await first.join("ann"), await first.join("ann"), await first.join("bob")
        packet_id = await first.packet(shares=2)
        elsewhere = await second.join("ann")
        for guest in (phone, tablet, bob, elsewhere):
            await guest.next("popup")
        await phone.leave()
        await tablet.leave()
        await until_so(lambda: audience(first) == 1)
        await first.join("ann")
        await bob.grab(packet_id)
        await told(first, packet_id)
        shown = await told(second, packet_id)
        assert (shown.exposed_viewers, shown.claims, shown.claim_rate) == (2, 1, 0.5)
        assert await empty_store.redis.hget(keys.effects_of(packet_id), "left") == b"1"


async def test_who_comes_back_is_not_exposed_again(house: House) -> None:
    """One resumes having received the warm-up; another was away when it was told, and is exposed as it comes back."""
    ann, bob = await house.join("ann"), await house.join("bob")
    epoch, before = bob.welcome["epoch"], bob.welcome["seq"]
    await bob.leave()
    await until_so(lambda: audience(house) == 1)
    packet_id = await house.packet()
    received = (await ann.next("warmup"))["seq"]
    await ann.leave()
    await house.join("ann", f"&epoch={epoch}&seq={received}")
    assert (await told(house, packet_id)).exposed_viewers == 1
    await house.join("bob", f"&epoch={epoch}&seq={before}")
    assert (await told(house, packet_id)).exposed_viewers == 2


async def test_made_up_packets_leave_no_trace(house: House) -> None:
    """Grabs of ids that nobody has, and a room in which nothing is on air, write nothing."""
    ann = await house.join("ann")
    for made_up in ("c1.nothing", "nobody", "c9.p1"):
        assert (await ann.grab(PacketId(made_up)))["status"] == "not_found"
    await house.gateway.effects.hand_in()
    redis: Any = house.store.redis
    assert await redis.keys("*:effects*") == []


async def test_what_was_counted_is_handed_in_by_itself_and_when_the_server_stops(empty_store: Store) -> None:
    """Nobody asks: the timer does it; and what came in the last second is not lost by a stop."""
    counters = StatsCounters(empty_store)
    async with open_house(empty_store) as house:
        ann = await house.join("ann")
        packet_id = await house.packet()
        await ann.next("popup")

        async def shown() -> bool:
            return bool((await counters.of_packet(packet_id, 0)).popup_shown)

        await until_so(shown)
        await ann.grab(packet_id, "q1")
        await ann.next("sold_out")
        await ann.grab(packet_id, "q2")
    assert (await counters.of_packet(packet_id, 0)).grab_attempts == 2


async def test_a_stop_drives_nobody_out(empty_store: Store) -> None:
    """Of two viewers one leaves and the other is removed as the server stops: one counts as left."""
    async with open_house(empty_store) as house:
        ann, bob = await house.join("ann"), await house.join("bob")
        packet_id = await house.packet()
        for guest in (ann, bob):
            await guest.next("popup")
        await ann.leave()
        await until_so(lambda: audience(house) == 1)
        house.server.should_exit = True
        await until_so(lambda: audience(house) == 0)
    assert await empty_store.redis.hget(keys.effects_of(packet_id), "left") == b"1"


async def test_a_store_that_is_away_is_no_fault(tmp_path: Path) -> None:
    """Counts made while the store is unavailable are lost, later ones are not."""
    running = EmbeddedStore.start(tmp_path, durability=Durability.RELAXED)
    try:
        store = await Store.connect(running.url, durability=Durability.RELAXED)
        async with open_house(store) as house:
            ann = await house.join("ann")
            packet_id = await house.packet()
            await ann.next("popup")
            running.stop()
            lost = house.gateway.metrics.store_unavailable
            await house.gateway.effects.hand_in()
            assert house.gateway.metrics.store_unavailable > lost
            running = EmbeddedStore.start(tmp_path, durability=Durability.RELAXED)
            second = await house.packet()
            await ann.next("popup")
            assert (await told(house, second)).popup_shown == 1
            assert (await told(house, packet_id)).popup_shown == 0
        await store.close()
    finally:
        running.stop()
