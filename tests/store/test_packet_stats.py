"""Effects in the store: totals that only add up, and what is read of them for a packet, a creator and a list."""

from dataclasses import asdict
from typing import Any

import orjson
import pytest

from server.core.ids import OrderId, PacketId, packet_id_of
from server.core.packets.claim import ClaimStatus
from server.core.refusal import Refused
from server.store import keys
from server.store import packet_stats as module
from server.store.allocators.default import DefaultAllocator
from server.store.connection import Store
from server.store.packet_stats import StatsCounters, grabs_field
from tests.store.desk import GRAB_AT_MS, NOW_MS, ROOM, WARMUP_AT_MS, Desk, crowd
from tests.store.shop import HORIZON_MS, LI, START_MS, Shop, a_purchase


@pytest.fixture
async def shop(store: Store) -> Shop:
    """Open a shop on an empty store."""
    return await Shop.open(store)


async def an_order(
    desk: Desk, order_id: str, *, at_ms: int, paid: tuple[int, ...], state: str = "paid", packets: tuple[str, ...] = ()
) -> None:
    """Write of an order what effects read of it."""
    doc = {"quote": {"paid_by_line": paid}, "packets": [{"asset_id": each} for each in packets]}
    redis: Any = desk.store.redis
    await redis.hset(keys.order(desk.creator_id, OrderId(order_id)), mapping={"state": state, "doc": orjson.dumps(doc)})
    await redis.zadd(keys.orders(desk.creator_id), {order_id: at_ms})


async def grabbed(desk: Desk, packet_id: PacketId, viewers: int) -> None:
    allocator = DefaultAllocator(desk.store, desk.clock, lambda: True)
    await allocator.claim(packet_id, ROOM, crowd(viewers))
    await allocator.caught_up()


async def test_counts_of_several_processes_add_up(desk: Desk) -> None:
    """Counts of all processes are added; a sell-out is noted once, by the first."""
    packet_id = await desk.open_packet([100])
    first, second = StatsCounters(desk.store), StatsCounters(desk.store)
    granted, exhausted = grabs_field(ClaimStatus.GRANTED), grabs_field(ClaimStatus.EXHAUSTED)
    await first.add({packet_id: {"exposed": 2, granted: 1}}, {packet_id: 1_500})
    await second.add({packet_id: {"exposed": 3, exhausted: 4}}, {packet_id: 1_700})
    told = await first.of_packet(packet_id, GRAB_AT_MS)
    assert (told.exposed_viewers, told.grab_attempts, told.sold_out_seconds) == (5, 5, 1.5)
    assert told.grabs == {ClaimStatus.GRANTED: 1, ClaimStatus.EXHAUSTED: 4}
    assert told.widget_clicks == 0


async def test_counts_of_several_creators_go_where_they_belong(desk: Desk) -> None:
    """One call adds for packets of two creators, each under its own tag; of nothing nothing is written."""
    other = await Desk.open(desk.store, "c2")
    ours, theirs = await desk.open_packet([100]), await other.open_packet([100])
    counters = StatsCounters(desk.store)
    before = await desk.state()
    await counters.add({}, {})
    assert await desk.state() == before
    await counters.add({theirs: {"exposed": 1}, ours: {"exposed": 2}}, {theirs: 9})
    assert (await counters.of_creator(desk.creator_id, GRAB_AT_MS)).exposed_viewers == 2
    assert (await counters.of_creator(other.creator_id, GRAB_AT_MS)).exposed_viewers == 1


@pytest.mark.rule("KS-MON-1")
async def test_claims_of_a_packet_are_told_as_they_are(desk: Desk) -> None:
    """Of three shares two are taken: their sum, mean and best, and what is best changes with the next claim."""
    packet_id = await desk.open_packet([100, 301, 500])
    counters = StatsCounters(desk.store)
    nothing = await counters.of_packet(packet_id, GRAB_AT_MS)
    assert (nothing.claims, nothing.avg_share_fen, nothing.max_share_fen, nothing.best_luck) == (0, None, None, [])
    await grabbed(desk, packet_id, 2)
    told = await counters.of_packet(packet_id, GRAB_AT_MS)
    assert (told.claims, told.claim_viewers, told.claimed_amount_fen, told.avg_share_fen) == (2, 2, 401, 201)
    assert told.best_luck is not None
    assert [(best.amount_fen, best.index) for best in told.best_luck] == [(301, 1), (100, 0)]
    await grabbed(desk, packet_id, 3)
    assert (await counters.of_packet(packet_id, GRAB_AT_MS)).max_share_fen == 500


