"""Buyers: what one does follows from its random numbers, comes in order, and never asks for more than there is."""

from random import Random

import pytest

from client_sim.buyer import (
    ORDER_AFTER_MS,
    REFUND_AFTER_MS,
    WHOLE_PERMILLE,
    Act,
    Deed,
    Errand,
    Habit,
    ShopProduct,
    Won,
    errand,
    refund_of,
)
from server.core.ids import CreatorId, RoomId, ViewerId
from server.core.orders.trail import TrailStep

WON = Won(ViewerId("v1"), "anna.a1:0", CreatorId("anna"), RoomId("r1"), "douyin")
PRODUCTS = [ShopProduct("tea", 100, 200), ShopProduct("wok", 5_000, 5_000), ShopProduct("ball", 900, 1_000)]
NOW_MS = 1_000_000


def an_errand(seed: int, habit: Habit, *, won: Won = WON) -> Errand:
    return errand(won, Random(seed), NOW_MS, orders=1.0, mix={habit: 1.0}, products=PRODUCTS)


def deeds(one: Errand) -> list[Deed]:
    return [act.deed for act in one.acts if act.deed is not Deed.REPORT]


def test_the_same_luck_makes_the_same_errand() -> None:
    """Nothing but the random numbers, the packet and the instant decides; another seed decides otherwise."""
    mix = dict.fromkeys(Habit, 1.0)
    once, again, other = (
        errand(WON, Random(seed), NOW_MS, orders=0.9, mix=mix, products=PRODUCTS) for seed in (7, 7, 8)
    )
    assert once == again
    assert once != other


@pytest.mark.parametrize("habit", Habit)
def test_acts_come_in_order_of_time_and_each_has_a_name_of_its_own(habit: Habit) -> None:
    """Whatever the luck; the order comes first, within its span, and nothing before the packet was looked at."""
    for seed in range(200):
        one = an_errand(seed, habit)
        times = [act.at_ms for act in one.acts]
        assert times == sorted(times)
        assert len({act.name for act in one.acts}) == len(one.acts)
        if one.acts:
            assert one.acts[0].deed is Deed.ORDER
            assert ORDER_AFTER_MS[0] <= times[0] - NOW_MS <= ORDER_AFTER_MS[1]


@pytest.mark.parametrize(
    ("habit", "ways"),
    [
        (Habit.PAY, {(Deed.ORDER, Deed.PAY)}),
        (Habit.CANCEL, {(Deed.ORDER, Deed.CANCEL)}),
        (Habit.ABANDON, {(Deed.ORDER,)}),
        (Habit.EXPIRE, {()}),
        (Habit.REFUND_IN_PART, {(Deed.ORDER, Deed.PAY, Deed.REFUND)}),
        (Habit.REFUND_FULLY, {(Deed.ORDER, Deed.PAY, Deed.REFUND), (Deed.ORDER, Deed.PAY, Deed.REFUND, Deed.REFUND)}),
    ],
)
def test_a_habit_is_kept(habit: Habit, ways: set[tuple[Deed, ...]]) -> None:
    """Each does what its name says, and of a full refund both ways occur: at once, and in two steps."""
    errands = [an_errand(seed, habit) for seed in range(200)]
    assert {tuple(deeds(one)) for one in errands} == ways
    assert all(one.habit is habit for one in errands)
    parts = [act.permille for one in errands for act in one.acts if act.deed is Deed.REFUND]
    assert all(0 < part < WHOLE_PERMILLE for part in parts) == (habit is not Habit.REFUND_FULLY)


def test_some_winners_never_order() -> None:
    """The share of those who order is kept, and who does not lets the packet expire."""
    some = [
        errand(WON, Random(seed), NOW_MS, orders=0.25, mix={Habit.PAY: 1.0}, products=PRODUCTS) for seed in range(2_000)
    ]
    assert {one.habit for one in some if not one.acts} == {Habit.EXPIRE}
    assert 400 < sum(1 for one in some if one.acts) < 600


def test_what_the_merchant_reports_has_gaps_and_repetitions() -> None:
    """Steps come in their order and after the payment, some never, some twice, and none of them is the payment."""
    missing = twice = 0
    for seed in range(100):
        one = an_errand(seed, Habit.PAY)
        paid_at_ms = next(act.at_ms for act in one.acts if act.deed is Deed.PAY)
        reports = [act for act in one.acts if act.deed is Deed.REPORT]
        ranks = [act.step.rank for act in reports if act.step is not None]
        assert ranks == sorted(set(ranks))
        assert TrailStep.PAID.rank not in ranks
        assert all(act.at_ms > paid_at_ms for act in reports)
        missing += 6 - len(reports)
        twice += sum(act.repeated for act in reports)
    assert missing > 20
    assert twice > 20


def test_a_basket_has_different_goods_and_one_of_the_scope() -> None:
    """Prices lie between their ends; where a packet is for some goods only, one of these is bought."""
    scoped = Won(WON.viewer_id, WON.asset_id, WON.creator_id, WON.room_id, WON.platform, frozenset({"ball", "gone"}))
    sizes = set()
    for seed in range(200):
        basket = an_errand(seed, Habit.PAY, won=scoped).basket
        sizes.add(len(basket))
        assert basket[0].product_id == "ball"
        assert len({line.product_id for line in basket}) == len({line.line_id for line in basket}) == len(basket)
        for line in basket:
            product = next(each for each in PRODUCTS if each.product_id == line.product_id)
            assert product.price_min_fen <= line.price_fen <= product.price_max_fen
    assert sizes == {1, 2, 3}


def a_refund(permille: int) -> Act:
    return Act(0, Deed.REFUND, "refund", permille)


def test_a_full_refund_names_every_line_that_is_not_refunded_yet() -> None:
    """Also one that packets have paid for alone, once (AMB-21); what was refunded before is left out."""
    paid = {"1": 500, "2": 0, "3": 70}
    assert refund_of(a_refund(1000), paid, {}) == {"1": 500, "2": 0, "3": 70}
    assert refund_of(a_refund(1000), paid, {"1": 500, "2": 0, "3": 30}) == {"3": 40}


def test_a_refund_in_part_leaves_something() -> None:
    """It is of the line with most left, at least one fen of which stays; of next to nothing no part can be had."""
    assert refund_of(a_refund(300), {"1": 500, "2": 900}, {"2": 800}) == {"1": 150}
    assert refund_of(a_refund(999), {"1": 2}, {}) == {"1": 1}
    assert refund_of(a_refund(900), {"1": 1}, {}) == {}
    assert refund_of(a_refund(100), {"1": 9}, {}) == {}


def test_an_order_is_over_soon() -> None:
    """The last refund comes within the ten minutes that the evening's rulebooks give (AMB-15)."""
    for seed in range(300):
        acts = an_errand(seed, Habit.REFUND_FULLY).acts
        paid_at_ms = next(act.at_ms for act in acts if act.deed is Deed.PAY)
        last_ms = max(act.at_ms for act in acts if act.deed is Deed.REFUND)
        assert last_ms - paid_at_ms <= 2 * REFUND_AFTER_MS[1] < 600_000
