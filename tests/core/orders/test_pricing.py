"""The waterfall: the rules' vectors, each edge of a threshold, and sums that are exact on 20,000 random carts."""

from dataclasses import replace
from itertools import permutations
from random import Random

import pytest

from server.core.money.money import FEN_MAX
from server.core.orders.discount import NATURE, RED_PACKETS, Discount, DiscountKind, Funder, Stage
from server.core.orders.pricing import Quote, Unused, price
from server.core.orders.purchase import App, Line, Purchase
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU
from tests.core.shopping import a_line, a_purchase

K = DiscountKind


def off(kind: DiscountKind, fen: int, threshold_fen: int = 0, *lines: str, name: str = "") -> Discount:
    return Discount(
        name or kind.value, kind, amount_fen=fen, threshold_fen=threshold_fen, line_ids=frozenset(lines) or None
    )


def amounts(quote: Quote) -> dict[str, int]:
    return {each.discount_id: each.amount_fen for each in quote.deductions}


@pytest.mark.rule("KS-PRC-1")
@pytest.mark.rule("KS-PRC-2")
@pytest.mark.rule("KS-PRC-3")
@pytest.mark.rule("KS-PRC-4")
@pytest.mark.rule("KS-STK-1")
@pytest.mark.rule("KS-STK-2")
@pytest.mark.rule("KS-SET-1")
def test_vector_ks_1() -> None:
    """All stages together: 20,000 come to 9,600 with shipping, and each funder bears what is its own."""
    purchase = a_purchase(a_line("l", 20_000, flash_fen=15_000), client=App.KUAISHOU, shipping_fen=600)
    discounts = [
        off(K.CONSUMPTION_CREDIT, 200),
        off(K.CASH_SUBSIDY, 500),
        off(K.GOLD_COIN, 300),
        off(K.CREATOR_PACKET, 1_200),
        off(K.PLATFORM_COUPON, 800),
        off(K.FULL_REDUCTION, 1_000, 10_000),
        off(K.STREAMER_COUPON_PACKET, 1_500),
        off(K.SHOP_COUPON, 2_000),
    ]
    quote = price(purchase, discounts, KUAISHOU)

    assert quote.goods_paid_fen == 9_000
    assert quote.payable_fen == 9_600
    assert quote.by_funder() == {
        Funder.MERCHANT: 8_000,
        Funder.CREATOR: 1_200,
        Funder.PLATFORM: 1_600,
        Funder.UNSTATED: 200,
    }
    assert quote.unused == (("streamer_coupon_packet", Unused.BEATEN),)
    assert list(amounts(quote).values()) == [5_000, 2_000, 1_000, 800, 1_200, 300, 500, 200]


@pytest.mark.rule("KS-PRC-2")
def test_vector_ks_2() -> None:
    """Shop and platform look at the same price: 7,000, where one after the other would give 8,000."""
    discounts = [off(K.FULL_REDUCTION, 2_000, 10_000), off(K.PLATFORM_COUPON, 1_000, 9_000)]
    assert price(a_purchase(10_000), discounts, KUAISHOU).payable_fen == 7_000


@pytest.mark.rule("KS-PRC-2")
@pytest.mark.parametrize(("threshold_fen", "paid_fen"), [(10_000, 9_000), (10_001, 10_000)])
def test_a_threshold_is_reached_to_the_fen(threshold_fen: int, paid_fen: int) -> None:
    """Exactly the sum is enough, and the flash price is what counts."""
    purchase = a_purchase(a_line("l", 12_000, flash_fen=10_000))
    assert price(purchase, [off(K.FULL_REDUCTION, 1_000, threshold_fen)], KUAISHOU).payable_fen == paid_fen


@pytest.mark.rule("KS-PRC-2")
def test_a_discount_for_many_pieces_counts_them() -> None:
    """Three pieces are enough for "3 at 80 %", two are not."""
    discount = Discount("m", K.MULTI_ITEM_DISCOUNT, pay_permille=800, threshold_count=3)
    for quantity, paid_fen in ((2, 200), (3, 240)):
        purchase = Purchase((Line("l", "p", 100, quantity=quantity),), App.KUAISHOU)
        assert price(purchase, [discount], KUAISHOU).payable_fen == paid_fen


def test_a_percentage_rounds_what_is_paid_half_up() -> None:
    """85 % of 10 fen are 8.5, so 9 are paid and 1 is off (AMB-42)."""
    assert price(a_purchase(10), [Discount("p", K.FULL_PERCENT_OFF, pay_permille=850)], KUAISHOU).payable_fen == 9


@pytest.mark.rule("KS-STK-2")
def test_of_equal_coupons_the_shops_counts() -> None:
    """At a tie the shop coupon wins (AMB-34), one fen more and the streamer's does."""
    for fen, kept in ((500, "shop_coupon"), (501, "streamer_coupon_packet")):
        quote = price(a_purchase(9_000), [off(K.STREAMER_COUPON_PACKET, fen), off(K.SHOP_COUPON, 500)], KUAISHOU)
        assert list(amounts(quote)) == [kept]


