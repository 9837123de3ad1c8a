"""Orders on the real store: every row of the tables of cancel and refund, and the money in the journals behind it."""

from dataclasses import replace

import pytest

from server.core.ids import PLATFORM, OrderId, PacketId
from server.core.orders.discount import Discount, DiscountKind
from server.core.orders.order import OrderState
from server.core.orders.purchase import App
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from server.core.rulebooks.rulebook import PayAfterExpiry
from server.store import keys
from server.store.connection import Store
from server.store.transfers import StoreBroken
from server.sweeper import Sweeper
from tests.store.shop import (
    ANNA,
    BOB,
    DELAY_MS,
    HORIZON_MS,
    LI,
    START_MS,
    USE_END_MS,
    WANG,
    Shop,
    a_line,
    a_purchase,
)


@pytest.fixture
async def shop(store: Store) -> Shop:
    return await Shop.open(store)


def packet_of(asset_id: str) -> PacketId:
    return PacketId(asset_id.rpartition(":")[0])


@pytest.mark.rule("DY-CLM-3")
@pytest.mark.rule("KS-USE-3")
async def test_a_packet_is_locked_by_the_order_and_redeemed_by_its_payment(shop: Shop) -> None:
    """Its face goes from the viewer's hands into the order, and the buyer pays the rest."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    assert await shop.state(asset) == f"locked:{order.order_id}"
    assert await shop.counters(asset) == {"locked": 1, "locked_fen": 1_500}
    assert (await shop.balances())[f"locked:{packet_of(asset)}"] == 1_500

    paid = await shop.orders.pay(order.order_id, "pay")

    assert paid.order.state is OrderState.PAID
    assert paid == await shop.orders.get(order.order_id)
    assert await shop.state(asset) == f"redeemed:{order.order_id}"
    assert await shop.counters(asset) == {"redeemed": 1, "redeemed_fen": 1_500}
    balances = await shop.balances()
    assert balances["buyer:anna"] == -8_500
    assert balances[f"clearing:{order.order_id}"] == 8_500


@pytest.mark.rule("DY-CAN-1")
@pytest.mark.rule("DY-REV-4")
async def test_a_cancelled_order_gives_a_valid_packet_back(shop: Shop) -> None:
    """Not expired, it is the viewer's again, and may be used again; no money is on its way to anybody."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    await shop.at(USE_END_MS - 1)
    cancelled = await shop.orders.cancel(order.order_id, "c")
    assert cancelled.order.state is OrderState.CANCELLED
    assert await shop.state(asset) == ""
    assert await shop.counters(asset) == {}
    assert await shop.under_way() == {}
    assert (await shop.submit(asset, key="again")).order.state is OrderState.SUBMITTED_UNPAID


@pytest.mark.rule("DY-CAN-2")
@pytest.mark.rule("DY-REV-8")
async def test_a_cancelled_order_sends_an_expired_packet_to_its_funder(shop: Shop) -> None:
    """At the first instant after its validity it is gone, once, and the money arrives after the delay (AMB-26)."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    await shop.at(USE_END_MS)
    for _ in range(2):
        await shop.orders.cancel(order.order_id, "c")
    assert await shop.state(asset) == "expired"
    assert await shop.counters(asset) == {"expired": 1, "expired_fen": 1_500}
    key = f"cancel:{order.order_id}:{asset}|{packet_of(asset)}|1500"
    assert await shop.reversals(LI) == {key: USE_END_MS + DELAY_MS}
    assert await shop.under_way() == {"reversing:li": 1_500}


@pytest.mark.rule("DY-CAN-3")
@pytest.mark.rule("DY-REV-5")
async def test_a_full_refund_gives_a_valid_packet_back(shop: Shop) -> None:
    """The buyer has the money, the viewer the packet, and nothing is left in the order."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    await shop.orders.pay(order.order_id, "p")
    refunded = await shop.refund(order.order_id, l0=8_500)
    assert refunded.order.state is OrderState.REFUNDED
    assert await shop.state(asset) == ""
    assert await shop.counters(asset) == {}
    assert await shop.under_way() == {}
    assert "buyer:anna" not in await shop.balances()


