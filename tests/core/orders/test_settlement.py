"""Settlement: vector DY-1 to the fen, what is in a base and what is not, and cash that balances on random orders."""

from dataclasses import replace
from random import Random

import pytest

from server.core.orders.discount import Discount, DiscountKind, Funder
from server.core.orders.order import Order, OrderState, Refund
from server.core.orders.pricing import Quote, price
from server.core.orders.settlement import Rates, Settlement, estimated_commission, settle, settle_order
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU
from tests.core.shopping import ANNA, a_purchase

K = DiscountKind
RATES = Rates(commission=2_000, service_fee=500)


def quoted(goods_fen: int, *off: tuple[DiscountKind, int], shipping_fen: int = 0) -> Quote:
    discounts = [Discount(f"d{i}", kind, amount_fen=fen) for i, (kind, fen) in enumerate(off)]
    return price(a_purchase(goods_fen, shipping_fen=shipping_fen), discounts, DOUYIN)


DY_1 = quoted(
    20_000,
    (K.FULL_REDUCTION, 2_000),
    (K.SHOP_COUPON, 1_000),
    (K.CREATOR_PACKET, 1_550),
    (K.CREATOR_PACKET, 450),
    (K.PLATFORM_PACKET, 1_000),
    shipping_fen=600,
)


@pytest.mark.rule("DY-SET-1")
@pytest.mark.rule("DY-SET-2")
@pytest.mark.rule("DY-SET-3")
@pytest.mark.rule("KS-SET-1")
@pytest.mark.rule("KS-ELG-3")
def test_vector_dy_1() -> None:
    """Commission 3,400, service fee 850, merchant 12,750, creator 1,400, platform -150, and the cash agrees."""
    settled = settle(DY_1, RATES, DOUYIN)
    assert settled == Settlement(17_000, 3_400, 850, 0, 12_750, 1_400, -150)
    assert settled.merchant_gross_fen == 17_000
    assert DY_1.goods_paid_fen + 2_000 + 1_000 == 12_750 + 3_400 + 850


def test_platform_packets_are_in_the_base_unless_told_otherwise() -> None:
    """The base is 17,000, and 16,000 without; what the merchant has in gross is the same money (AMB-18)."""
    settled = settle(DY_1, RATES, replace(DOUYIN, base_includes_platform_packets=False))
    assert (settled.base_fen, settled.commission_fen, settled.subsidies_fen) == (16_000, 3_200, 1_000)
    assert settled.merchant_net_fen == 17_000 - 3_200 - 800


@pytest.mark.rule("DY-SET-2")
def test_shipping_is_in_the_service_fee_only_if_told() -> None:
    """5 % of 17,000 are 850, of 17,600 they are 880 (AMB-37); the commission is the same."""
    settled = settle(DY_1, RATES, replace(DOUYIN, service_fee_includes_shipping=True))
    assert (settled.service_fee_fen, settled.commission_fen) == (880, 3_400)


@pytest.mark.rule("DY-SET-4")
def test_the_estimate_has_the_same_base() -> None:
    """The estimate before settlement equals the settled commission."""
    assert estimated_commission(17_000, RATES) == settle(DY_1, RATES, DOUYIN).commission_fen == 3_400


@pytest.mark.rule("DY-SET-5")
def test_what_others_give_besides_packets_goes_to_the_merchant_outside_the_base() -> None:
    """Coupons of creator and platform, coins and credit: 1,000 less in the base, and paid to the merchant (AMB-33)."""
    quote = quoted(
        10_000,
        (K.CREATOR_COUPON, 400),
        (K.PLATFORM_COUPON, 300),
        (K.GOLD_COIN, 200),
        (K.CONSUMPTION_CREDIT, 100),
    )
    assert settle(quote, RATES, KUAISHOU) == Settlement(9_000, 1_800, 450, 1_000, 7_750, 1_400, -50)


@pytest.mark.rule("DY-SET-6")
def test_a_partial_refund_leaves_the_packets_in_the_base() -> None:
    """4,000 of 14,000 refunded: the base is 13,000, as the packets stay (AMB-39)."""
    settled = settle(DY_1, RATES, DOUYIN, refunded_fen=4_000)
    assert settled == Settlement(13_000, 2_600, 650, 0, 9_750, 600, -350)


def test_after_a_full_refund_nobody_has_anything() -> None:
    """The packets went back, and so did the money."""
    settled = settle(DY_1, RATES, DOUYIN, refunded_fen=14_000, packets_returned=True)
    assert settled == Settlement(0, 0, 0, 0, 0, 0, 0)


def test_more_than_was_paid_is_not_refunded() -> None:
    """One fen more than the goods were paid with is refused."""
    with pytest.raises(Refused) as refused:
        settle(DY_1, RATES, DOUYIN, refunded_fen=14_001)
    assert refused.value.code == "out_of_range"


def test_halves_go_up_and_the_merchant_has_the_rest() -> None:
    """5 % of 10 fen are half a fen: the fee is 1, the merchant's 9 (AMB-19)."""
    settled = settle(quoted(10), Rates(commission=0, service_fee=500), DOUYIN)
    assert (settled.service_fee_fen, settled.merchant_net_fen) == (1, 9)


@pytest.mark.rule("DY-SET-3")
def test_cash_balances_on_random_orders() -> None:
    """The payments of buyer, creator, platform and others equal all receipts on 2,000 orders (I10)."""
    rng = Random(11)
    kinds = [kind for kind in K if kind is not K.FLASH_PRICE]
    for _ in range(2_000):
        quote = quoted(rng.randint(0, 9_999), *((rng.choice(kinds), rng.randint(0, 2_000)) for _ in range(4)))
        refunded_fen = rng.randint(0, quote.goods_paid_fen)
        rates = Rates(rng.randint(0, 5_000), rng.randint(0, 5_000))
        rulebook = replace(DOUYIN, base_includes_platform_packets=rng.random() < 0.5)
        settled = settle(quote, rates, rulebook, refunded_fen=refunded_fen)
        put_in = quote.goods_paid_fen - refunded_fen + sum(quote.by_funder().values())
        put_in -= quote.by_funder()[Funder.MERCHANT]
        assert put_in == settled.merchant_net_fen + settled.commission_fen + settled.service_fee_fen
        assert settled.creator_net_fen == settled.commission_fen - quote.by_funder()[Funder.CREATOR]


def test_an_order_is_settled_as_it_stands() -> None:
    """By what was refunded so far; of one that is cancelled or refunded in full nobody has anything."""
    order = Order("o1", ANNA, DY_1, (), OrderState.PAID, 1, (Refund("r", {"l0": 1_000}),))
    assert settle_order(order, RATES, DOUYIN) == settle(DY_1, RATES, DOUYIN, refunded_fen=1_000)
    nothing = Settlement(0, 0, 0, 0, 0, 0, 0)
    full = (Refund("r", {"l0": DY_1.goods_paid_fen}),)
    assert settle_order(replace(order, refunds=full, state=OrderState.REFUNDED), RATES, DOUYIN) == nothing
    assert settle_order(replace(order, refunds=(), state=OrderState.CANCELLED), RATES, DOUYIN) == nothing