@pytest.mark.rule("KS-STK-2")
def test_a_coupon_below_its_threshold_beats_nobody() -> None:
    """The largest computed deduction counts, thresholds included."""
    quote = price(a_purchase(900), [off(K.SHOP_COUPON, 500, 901), off(K.STREAMER_COUPON_PACKET, 1)], KUAISHOU)
    assert amounts(quote) == {"streamer_coupon_packet": 1}
    assert quote.unused == (("shop_coupon", Unused.THRESHOLD),)


def test_too_much_at_once_is_clamped_shop_first() -> None:
    """Shop discounts take first, the platform's coupon what is left, and what it lost is recorded (AMB-30)."""
    quote = price(a_purchase(1_000), [off(K.PLATFORM_COUPON, 500), off(K.FULL_REDUCTION, 800)], KUAISHOU)
    assert amounts(quote) == {"full_reduction": 800, "platform_coupon": 200}
    assert quote.deductions[1].clamped_fen == 300
    assert quote.payable_fen == 0


@pytest.mark.rule("KS-PRC-2")
def test_parallel_discounts_are_spread_one_after_another() -> None:
    """In the rule's order, however they come: each of the same price, over what is left of its own lines (AMB-52)."""
    purchase = a_purchase(a_line("l0", 600), a_line("l1", 400))
    first, second = frozenset({"l0"}), frozenset({"l1"})
    discounts = [
        Discount("coupon", K.SHOP_COUPON, amount_fen=300, line_ids=first),
        Discount("full", K.FULL_REDUCTION, amount_fen=500, threshold_fen=1_000),
        Discount("percent", K.FULL_PERCENT_OFF, pay_permille=800, line_ids=second),
        Discount("many", K.MULTI_ITEM_DISCOUNT, amount_fen=100, line_ids=first),
        Discount("platform", K.PLATFORM_COUPON, amount_fen=50, threshold_fen=1_000),
    ]
    for shuffled in permutations(discounts):
        quote = price(purchase, shuffled, KUAISHOU)
        assert [(each.discount_id, each.by_line, each.clamped_fen) for each in quote.deductions] == [
            ("coupon", (300, 0), 0),
            ("full", (214, 286), 0),  # in proportion to the 300 and 400 that are left
            ("percent", (0, 80), 0),  # 20 % of 400, not of what is left
            ("many", (86, 0), 14),
            ("platform", (0, 34), 16),
        ]
        assert quote.paid_by_line == (0, 0)


@pytest.mark.rule("KS-PRC-3")
def test_funds_take_what_is_left_one_after_another() -> None:
    """A creator's packet comes before the platform's and both before coins, each capped (AMB-15, AMB-17)."""
    discounts = [off(K.GOLD_COIN, 50), off(K.PLATFORM_PACKET, 60), off(K.CREATOR_PACKET, 70)]
    quote = price(a_purchase(100), discounts, KUAISHOU)
    assert amounts(quote) == {"creator_packet": 70, "platform_packet": 30}
    assert [each.clamped_fen for each in quote.deductions] == [0, 30]
    assert quote.unused == (("gold_coin", Unused.NOTHING_LEFT),)


@pytest.mark.rule("KS-PRC-4")
@pytest.mark.rule("DY-USE-5")
def test_shipping_and_service_fee_are_never_discounted() -> None:
    """With the goods free, both are still paid."""
    purchase = replace(a_purchase(100, shipping_fen=600), service_fee_fen=30)
    assert price(purchase, [off(K.CREATOR_PACKET, 5_000)], DOUYIN).payable_fen == 630


@pytest.mark.rule("DY-STK-1")
def test_reduction_coupons_and_packets_stack() -> None:
    """Vector DY-1's price: 20,000 less 2,000, 1,000 and 3,000 in packets."""
    packets = [off(K.CREATOR_PACKET, 1_550, name="a"), off(K.CREATOR_PACKET, 450, name="b")]
    discounts = [*packets, off(K.PLATFORM_PACKET, 1_000), off(K.FULL_REDUCTION, 2_000), off(K.SHOP_COUPON, 1_000)]
    assert price(a_purchase(20_000), discounts, DOUYIN).goods_paid_fen == 14_000


def test_a_deduction_falls_on_lines_by_largest_remainder() -> None:
    """100 off three equal lines are 34, 33 and 33, and off a scope only its lines bear it."""
    quote = price(a_purchase(500, 500, 500), [off(K.SHOP_COUPON, 100)], DOUYIN)
    assert quote.deductions[0].by_line == (34, 33, 33)
    quote = price(a_purchase(500, 500, 500), [off(K.SHOP_COUPON, 101, 0, "l0", "l2")], DOUYIN)
    assert quote.deductions[0].by_line == (51, 0, 50)


