"""Submitting an order: the same words make the same order, and what may not be used is refused."""

from dataclasses import replace

import pytest

from server.commands.submit_order import submit_order
from server.core.ids import PacketId, RoomId
from server.core.orders.discount import Discount, DiscountKind
from server.core.orders.order import OrderState
from server.core.orders.product import Product
from server.core.orders.purchase import App, GoodsKind
from server.core.orders.stacking import ExclusionReason
from server.core.orders.submission import Submission
from server.core.refusal import Refused
from server.core.rulebooks.platforms import LAB, RULEBOOKS
from server.store import keys
from server.store.connection import Store
from server.store.products import Products
from server.store.transfers import StoreBroken
from tests.store.shop import (
    ANNA,
    BOB,
    LI,
    MERCHANT,
    RATES,
    START_MS,
    WANG,
    Shop,
    a_line,
    a_purchase,
)


def packet_of(asset_id: str) -> PacketId:
    return PacketId(asset_id.rpartition(":")[0])


async def test_the_same_submission_gets_the_same_order(shop: Shop) -> None:
    """Whenever it is asked again; with other words, or by another viewer, it is another's or refused."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    assert await shop.submit(asset) == order
    await shop.orders.pay(order.order_id, "p")
    assert (await shop.submit(asset)).order.state is OrderState.PAID
    with pytest.raises(Refused) as refused:
        await shop.submit(asset, purchase=a_purchase(10_001))
    assert refused.value.code == "transfer_conflict"
    await shop.at(START_MS + 1)
    bobs = await shop.submit(viewer=BOB)
    assert [each.order_id for each in await shop.orders.list(LI)] == [order.order_id, bobs.order_id]


async def test_where_creators_compete_the_first_choice_is_kept(store: Store) -> None:
    """A cart of two creators' goods goes to the one whose packets deduct more, also when it is asked again."""
    shop = await Shop.open(store, platform="lab")  # Douyin takes it for a merged cart (AMB-50)
    await shop.asset(500)
    best = await shop.asset(900, of=WANG)
    cart = a_purchase(a_line("l0", 2_000), a_line("l1", 2_000, WANG))
    order = await shop.submit(asset_ids=None, purchase=cart, platform="lab")
    assert [use.asset_id for use in order.order.packets] == [best]
    assert order.home == WANG
    assert await shop.submit(asset_ids=None, purchase=cart, platform="lab") == order


async def test_registered_goods_decide_also_where_creators_compete(store: Store) -> None:
    """The better packet is not used on what is registered as excluded; retries get the order that was made so."""
    lab = replace(LAB, goods_excluded=frozenset({GoodsKind.VIRTUAL}))
    shop = await Shop.open(store, {**RULEBOOKS, "lab": lab}, platform="lab")
    products = Products(store)
    used, _ = await shop.asset(500), await shop.asset(900, of=WANG)
    wangs = replace(a_line("l1", 2_000, WANG), goods=GoodsKind.VIRTUAL)
    cart = a_purchase(a_line("l0", 2_000), replace(wangs, goods=None))
    await products.put(Product(wangs.product_id, "ticket", GoodsKind.VIRTUAL))
    order = await shop.submit(asset_ids=None, purchase=cart, platform="lab")
    assert ([use.asset_id for use in order.order.packets], order.home) == ([used], LI)
    assert order.deal.quote.purchase.lines[1] == wangs
    stated = replace(cart, lines=(cart.lines[0], wangs))
    agreed = await shop.submit(key="stated", asset_ids=None, purchase=stated, platform="lab")
    await products.put(Product(wangs.product_id, "ticket"))
    assert await shop.submit(asset_ids=None, purchase=cart, platform="lab") == order
    assert await shop.submit(key="stated", asset_ids=None, purchase=stated, platform="lab") == agreed
    with pytest.raises(Refused) as refused:
        await shop.submit(key="later", asset_ids=None, purchase=stated, platform="lab")
    assert (refused.value.code, refused.value.field) == ("other_goods", "lines.1.goods")


