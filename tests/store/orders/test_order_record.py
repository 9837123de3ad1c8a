"""An order's record: what the store gives back is what was put into it, to the last field."""

from dataclasses import replace

import pytest

from server.core.ids import PLATFORM, ClaimId, OrderId, PacketId
from server.core.money.posting import AssetChange, OrderKind, Posting, Reversal, StepPart
from server.core.orders.asset import Asset, AssetState, AssetStep
from server.core.orders.discount import Discount, DiscountKind
from server.core.orders.following import FollowedStep
from server.core.orders.order import OrderState, Refund, submit
from server.core.orders.order_stats import OrderStats
from server.core.orders.purchase import App, Entrance, GoodsKind, Line, OrderTrait, Purchase
from server.core.orders.settlement import Rates
from server.core.orders.stacking import best_quote
from server.core.rulebooks.platforms import LAB
from server.store import keys
from server.store.connection import Store
from server.store.orders.order_record import (
    HELD,
    Deal,
    OrderRecord,
    PartRecord,
    abandoned_fields,
    room_ms_of,
)
from tests.store.desk import NOW_MS
from tests.store.shop import ANNA, LI, Shop

ORDER_ID = OrderId("li.0123456789")
OWN = Asset("li.p:0", ANNA, LI, 700, 0, 99, frozenset({"a", "b"}))
WHOLE = Asset("platform.p:3", ANNA, None, 9_000, 0, 2**53 - 1)
DISCOUNTS = (
    Discount("full", DiscountKind.FULL_REDUCTION, amount_fen=5, threshold_fen=6, threshold_count=2),
    Discount("off", DiscountKind.FULL_PERCENT_OFF, pay_permille=900, line_ids=frozenset({"l1", "l2"})),
)
PURCHASE = Purchase(
    (
        Line("l1", "a", 5_000, 2, 4_000, GoodsKind.ORDINARY, LI, Entrance.SHORT_VIDEO),
        Line("l2", "ü", 2**40, goods=GoodsKind.AUCTION),
    ),
    App.HUOSHAN,
    cart_merged=True,
    traits=frozenset({OrderTrait.QIANCHUAN, OrderTrait.RISK_CONTROLLED}),
    shipping_fen=7,
    service_fee_fen=8,
)


def a_record() -> OrderRecord:
    """Return an order in which every field says something."""
    quote, choice = best_quote(PURCHASE, DISCOUNTS, (OWN, WHOLE), 5, LAB)
    used = tuple(asset for asset, _ in choice.used)
    assert used == (OWN, WHOLE)
    outcome = submit(ORDER_ID, ANNA, quote, used, 5, rulebook=LAB)
    deal = Deal(quote, outcome.order.packets, used, DISCOUNTS, "lab", Rates(2_000, 500), "shop", "digest")
    part = StepPart(
        OrderKind.FOLLOW,
        "t",
        PLATFORM,
        ORDER_ID,
        (Posting("locked:platform.p", "reversing:platform", 9),),
        (AssetChange(ClaimId("platform.p:3"), 9, AssetState.LOCKED, AssetState.EXPIRED_RETURNED),),
        (Reversal("key", PacketId("platform.p"), 9, 77),),
    )
    followed = FollowedStep(2, part, OrderStats({"redeemed": 1}, {PacketId("platform.p"): {"redeemed": 1}}))
    order = replace(
        outcome.order,
        state=OrderState.PAID,
        paid_at_ms=6,
        refunds=(Refund("r", {"l1": 3, "l2": 0}, 1), Refund("s", {}, 1)),
    )
    redeemed = tuple(asset.stepped(AssetStep.REDEEM) for asset in outcome.assets)
    return OrderRecord(order, redeemed, deal, 3, 5, (followed,))


async def put(store: Store, fields: dict[str, str], version: int) -> None:
    flat = [text for pair in {**fields, "version": str(version)}.items() for text in pair]
    await store.redis.hset(keys.order(LI, ORDER_ID), items=flat)


@pytest.fixture
async def shop(store: Store) -> Shop:
    return await Shop.open(store)


async def test_an_order_is_read_back_exactly(shop: Shop) -> None:
    """Sets, tuples, enums, large numbers and letters of any language, all of the same types."""
    record = a_record()
    await put(shop.store, record.fields(), record.version)
    found = await shop.orders.context.orders.standing(LI, ORDER_ID)
    assert found.order == record
    assert (found.version, found.now_ms, found.transferred) == (3, NOW_MS, None)
    assert isinstance(record.order.quote.purchase.traits, frozenset)
    assert (record.order_id, record.home) == (ORDER_ID, LI)


async def test_a_part_is_read_back_exactly(shop: Shop) -> None:
    """It has the order as it was submitted, and the platform's packets alone."""
    record = a_record()
    order = replace(record.order, state=OrderState.SUBMITTED_UNPAID, paid_at_ms=None, refunds=())
    part = PartRecord(order, record.assets[1:], record.deal, HELD, 2, 5, home_version=4, followed=7)
    await put(shop.store, part.fields(), part.version)
    assert (await shop.orders.context.orders.standing(LI, ORDER_ID)).part == part


async def test_what_was_abandoned_is_no_order(shop: Shop) -> None:
    """Its record has a version and nothing else to tell."""
    await put(shop.store, abandoned_fields(ORDER_ID, ANNA, 5), 1)
    found = await shop.orders.context.orders.standing(LI, ORDER_ID)
    assert (found.version, found.order) == (1, None)
    nothing = await shop.orders.context.orders.standing(LI, OrderId("li.none"))
    assert (nothing.version, nothing.order, nothing.part) == (0, None, None)


async def test_a_transfer_that_was_carried_out_is_told(shop: Shop) -> None:
    """With what was asked by it."""
    await shop.store.redis.hset(keys.transfers(LI), "t", "pay:li.x|2")
    assert (await shop.orders.context.orders.standing(LI, ORDER_ID, "t")).transferred == "pay:li.x|2"


def test_room_time_is_the_scripts() -> None:
    """Microseconds are cut off, and the speed counts (head.lua)."""
    assert room_ms_of((10, 7_999), [b"1000", b"9000", b"60"]) == 1_000 + 1_007 * 60
