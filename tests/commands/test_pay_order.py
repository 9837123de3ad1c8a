"""Paying an order: its packets are redeemed, all or none, and its trail begins."""

from dataclasses import replace

import pytest

from server.commands.pay_order import pay_order
from server.core.ids import PacketId
from server.core.orders.order import OrderState
from server.core.orders.trail import ServiceMessage, TrailStep
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from server.core.rulebooks.rulebook import PayAfterExpiry
from server.store.connection import Store
from tests.commands.ground import Host, context_of
from tests.store.shop import (
    ANNA,
    START_MS,
    USE_END_MS,
    Shop,
)


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


@pytest.mark.rule("LT-6")
async def test_a_payment_is_the_first_step_of_the_trail(shop: Shop, host: Host) -> None:
    """The trail begins at the payment, and is published to the buyer once, however often the payment is repeated."""
    order_id = (await shop.submit()).order_id
    await shop.at(START_MS + 5)
    context = context_of(shop.store, shop.clock, host=host)
    for key in ("p", "p", "q"):
        await pay_order(context, order_id, key)
    [paid] = (await context.trails.get(order_id)).timeline(frozenset())
    assert (paid.step, paid.occurred_at_ms) == (TrailStep.PAID, START_MS + 5)
    assert host.told == [ServiceMessage(ANNA, order_id, TrailStep.PAID, START_MS + 5)]
