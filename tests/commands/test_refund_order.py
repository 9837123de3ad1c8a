"""Refunding an order: every row of the table of refund, and the money in the journals behind it."""

import pytest

from server.core.ids import PLATFORM, PacketId
from server.core.orders.order import OrderState
from server.store.packet_stats import StatsCounters
from tests.store.shop import (
    LI,
    START_MS,
    USE_END_MS,
    Shop,
    a_purchase,
)


def packet_of(asset_id: str) -> PacketId:
    return PacketId(asset_id.rpartition(":")[0])


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


@pytest.mark.rule("DY-REV-9")
async def test_shipping_comes_back_after_the_goods(shop: Shop) -> None:
    """The merchant had got it with the last goods; the packets stay where they went (AMB-48)."""
    asset, whole = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
    order = await shop.submit(asset, whole, purchase=a_purchase(10_000, shipping_fen=600))
    await shop.orders.pay(order.order_id, "p")
    await shop.refund(order.order_id, refund_id="goods", l0=7_800)
    assert (await shop.balances())["merchant:shop"] == 600
    reused = await shop.submit(asset, key="again")
    for _ in range(2):
        last = await shop.refund(order.order_id, 600, refund_id="shipping")
    assert (last.order.state, last.order.kept_fen, last.repeated) == (OrderState.REFUNDED, 0, True)
    assert await shop.state(asset) == f"locked:{reused.order_id}"
    assert (await shop.state(whole), await shop.under_way()) == ("", {f"locked:{packet_of(asset)}": 1_500})
    assert not (await shop.balances()).keys() & {"buyer:anna", "merchant:shop"}


@pytest.mark.rule("KS-MON-1")
@pytest.mark.parametrize("use_end_at_ms", [USE_END_MS, START_MS + 1])
async def test_a_full_refund_leaves_gmv_and_cost_and_a_partial_one_only_gmv(shop: Shop, use_end_at_ms: int) -> None:
    """
    A packet that was given back has cost nothing, whether it went to its viewer or its funder (AMB-51).

    The creator's packet, the platform's and both sums say so; another order of the creator stays.
    """
    kept = await shop.asset(300)
    asset, whole = [
        await shop.asset(fen, of=of, use_end_at_ms=use_end_at_ms) for fen, of in ((1_500, LI), (700, PLATFORM))
    ]
    order = await shop.submit(asset, whole, purchase=a_purchase(10_000, shipping_fen=600))
    await shop.orders.pay(order.order_id, "p")
    other = await shop.submit(kept, key="other", purchase=a_purchase(5_000))
    await shop.orders.pay(other.order_id, "q")
    stats = StatsCounters(shop.store)

    async def effects() -> list[tuple[int, int, float | None]]:
        told = [await stats.of_packet(packet_of(each), START_MS) for each in (asset, whole)]
        told += [await stats.of_creator(each, START_MS) for each in (LI, PLATFORM)]
        return [(each.gmv_attributed_fen, each.cost_fen, each.roi) for each in told]

    assert await effects() == [
        *((10_000, 1_500, 10_000 / 1_500), (10_000, 700, 10_000 / 700), (15_000, 1_800, 15_000 / 1_800)),
        (10_000, 700, 10_000 / 700),
    ]
    await shop.refund(order.order_id, 600, refund_id="part", l0=800)
    assert [each[:2] for each in await effects()] == [(9_200, 1_500), (9_200, 700), (14_200, 1_800), (9_200, 700)]
    await shop.at(START_MS + 1)
    await shop.refund(order.order_id, refund_id="rest", l0=7_000)
    assert await effects() == [(0, 0, None), (0, 0, None), (5_000, 300, 5_000 / 300), (0, 0, None)]


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
    """The packet stays in the order; partial refunds that reach the full sum return it with the last (AMB-23)."""
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
