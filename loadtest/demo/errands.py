"""The orders of a round: what the luckiest of the audience buy, as plans that a buyer worker carries out."""

from client_sim.buyer import WHOLE_PERMILLE, Act, BasketLine, Deed, Errand, Habit, Won
from loadtest.scenarios.shop import Offer, Shop, Ware
from server.core.orders.discount import DiscountKind
from server.core.orders.trail import TrailStep

ISV = "shipfast"
HALF_PERMILLE = 500
_MINUTE_MS = 60_000
_ORDER_MS, _PAY_MS = _MINUTE_MS, 3 * _MINUTE_MS  # after the packet is settled
_REPORT_MS = 2 * _MINUTE_MS  # between two steps
_REFUND_MS = 18 * _MINUTE_MS

WARES: dict[str, tuple[tuple[str, str, int], ...]] = {
    "xiaoman": (("longjing", "明前龙井 250g Longjing tea", 12_800), ("teacup", "青瓷主人杯 Celadon cup", 4_900)),
    "ali": (("lamp", "栗木台灯 Chestnut lamp", 15_900), ("blanket", "针织盖毯 Knitted blanket", 8_900)),
}
"""The goods on each host's table: product, title and price in fen."""

HABITS = {"xiaoman": Habit.REFUND_IN_PART, "ali": Habit.REFUND_FULLY}

SHOP = Shop(
    products=[Ware(product_id=product, price_fen=fen) for wares in WARES.values() for product, _, fen in wares],
    discounts=[
        Offer(kind=DiscountKind.FULL_REDUCTION, amount_fen=1_500, threshold_fen=10_000),
        Offer(kind=DiscountKind.SHOP_COUPON, amount_fen=500, threshold_fen=2_000),
        Offer(kind=DiscountKind.PLATFORM_COUPON, pay_permille=950),
    ],
    shipping_fen=600,
    commission_rate=2_000,
    service_fee_rate=500,
    merchant_id="chestnut-lane",
    isv_id=ISV,
)


def errand_of(won: Won, settled_ms: int) -> Errand:
    """Return what the winner of a packet that was settled at room instant *settled_ms* does with it."""
    habit = HABITS[won.creator_id]
    basket = tuple(
        BasketLine(str(number), product, fen, 1) for number, (product, _, fen) in enumerate(WARES[won.creator_id], 1)
    )
    permille = WHOLE_PERMILLE if habit is Habit.REFUND_FULLY else HALF_PERMILLE
    acts = [Act(settled_ms + _ORDER_MS, Deed.ORDER, Deed.ORDER), Act(settled_ms + _PAY_MS, Deed.PAY, Deed.PAY)]
    acts += [
        Act(settled_ms + _PAY_MS + number * _REPORT_MS, Deed.REPORT, step.value, step=step)
        for number, step in enumerate(TrailStep)
        if step is not TrailStep.PAID
    ]
    refund = Act(settled_ms + _REFUND_MS, Deed.REFUND, Deed.REFUND, permille, permille == WHOLE_PERMILLE)
    return Errand(won, habit, basket, (*acts, refund))
