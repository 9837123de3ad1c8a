"""Finishing an order: what was settled is in the journals, and every clearing account is zero."""

import pytest

from server.core.ids import PLATFORM, PacketId
from server.core.orders.discount import Discount, DiscountKind
from server.core.orders.order import OrderState
from server.core.refusal import Refused
from server.store import keys
from tests.store.shop import (
    DELAY_MS,
    HORIZON_MS,
    LI,
    START_MS,
    Shop,
    a_purchase,
)


def packet_of(asset_id: str) -> PacketId:
    return PacketId(asset_id.rpartition(":")[0])


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