async def test_too_many_claims_are_looked_through_once_no_more_can_come(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a packet with more than that still gives, the best are not known; when it is empty, they are."""
    monkeypatch.setattr(module, "CLAIMS_LOOKED_THROUGH_MAX", 1)
    packet_id = await desk.open_packet([100, 301, 500])
    counters = StatsCounters(desk.store)
    await grabbed(desk, packet_id, 2)
    assert (await counters.of_packet(packet_id, GRAB_AT_MS)).best_luck is None
    await grabbed(desk, packet_id, 3)
    assert (await counters.of_packet(packet_id, GRAB_AT_MS)).max_share_fen == 500


@pytest.mark.rule("KS-MON-1")
async def test_viewers_are_told_apart_up_to_a_number(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all processes each counts once (AMB-51); of more than that each process counts its own."""
    monkeypatch.setattr(module, "EXPOSED_EXACT_MAX", 4)
    monkeypatch.setattr(module, "EXPOSED_AT_ONCE", 2)
    packet_id = await desk.open_packet([100])
    seen = []
    for viewers in (["a", "b", "c"], ["c", "b", "d"], ["d", "e"], []):
        await StatsCounters(desk.store).expose({packet_id: viewers})
        seen.append((await StatsCounters(desk.store).of_packet(packet_id, GRAB_AT_MS)).exposed_viewers)
    assert seen == [3, 4, 6, 6]
    assert await desk.store.redis.ttl(keys.exposed(packet_id)) > 0


@pytest.mark.rule("KS-MON-1")
async def test_what_orders_brought(desk: Desk) -> None:
    """Totals of orders and states of shares are told as they stand in the store."""
    packet_id = await desk.open_packet([100, 300])
    await grabbed(desk, packet_id, 2)
    redis: Any = desk.store.redis
    brought = {"attributed_orders": 2, "gmv_fen": 9_000, "redeemed": 2, "redeemed_fen": 360, "refund_fen": 500}
    brought |= {"commission_fen": 100, "estimated_fen": 1_900, "estimate_over_fen": 150}
    for key in (keys.effects_of(packet_id), keys.effects(desk.creator_id)):
        await redis.hset(key, mapping=brought)
    stock = {"locked": 1, "locked_fen": 100, "redeemed": 1, "redeemed_fen": 180, "final": 1, "final_fen": 120}
    await redis.hset(keys.packet(packet_id), mapping=stock)
    counters = StatsCounters(desk.store)
    for told in (
        await counters.of_packet(packet_id, GRAB_AT_MS),
        await counters.of_creator(desk.creator_id, GRAB_AT_MS),
    ):
        assert (told.attributed_orders, told.gmv_attributed_fen, told.refund_amount_fen) == (2, 8_500, 500)
        assert (told.cost_fen, told.roi, told.estimated_commission_fen) == (360, 8_500 / 360, 1_850)
        assert (told.locked, told.locked_amount_fen, told.redeemed_count, told.redeemed_amount_fen) == (1, 100, 2, 300)
        assert told.redemption_rate == 1.0


@pytest.mark.rule("KS-MON-1")
async def test_the_increment_is_over_the_same_length_of_time_before_the_warm_up(desk: Desk) -> None:
    """Two room minutes after the warm-up count the two before it: paid orders without packets, and no others."""
    packet_id = await desk.open_packet([100])
    counters = StatsCounters(desk.store)
    await desk.store.redis.hset(keys.effects_of(packet_id), "gmv_fen", "5000")
    before_ms, now_ms = WARMUP_AT_MS - 120_000, WARMUP_AT_MS + 120_000
    assert now_ms == GRAB_AT_MS
    await an_order(desk, "c1.a", at_ms=before_ms, paid=(700, 300))
    await an_order(desk, "c1.b", at_ms=WARMUP_AT_MS - 1, paid=(40,), state="final")
    await an_order(desk, "c1.c", at_ms=WARMUP_AT_MS - 2, paid=(2,), state="refunded")
    await an_order(desk, "c1.too_early", at_ms=before_ms - 1, paid=(99_999,))
    await an_order(desk, "c1.too_late", at_ms=WARMUP_AT_MS, paid=(99_999,))
    await an_order(desk, "c1.unpaid", at_ms=before_ms, paid=(99_999,), state="submitted_unpaid")
    await an_order(desk, "c1.packets", at_ms=before_ms, paid=(99_999,), packets=("c1.p0:0",))
    await desk.store.redis.zadd(keys.orders(desk.creator_id), {"c1.gone": before_ms})
    assert (await counters.of_packet(packet_id, now_ms)).gmv_increment_fen == 5_000 - 1_040
    assert (await counters.of_packet(packet_id, now_ms - 1)).gmv_increment_fen == 5_000 - 40
    assert (await counters.of_packet(packet_id, WARMUP_AT_MS)).gmv_increment_fen is None
    assert (await counters.of_creator(desk.creator_id, now_ms)).gmv_increment_fen == -1_040


async def test_a_packet_that_can_bring_no_more_is_compared_up_to_its_end(desk: Desk) -> None:
    """Two room hours later the time before it is as long as its shares could be used."""
    packet_id = await desk.open_packet([100])
    await desk.store.redis.hset(keys.packet(packet_id), "use_end_at_ms", str(WARMUP_AT_MS + 60_000))
    await an_order(desk, "c1.a", at_ms=NOW_MS, paid=(10,))
    await an_order(desk, "c1.b", at_ms=NOW_MS - 1, paid=(99_999,))
    told = await StatsCounters(desk.store).of_packet(packet_id, GRAB_AT_MS + 7_200_000)
    assert told.gmv_increment_fen == -10


async def test_too_many_orders_are_not_compared(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are allowed are; one more and no increment is told."""
    monkeypatch.setattr(module, "ORDERS_COMPARED_MAX", 2)
    packet_id = await desk.open_packet([100])
    counters = StatsCounters(desk.store)
    increments = []
    for name in ("c1.a", "c1.b", "c1.c"):
        await an_order(desk, name, at_ms=WARMUP_AT_MS - 1, paid=(10,))
        increments.append((await counters.of_packet(packet_id, GRAB_AT_MS)).gmv_increment_fen)
    assert increments == [-10, -20, None]


async def test_a_list_is_read_in_one_round_trip_a_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five packets of a page of two: each with its counters and its commission, as it is alone, oldest first."""
    monkeypatch.setattr(module, "_PAGE", 2)
    await desk.recharge(5_000)
    packets = []
    for n in range(5):
        await desk.at(NOW_MS + n)
        packets.append(await desk.draft([100, 200]))
        await desk.store.redis.hincrby(keys.effects_of(packets[n].packet_id), "estimated_fen", n)
    counters = StatsCounters(desk.store)
    rows = await counters.rows(desk.creator_id)
    assert [row.packet for row in rows] == packets
    assert [row.estimated_commission_fen for row in rows] == [0, 1, 2, 3, 4]
    assert [row.counts.remaining_fen for row in rows] == [300] * 5
    assert [await counters.row(packet.packet_id) for packet in packets] == rows


async def test_of_an_unknown_packet_nothing_is_told(desk: Desk) -> None:
    """It is not found; a creator without packets has effects of nothing."""
    counters = StatsCounters(desk.store)
    for asked in (counters.of_packet(packet_id_of(desk.creator_id, "no"), NOW_MS), counters.row(PacketId("c1.no"))):
        with pytest.raises(Refused) as refused:
            await asked
        assert refused.value.code == "not_found"
    told = await counters.of_creator(desk.creator_id, NOW_MS)
    assert {value for value in asdict(told).values() if not isinstance(value, dict)} == {0, None}


@pytest.mark.rule("KS-MON-1")
@pytest.mark.rule("DY-SET-4")
async def test_an_order_with_a_packet_is_followed_from_its_payment_to_its_settlement(shop: Shop) -> None:
    """GMV against an earlier order without packets, cost and commission: expected, less after a refund, settled."""
    await shop.at(NOW_MS)
    plain = await shop.submit(purchase=a_purchase(3_000), key="plain")
    await shop.orders.pay(plain.order_id, "p0")
    asset = await shop.asset(1_500)
    packet_id = PacketId(asset.rpartition(":")[0])
    order = await shop.submit(asset)
    counters = StatsCounters(shop.store)

    async def told() -> tuple[int, int, int | None, int, int]:
        of_packet = await counters.of_packet(packet_id, START_MS)
        of_creator = await counters.of_creator(LI, START_MS)
        row = await counters.row(packet_id)
        assert row.estimated_commission_fen == of_packet.estimated_commission_fen == of_creator.estimated_commission_fen
        assert of_creator.gmv_increment_fen == of_packet.gmv_increment_fen
        return (
            of_packet.attributed_orders,
            of_packet.gmv_attributed_fen,
            of_packet.gmv_increment_fen,
            of_packet.cost_fen,
            of_packet.estimated_commission_fen,
        )

    assert await told() == (0, 0, -3_000, 0, 0)
    await shop.orders.pay(order.order_id, "p")
    assert await told() == (1, 10_000, 7_000, 1_500, 2_000)
    await shop.refund(order.order_id, l0=1_000)
    assert await told() == (1, 9_000, 6_000, 1_500, 1_800)
    assert (await counters.of_packet(packet_id, START_MS)).refund_amount_fen == 1_000
    await shop.at(START_MS + HORIZON_MS)
    await shop.orders.finish(order.order_id)
    assert await told() == (1, 9_000, 6_000, 1_500, 1_800)
    assert (await shop.effects(keys.effects(LI)))["commission_fen"] == 1_800


async def test_of_an_order_refunded_in_full_nothing_is_expected(shop: Shop) -> None:
    """It was attributed; its GMV, its cost and its commission are gone (AMB-51)."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    await shop.orders.pay(order.order_id, "p")
    await shop.refund(order.order_id, l0=8_500)
    told = await StatsCounters(shop.store).of_packet(PacketId(asset.rpartition(":")[0]), START_MS)
    assert (told.attributed_orders, told.refund_amount_fen, told.estimated_commission_fen) == (1, 8_500, 0)
    assert (told.redeemed_count, told.gmv_attributed_fen, told.cost_fen) == (0, 0, 0)
