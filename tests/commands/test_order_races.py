"""Orders under concurrency: what two processes want at the same instant happens once."""

import asyncio
from collections import Counter

import pytest

from server.core.ids import PLATFORM, OrderId, ViewerId
from server.core.orders.order import OrderState, Refund
from server.core.refusal import Refused
from server.store.orders.order_record import OrderRecord
from tests.store.shop import ANNA, LI, MERCHANT, RATES, OrderCalls, Shop, a_purchase

MANY = 200


async def submit(orders: OrderCalls, key: str, *assets: str) -> OrderRecord | str:
    """Return the order, or the code of the refusal."""
    try:
        return await orders.submit(
            viewer_id=ViewerId(ANNA),
            purchase=a_purchase(10_000),
            discounts=(),
            platform="douyin",
            rates=RATES,
            merchant_id=MERCHANT,
            transfer_id=key,
            asset_ids=assets,
        )
    except Refused as refused:
        return refused.code


async def refund(orders: OrderCalls, order_id: OrderId, refund_id: str, fen: int) -> str:
    try:
        return (await orders.refund(order_id, Refund(refund_id, {"l0": fen}))).order.state
    except Refused as refused:
        return refused.code


@pytest.mark.parametrize("of", [LI, PLATFORM])
async def test_200_submits_on_one_asset_lock_it_once(shop: Shop, of: str) -> None:
    """One order has it, all others are refused, whosever packet it is."""
    asset = await shop.asset(1_500, of=LI if of == LI else PLATFORM)
    processes = [shop.another_process() for _ in range(4)]
    came = await asyncio.gather(*(submit(processes[n % 4], f"k{n}", asset) for n in range(MANY)))
    made = [each for each in came if isinstance(each, OrderRecord)]
    assert Counter(each for each in came if isinstance(each, str)) == {"not_available": MANY - 1}
    assert [await shop.state(asset)] == [f"locked:{each.order_id}" for each in made]
    assert await shop.counters(asset) == {"locked": 1, "locked_fen": 1_500}
    assert len(await shop.orders.list(LI)) == 1
    assert sum((await shop.under_way()).values()) == 1_500


async def test_200_times_the_same_submit_is_one_order(shop: Shop) -> None:
    """All callers in all processes get the same order."""
    own, whole = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
    processes = [shop.another_process() for _ in range(4)]
    came = await asyncio.gather(*(submit(processes[n % 4], "k", own, whole) for n in range(MANY)))
    first = await shop.submit(own, whole)
    assert [each for each in came if each != first] == []
    assert len(await shop.desks[LI].journal("submit")) == 1
    assert sum((await shop.under_way()).values()) == 2_200


async def test_200_refunds_of_one_id_return_it_once(shop: Shop) -> None:
    """Each caller succeeds; buyer and viewer get their money once."""
    own, whole = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
    order = await shop.submit(own, whole)
    await shop.orders.pay(order.order_id, "p")
    processes = [shop.another_process() for _ in range(4)]
    came = await asyncio.gather(*(refund(processes[n % 4], order.order_id, "r", 7_800) for n in range(MANY)))
    assert set(came) == {"refunded"}
    assert len(await shop.desks[LI].journal("refund")) == 1
    assert [await shop.state(each) for each in (own, whole)] == ["", ""]
    assert await shop.under_way() == {}


async def test_200_refunds_of_their_own_return_it_once(shop: Shop) -> None:
    """One carries the whole amount back, and the others find nothing that is left."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    await shop.orders.pay(order.order_id, "p")
    processes = [shop.another_process() for _ in range(4)]
    came = await asyncio.gather(*(refund(processes[n % 4], order.order_id, f"r{n}", 8_500) for n in range(MANY)))
    assert Counter(came) == {"refunded": 1, "not_refundable": MANY - 1}
    assert await shop.state(asset) == ""
    assert "buyer:anna" not in await shop.balances()


async def test_a_hundred_small_refunds_become_full_once(shop: Shop) -> None:
    """Of as many as an order may have, from several processes, the last one returns the packet (AMB-23)."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    await shop.orders.pay(order.order_id, "p")
    processes = [shop.another_process() for _ in range(4)]
    came = await asyncio.gather(*(refund(processes[n % 4], order.order_id, f"r{n}", 85) for n in range(100)))
    assert Counter(came) == {"paid": 99, "refunded": 1}
    assert await shop.state(asset) == ""
    assert await shop.under_way() == {}


async def test_an_order_is_paid_or_cancelled(shop: Shop) -> None:
    """Both asked at the same instant, again and again: one happens, and the packets go its way."""
    for n in range(10):
        own, whole = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
        order_id = (await shop.submit(own, whole, key=f"k{n}")).order_id
        one, other = shop.another_process(), shop.another_process()
        came = await asyncio.gather(one.pay(order_id, f"p{n}"), other.cancel(order_id, f"c{n}"), return_exceptions=True)
        state = (await shop.orders.get(order_id)).order.state
        assert sum(isinstance(each, Refused) for each in came) == 1
        assert [(await shop.state(each)).partition(":")[0] for each in (own, whole)] == (
            ["redeemed"] * 2 if state is OrderState.PAID else [""] * 2
        )
    await shop.balances()