@pytest.mark.rule("DY-CAN-4")
@pytest.mark.rule("DY-REV-6")
@pytest.mark.rule("DY-REV-9")
async def test_a_full_refund_sends_an_expired_packet_to_its_funder(shop: Shop) -> None:
    """With its full face, although only a part of it was used (AMB-15); expiry counts when the refund succeeds."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset, purchase=a_purchase(1_000))
    await shop.orders.pay(order.order_id, "p")
    await shop.at(USE_END_MS)
    refunded = await shop.refund(order.order_id, l0=0)  # AMB-22: packets have paid for all of it
    assert refunded.order.state is OrderState.REFUNDED
    assert await shop.state(asset) == "expired"
    assert await shop.under_way() == {"reversing:li": 1_500}


@pytest.mark.rule("DY-CAN-5")
@pytest.mark.rule("DY-REV-7")
async def test_a_partial_refund_returns_no_packet(shop: Shop) -> None:
    """However late, the packet stays in the order; refunds that add up to all return it with the last (AMB-23)."""
    asset = await shop.asset(1_000)
    order = await shop.submit(asset, purchase=a_purchase(6_000, 4_000))
    assert order.order.paid_by_line == {"l0": 5_400, "l1": 3_600}
    await shop.orders.pay(order.order_id, "p")
    await shop.refund(order.order_id, refund_id="a", l0=5_400)
    await shop.at(USE_END_MS + 5)
    await shop.refund(order.order_id, refund_id="b", l1=3_599)
    assert await shop.state(asset) == f"redeemed:{order.order_id}"
    assert await shop.under_way() == {f"redeemed:{packet_of(asset)}": 1_000, f"clearing:{order.order_id}": 1}

    last = await shop.refund(order.order_id, refund_id="c", l1=1)

    assert last.order.state is OrderState.REFUNDED
    assert await shop.state(asset) == "expired"
    assert await shop.under_way() == {"reversing:li": 1_000}


@pytest.mark.rule("DY-CAN-6")
async def test_each_packet_of_an_order_goes_its_own_way(shop: Shop) -> None:
    """Of two creators' packets and one of the platform, each is judged by its own validity."""
    short, long = await shop.asset(500, use_end_at_ms=USE_END_MS), await shop.asset(600, use_end_at_ms=USE_END_MS + 9)
    whole = await shop.asset(700, of=PLATFORM, use_end_at_ms=USE_END_MS)
    order = await shop.submit(short, long, whole)
    await shop.at(USE_END_MS)
    await shop.orders.cancel(order.order_id, "c")
    assert [await shop.state(each) for each in (short, long, whole)] == ["expired", "", "expired"]
    assert await shop.under_way() == {"reversing:li": 500, "reversing:platform": 700}


@pytest.mark.rule("DY-USE-7")
async def test_no_packet_that_expired_in_the_order_pays(shop: Shop) -> None:
    """The payment is refused and moves nothing; the order can still be cancelled (AMB-32)."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    await shop.at(USE_END_MS)
    with pytest.raises(Refused) as refused:
        await shop.orders.pay(order.order_id, "p")
    assert (refused.value.code, refused.value.rule) == ("expired", "DY-USE-7")
    assert await shop.under_way() == {f"locked:{packet_of(asset)}": 1_500}
    assert (await shop.orders.cancel(order.order_id, "c")).order.state is OrderState.CANCELLED


@pytest.mark.rule("DY-USE-7")
async def test_a_platform_may_honour_what_expired_in_an_order(store: Store) -> None:
    """With ``pay_after_expiry`` set so, the same payment goes through."""
    honouring = replace(DOUYIN, pay_after_expiry=PayAfterExpiry.HONOUR)
    shop = await Shop.open(store, {"douyin": honouring})
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    await shop.at(USE_END_MS)
    assert (await shop.orders.pay(order.order_id, "p")).order.state is OrderState.PAID
    assert await shop.state(asset) == f"redeemed:{order.order_id}"


@pytest.mark.rule("DY-SET-1")
@pytest.mark.rule("DY-SET-2")
@pytest.mark.rule("DY-SET-3")
async def test_vector_dy_1_on_the_real_store(shop: Shop) -> None:
    """Merchant 12,750 and the shipping, commission 3,400, service fee 850; every clearing account is zero."""
    own = [await shop.asset(1_550), await shop.asset(450)]
    whole = await shop.asset(1_000, of=PLATFORM)
    discounts = (
        Discount("full", DiscountKind.FULL_REDUCTION, amount_fen=2_000),
        Discount("coupon", DiscountKind.SHOP_COUPON, amount_fen=1_000),
    )
    order = await shop.submit(*own, whole, purchase=a_purchase(20_000, shipping_fen=600), discounts=discounts)
    assert order.order.quote.goods_paid_fen == 14_000
    await shop.orders.pay(order.order_id, "p")
    await shop.at(START_MS + HORIZON_MS)
    final = await shop.orders.finish(order.order_id)

    assert final.order.state is OrderState.FINAL
    assert {await shop.state(asset) for asset in (*own, whole)} == {f"final:{order.order_id}"}
    faces = [await shop.counters(asset) for asset in (*own, whole)]
    assert faces == [{"final": 1, "final_fen": face_fen} for face_fen in (1_550, 450, 1_000)]
    balances = await shop.balances()
    assert balances["merchant:shop"] == 12_750 + 600
    assert balances["commission:li"] == 3_400
    assert balances["service:platform"] == 850
    assert balances["buyer:anna"] == -14_600
    assert await shop.under_way() == {}
    assert await shop.effects(keys.effects(LI)) == {
        "attributed_orders": 1,
        "gmv_fen": 17_000,
        "goods_paid_fen": 14_000,
        "redeemed": 2,
        "redeemed_fen": 2_000,
        "commission_fen": 3_400,
        "estimated_fen": 3_400,
        "estimate_over_fen": 3_400,
    }
    assert (await shop.effects(keys.effects_of(packet_of(own[1]))))["redeemed_fen"] == 450
    assert (await shop.effects(keys.effects(PLATFORM)))["redeemed_fen"] == 1_000


async def test_what_was_not_used_of_a_packet_goes_to_its_funder_in_the_end(shop: Shop) -> None:
    """Indivisible while the order may be refunded; then the rest is on its way back (AMB-15)."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset, purchase=a_purchase(1_000))
    await shop.orders.pay(order.order_id, "p")
    with pytest.raises(Refused) as refused:
        await shop.orders.finish(order.order_id)
    assert refused.value.code == "not_final_yet"
    await shop.at(START_MS + HORIZON_MS)
    await shop.orders.finish(order.order_id)
    assert await shop.under_way() == {"reversing:li": 500}
    assert list((await shop.reversals(LI)).values()) == [START_MS + HORIZON_MS + DELAY_MS]
    assert await shop.state(asset) == f"final:{order.order_id}"


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