@pytest.mark.rule("DY-STK-2")
async def test_an_order_keeps_why_it_does_not_use_the_other_packets(shop: Shop) -> None:
    """Of packets that we have left out it says why, as the quote did, also when it is read again."""
    other, best = await shop.asset(500), await shop.asset(900)
    order = await shop.submit(asset_ids=None, purchase=a_purchase(900))
    assert [use.asset_id for use in order.order.packets] == [best]
    (left_out,) = order.deal.exclusions
    assert (left_out.reason, left_out.rule) == (ExclusionReason.NOT_NEEDED, "AMB-16")
    assert left_out.asset_id == other
    assert (await shop.orders.get(order.order_id)).deal == order.deal


@pytest.mark.rule("ALL-ELG-1")
async def test_nobody_pays_with_what_is_another_viewers(shop: Shop) -> None:
    """A packet that the viewer has not grabbed is refused, whether it exists or not."""
    asset = await shop.asset(1_500)
    for wrong in (asset, asset[:-1] + "7"):
        with pytest.raises(Refused) as refused:
            await shop.submit(wrong, viewer=BOB)
        assert (refused.value.code, refused.value.rule) == ("not_yours", "ALL-ELG-1")


@pytest.mark.rule("DY-USE-1")
@pytest.mark.rule("DY-USE-4")
async def test_a_named_packet_that_may_not_be_used_is_refused_with_the_rule(shop: Shop) -> None:
    """The whole order is refused, and nothing is locked."""
    own, others = await shop.asset(500), await shop.asset(600, of=WANG)
    cart = a_purchase(a_line("l0", 2_000), a_line("l1", 2_000, WANG))
    for changes, code, rule in (
        ({"purchase": a_purchase(10_000, client=App.KUAISHOU)}, "wrong_client", "DY-USE-1"),
        ({"purchase": cart, "asset_ids": (own, others)}, "cart_merged", "DY-USE-4"),
        ({"platform": "kuaishou"}, "other_platform", "AMB-44"),
        ({"purchase": a_purchase(400), "asset_ids": (own, await shop.asset(400))}, "not_needed", "AMB-16"),
    ):
        with pytest.raises(Refused) as refused:
            await shop.submit(own, **changes)
        assert (refused.value.code, refused.value.rule, refused.value.field) == (code, rule, "asset_ids")
    assert await shop.under_way() == {}


async def test_a_discount_is_no_way_to_a_packet(shop: Shop) -> None:
    """A packet is used by its id only; as a discount it is refused."""
    for wrong in (
        (Discount("x", DiscountKind.CREATOR_PACKET, amount_fen=5),),
        (Discount("li.p:0", DiscountKind.SHOP_COUPON, amount_fen=5),),
        (Discount("x", DiscountKind.SHOP_COUPON, amount_fen=5), Discount("x", DiscountKind.SHOP_COUPON, amount_fen=6)),
    ):
        with pytest.raises(Refused) as refused:
            await shop.submit(discounts=wrong)
        assert (refused.value.code, refused.value.field) == ("bad_field", "discounts")


async def test_a_broken_store_is_named(shop: Shop) -> None:
    """An order whose packet's counters are no numbers moves nothing."""
    asset = await shop.asset(1_500)
    await shop.store.redis.hset(keys.packet(packet_of(asset)), "locked", "many")
    with pytest.raises(StoreBroken, match="BROKEN packet"):
        await shop.submit(asset)
    assert await shop.under_way() == {}


@pytest.mark.parametrize("transfer_id", ["submit:x", ""])
async def test_a_submissions_id_is_none_of_ours(shop: Shop, transfer_id: str) -> None:
    """Ids that scripts and orders make themselves, or none at all, are refused."""
    with pytest.raises(Refused) as refused:
        await shop.submit(key=transfer_id)
    assert refused.value.field == "transfer_id"


async def test_an_orders_trail_begins_with_it(shop: Shop) -> None:
    """The buyer's trail names the room; a repeated submission opens no other trail."""
    asked = Submission(ANNA, a_purchase(10_000), (), "lab", RATES, MERCHANT, "k")
    for _ in range(2):
        order_id = (await submit_order(shop.orders.context, asked, RoomId("r1"))).order_id
    trail = await shop.orders.context.trails.get(order_id)
    assert (trail.viewer_id, trail.room_id, trail.timeline(frozenset())) == (ANNA, "r1", [])
    with pytest.raises(Refused) as refused:
        await submit_order(shop.orders.context, asked, RoomId("r2"))
    assert refused.value.code == "trail_taken"