def test_an_earlier_packet_makes_room_on_other_lines() -> None:
    """The first packet may stand on either line, the second only on one: both are used up, by one move or two."""
    wide, narrow = off(K.CREATOR_PACKET, 10, 0, "l0", "l1", name="w"), off(K.CREATOR_PACKET, 10, 0, "l0", name="n")
    assert price(a_purchase(10, 10), [wide, narrow], DOUYIN).paid_by_line == (0, 0)
    ring = [
        off(K.PLATFORM_PACKET, 10, 0, "l0", "l1", name="a"),
        off(K.PLATFORM_PACKET, 10, 0, "l1", "l2", name="b"),
        off(K.PLATFORM_PACKET, 10, 0, "l0", name="c"),
    ]
    assert price(a_purchase(10, 10, 10), ring, DOUYIN).paid_by_line == (0, 0, 0)


def test_an_order_has_a_size() -> None:
    """A hundred lines are taken and one more is refused; so is more money than the store can hold."""
    assert price(a_purchase(*[1] * 100), [], DOUYIN).payable_fen == 100
    for purchase, code in ((a_purchase(*[1] * 101), "too_many_lines"), (a_purchase(FEN_MAX, 1), "out_of_range")):
        with pytest.raises(Refused) as refused:
            price(purchase, [], DOUYIN)
        assert refused.value.code == code


def a_random_cart(rng: Random) -> tuple[Purchase, list[Discount]]:
    lines = tuple(
        Line(
            f"l{i}",
            "p",
            rng.choice([0, 1, 7, 99, rng.randint(0, 50_000)]),
            quantity=rng.randint(1, 3),
            flash_price_fen=rng.choice([None, None, rng.randint(0, 30_000)]),
        )
        for i in range(rng.randint(1, 5))
    )
    discounts = []
    for i in range(rng.randint(0, 7)):
        kind = rng.choice([kind for kind in K if kind is not K.FLASH_PRICE])
        names = frozenset(line.line_id for line in lines if rng.random() < 0.6)
        funds = NATURE[kind][0] is Stage.FUNDS
        by_share = not funds and rng.random() < 0.3
        discounts.append(
            Discount(
                f"d{i}",
                kind,
                amount_fen=None if by_share else rng.choice([0, 1, 333, rng.randint(0, 40_000)]),
                pay_permille=rng.randint(0, 1000) if by_share else None,
                threshold_fen=0 if funds else rng.choice([0, 10_000]),
                line_ids=rng.choice([None, names]),
            )
        )
    return Purchase(lines, App.KUAISHOU, shipping_fen=rng.choice([0, 600])), discounts


def test_every_fen_of_20_000_random_carts_is_accounted_for() -> None:
    """By line and by deduction the sums agree exactly, nothing is negative, and no discount exceeds its promise."""
    rng = Random(20_000)
    for _ in range(20_000):
        purchase, discounts = a_random_cart(rng)
        quote = price(purchase, discounts, KUAISHOU)

        promised = {each.discount_id: each for each in discounts}
        for i, line in enumerate(purchase.lines):
            assert line.list_fen == quote.paid_by_line[i] + sum(each.by_line[i] for each in quote.deductions)
        for each in quote.deductions:
            assert each.amount_fen == sum(each.by_line) > 0
            assert min(each.by_line) >= 0
            if each.discount_id in promised:
                promise = promised[each.discount_id]
                assert promise.amount_fen is None or each.amount_fen <= promise.amount_fen
                scope = promise.line_ids
                assert scope is None or all(
                    fen == 0 or line.line_id in scope for fen, line in zip(each.by_line, purchase.lines, strict=True)
                )
        assert min(quote.paid_by_line) >= 0
        listed = sum(line.list_fen for line in purchase.lines)
        assert listed - sum(quote.by_funder().values()) == quote.payable_fen - purchase.shipping_fen
        named = [each.discount_id for each in quote.deductions if each.kind is not K.FLASH_PRICE]
        assert sorted(named + [name for name, _ in quote.unused]) == sorted(promised)


def test_packets_deduct_as_much_as_lines_allow() -> None:
    """On 2,000 random carts packets alone take exactly the least cut between them and the lines, computed anew here."""
    rng = Random(7)
    for _ in range(2_000):
        fens = [rng.randint(0, 12) for _ in range(rng.randint(1, 4))]
        packets = [
            off(
                rng.choice(sorted(RED_PACKETS)),
                rng.randint(1, 12),
                0,
                *{f"l{rng.randrange(len(fens))}" for _ in range(rng.randint(1, 3))},
                name=f"p{i}",
            )
            for i in range(rng.randint(0, 5))
        ]
        quote = price(a_purchase(*fens), packets, DOUYIN)
        cuts = []
        for chosen in range(2 ** len(fens)):
            lines = {f"l{i}" for i in range(len(fens)) if chosen >> i & 1}
            uncut = (each.amount_fen or 0 for each in packets if not (each.line_ids or set()) <= lines)
            cuts.append(sum(fen for i, fen in enumerate(fens) if f"l{i}" in lines) + sum(uncut))
        assert sum(fens) - quote.payable_fen == min(cuts)