async def test_a_transfer_id_stands_for_one_step(shop: Shop) -> None:
    """A payment's id repeated moves nothing; for another order, or another step, it is refused."""
    order, other = await shop.submit(), await shop.submit(key="other")
    await shop.orders.pay(order.order_id, "p")
    assert (await shop.orders.pay(order.order_id, "p")).version == 2
    assert (await shop.orders.pay(order.order_id, "another")).version == 2
    for wrong in (shop.orders.pay(other.order_id, "p"), shop.orders.cancel(other.order_id, "p")):
        with pytest.raises(Refused) as refused:
            await wrong
        assert refused.value.code == "transfer_conflict"
    assert (await shop.balances())["buyer:anna"] == -10_000


async def test_only_what_is_left_to_us_is_chosen(shop: Shop) -> None:
    """Without named packets the best are used; with none named, none; the quote says the same beforehand."""
    asset, platform = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
    quote, choice = await shop.orders.quote(ANNA, a_purchase(10_000), (), "douyin")
    assert quote.payable_fen == 7_800
    assert {used.asset_id for used, _ in choice.used} == {asset, platform}
    bare = await shop.submit(key="bare")
    assert bare.order.quote.payable_fen == 10_000
    best = await shop.submit(asset_ids=None, expected_payable_fen=7_800)
    assert {use.asset_id for use in best.order.packets} == {asset, platform}
    with pytest.raises(Refused) as refused:
        await shop.submit(key="late", asset_ids=None, expected_payable_fen=7_800)
    assert refused.value.code == "price_changed"


async def test_where_creators_compete_the_first_choice_is_kept(shop: Shop) -> None:
    """A cart of two creators' goods goes to the one whose packets deduct more, also when it is asked again."""
    await shop.asset(500)
    best = await shop.asset(900, of=WANG)
    cart = a_purchase(a_line("l0", 2_000), a_line("l1", 2_000, WANG))
    order = await shop.submit(asset_ids=None, purchase=cart)
    assert [use.asset_id for use in order.order.packets] == [best]
    assert order.home == WANG
    assert await shop.submit(asset_ids=None, purchase=cart) == order


@pytest.mark.rule("ALL-ELG-1")
async def test_nobody_pays_with_what_is_another_viewers(shop: Shop) -> None:
    """Named by who has not grabbed it, a packet is refused, whether it exists or not."""
    asset = await shop.asset(1_500)
    for wrong in (asset, asset[:-1] + "7"):
        with pytest.raises(Refused) as refused:
            await shop.submit(wrong, viewer=BOB)
        assert (refused.value.code, refused.value.rule) == ("not_yours", "ALL-ELG-1")


@pytest.mark.rule("DY-USE-1")
@pytest.mark.rule("DY-STK-5")
async def test_a_named_packet_that_may_not_be_used_is_refused_with_the_rule(shop: Shop) -> None:
    """The whole order is refused, and nothing is locked."""
    own, others = await shop.asset(500), await shop.asset(600, of=WANG)
    cart = a_purchase(a_line("l0", 2_000), a_line("l1", 2_000, WANG))
    for changes, code, rule in (
        ({"purchase": a_purchase(10_000, client=App.KUAISHOU)}, "wrong_client", "DY-USE-1"),
        ({"purchase": cart, "asset_ids": (own, others)}, "other_creator", "DY-STK-5"),
        ({"purchase": a_purchase(400), "asset_ids": (own, await shop.asset(400))}, "not_needed", "AMB-16"),
    ):
        with pytest.raises(Refused) as refused:
            await shop.submit(own, **changes)
        assert (refused.value.code, refused.value.rule, refused.value.field) == (code, rule, "asset_ids")
    assert await shop.under_way() == {}


async def test_what_is_not_there_is_not_found(shop: Shop) -> None:
    """Neither an order that nobody made nor a text that cannot be one."""
    for order_id in ("li.0123456789", "li", ".", "li."):
        with pytest.raises(Refused) as refused:
            await shop.orders.pay(OrderId(order_id), "p")
        assert refused.value.code == "not_found"


async def test_a_discount_is_no_way_to_a_packet(shop: Shop) -> None:
    """A packet is used by its id alone; given as a discount it would be nobody's money."""
    for wrong in (
        (Discount("x", DiscountKind.CREATOR_PACKET, amount_fen=5),),
        (Discount("li.p:0", DiscountKind.SHOP_COUPON, amount_fen=5),),
        (Discount("x", DiscountKind.SHOP_COUPON, amount_fen=5), Discount("x", DiscountKind.SHOP_COUPON, amount_fen=6)),
    ):
        with pytest.raises(Refused) as refused:
            await shop.submit(discounts=wrong)
        assert (refused.value.code, refused.value.field) == ("bad_field", "discounts")


@pytest.mark.rule("DY-CAN-1")
async def test_an_unpaid_order_is_cancelled_in_time(shop: Shop) -> None:
    """After 30 room minutes, not a millisecond before, and once however many look."""
    asset = await shop.asset(1_500, use_end_at_ms=None)
    order = await shop.submit(asset)
    late_ms = START_MS + 30 * 60_000
    await shop.at(late_ms - 1)
    await shop.orders.catch_up(order.order_id)
    assert await shop.orders.due(LI) == []
    assert (await shop.orders.get(order.order_id)).order.state is OrderState.SUBMITTED_UNPAID
    await shop.at(late_ms)
    assert await shop.orders.due(LI) == [order.order_id]
    for _ in range(2):
        await shop.orders.catch_up(order.order_id)
    assert (await shop.orders.get(order.order_id)).order.state is OrderState.CANCELLED
    assert await shop.orders.due(LI) == []
    assert await shop.state(asset) == ""


async def test_a_broken_store_is_named(shop: Shop) -> None:
    """An order whose packet's counters are no numbers moves nothing."""
    asset = await shop.asset(1_500)
    await shop.store.redis.hset(keys.packet(packet_of(asset)), "locked", "many")
    with pytest.raises(StoreBroken, match="BROKEN packet"):
        await shop.submit(asset)
    assert await shop.under_way() == {}


@pytest.mark.rule("DY-REV-3")
@pytest.mark.rule("DY-CAN-2")
async def test_the_sweeper_leaves_what_an_order_holds(shop: Shop) -> None:
    """It passes a locked packet whose validity is over, and the cancel sends it back, once (AMB-26)."""
    held, free = await shop.asset(1_500), await shop.asset(700)
    order = await shop.submit(held)
    desk = shop.desks[LI]
    sweeper = Sweeper(shop.store, desk.clock, desk.packets, orders=shop.orders)
    await shop.at(USE_END_MS)
    await sweeper.look()
    assert [await shop.state(each) for each in (held, free)] == [f"locked:{order.order_id}", "expired"]
    await shop.orders.cancel(order.order_id, "c")
    await shop.at(USE_END_MS + DELAY_MS)
    await sweeper.look()
    assert await shop.state(held) == "expired"
    assert await shop.under_way() == {}
    assert (await desk.wallet.funds(LI)).returned_fen == 2_200
    assert (await shop.balances())["funds:li"] == 2_200


async def test_what_is_given_back_in_time_expires_like_any_other(shop: Shop) -> None:
    """A packet that was in an order and came back is found by the sweeper when its time comes."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    desk = shop.desks[LI]
    sweeper = Sweeper(shop.store, desk.clock, desk.packets, orders=shop.orders)
    await shop.at(USE_END_MS - 1)
    await sweeper.look()
    await shop.orders.cancel(order.order_id, "c")
    await shop.at(USE_END_MS)
    await sweeper.look()
    assert await shop.state(asset) == "expired"
    assert await shop.counters(asset) == {"expired": 1, "expired_fen": 1_500}
