"""Prices: the vectors of the rules, splits over lines, and packets that make room for each other."""

import pytest

from loadtest.record.book_orders import BookedDeduction, OrderedDiscount
from loadtest.verdict.reckoning.prices import ImpossibleOrder, NotReckonable, OwnPrice, most_fen, own_price
from tests.loadtest.verdict.reckoning.cases import DOUYIN, RULEBOOKS, a_case, a_line, a_packet, off


def by_line(price: OwnPrice) -> dict[str, tuple[int, ...]]:
    return {name: lines for name, (_, lines) in price.deductions.items()}


@pytest.mark.rule("KS-PRC-1")
@pytest.mark.rule("KS-PRC-3")
@pytest.mark.rule("KS-STK-2")
def test_all_stages_together() -> None:
    """The vector KS-1: 20,000 come to 9,000; of coupon and streamer's packet the larger counts."""
    discounts = (
        off("consumption_credit", 200), off("cash_subsidy", 500), off("gold_coin", 300), off("platform_coupon", 800),
        off("full_reduction", 1_000, threshold_fen=10_000), off("streamer_coupon_packet", 1_500),
        off("shop_coupon", 2_000),
    )  # fmt: skip
    packet = a_packet("p", 1_200)
    price = own_price(
        a_case(a_line("a", 20_000, flash_price_fen=15_000), discounts=discounts, packets=(packet,))
        ._replace(rulebook=RULEBOOKS["kuaishou"]._replace(use_entrances=("live_room",)))
    )  # fmt: skip
    assert price.paid_by_line == (9_000,)
    assert "streamer_coupon_packet" not in price.deductions
    assert (price.of("flash:a"), price.of(packet.asset_id), price.taken_fen("gold_coin", "cash_subsidy")) == (
        5_000,
        1_200,
        800,
    )


@pytest.mark.rule("KS-PRC-2")
def test_parallel_discounts_are_all_worked_out_on_the_same_prices() -> None:
    """The vector KS-2: the second threshold is still met; and at its threshold a discount counts."""
    both = (off("full_reduction", 2_000, threshold_fen=10_000), off("platform_coupon", 1_000, threshold_fen=9_000))
    assert own_price(a_case(10_000, discounts=both)).paid_by_line == (7_000,)
    assert own_price(a_case(9_999, discounts=both)).paid_by_line == (8_999,)


@pytest.mark.rule("KS-PRC-2")
def test_a_deduction_is_spread_over_what_is_left_of_its_lines() -> None:
    """One after another (AMB-52), the odd fen to the earlier line, never below zero."""
    first, second = off("shop_coupon", 100, "a"), off("full_reduction", 101)
    assert by_line(own_price(a_case(200, 100, discounts=(first, second)))) == {
        "shop_coupon": (100, 0),
        "full_reduction": (51, 50),
    }
    much = (off("shop_coupon", 80), off("platform_coupon", 80))
    price = own_price(a_case(60, 40, discounts=much))
    assert (by_line(price)["platform_coupon"], price.paid_by_line) == ((12, 8), (0, 0))


def test_a_percentage_off_is_the_base_less_its_rounded_rest() -> None:
    """Also below a threshold of pieces, where it is nothing (AMB-42)."""
    percent = OrderedDiscount("percent", "full_percent_off", None, 950, 0, 2, None)
    assert by_line(own_price(a_case(a_line("a", 5, quantity=2), discounts=(percent,)))) == {}
    assert own_price(a_case(a_line("a", 99, quantity=3), discounts=(percent,))).of("percent") == 15
    assert own_price(a_case(99, discounts=(percent,))).deductions == {}


@pytest.mark.rule("DY-STK-1")
def test_packets_come_last_and_the_earliest_end_first() -> None:
    """A creator's before the platform's (AMB-17); of what is left the later takes the rest."""
    late, early = a_packet("p1", 60), a_packet("p2", 60, end_ms=4_000)
    the_platforms = a_packet("p3", 60, of="platform", end_ms=1)
    price = own_price(a_case(150, packets=(the_platforms, late, early), discounts=(off("gold_coin", 5),)))
    taken = [price.of(each.asset_id) for each in (early, late, the_platforms)]
    assert (taken, price.paid_by_line, price.of("gold_coin")) == ([60, 60, 30], (0,), 0)


def _moved(*spread: tuple[int, ...]) -> OwnPrice:
    """Price two lines of 100 with a packet for both, and one that ends later for the first alone; as booked."""
    wide, narrow = a_packet("w", 100, end_ms=1), a_packet("n", 80, "a")
    booked = tuple(
        BookedDeduction(each.asset_id, "creator_packet", lines)
        for each, lines in zip((wide, narrow), spread, strict=True)
    )
    return own_price(a_case(100, 100, packets=(wide, narrow), purchase={"deductions": booked}))


def test_an_earlier_packet_makes_room_for_a_later_one() -> None:
    """Their sum is what fits in whole; any possible spread of it is right, and no other."""
    assert _moved((20, 80), (80, 0)).paid_by_line == (0, 20)
    assert _moved((0, 100), (80, 0)).paid_by_line == (20, 0)
    for spread, said in (
        (((50, 50), (50, 0)), "li.n:0 should take 80 fen, but takes 50"),
        (((20, 79), (80, 0)), "li.w:0 should take 100 fen, but takes 99"),
        (((20, 80), (79, 1)), "li.n:0 takes from a line on which it may not be used"),
        (((50, 50), (80, 0)), "more of a line than is left of it"),
        (((-10, 110), (80, 0)), "li.w:0 should take 100 fen"),
        (((100,), (80, 0)), "li.w:0 should take 100 fen"),
    ):
        with pytest.raises(ImpossibleOrder, match=said):
            _moved(*spread)


def test_the_most_that_packets_take_is_the_narrowest_cut() -> None:
    """Whatever their lines share."""
    assert most_fen([], [5]) == 0
    assert most_fen([(10, (0,)), (10, (0, 1))], [4, 9]) == 13
    assert most_fen([(10, (0,)), (3, (0, 1)), (7, (1, 2))], [4, 2, 1]) == 7
    assert most_fen([(10, ())], [4]) == 0


def test_an_order_beyond_all_limits_is_impossible() -> None:
    """It is not even tried."""
    with pytest.raises(ImpossibleOrder, match="more packets, lines, discounts or refunds"):
        own_price(a_case(5, packets=(a_packet("p", 1),) * 13))


def test_two_stages_of_packets_with_other_funds_between_are_left_alone() -> None:
    """Only where one would have to make room for the other: then there is more than one possible price."""
    between = ("creator_packet", "gold_coin", "platform_packet", "cash_subsidy", "consumption_credit")
    odd = DOUYIN._replace(fund_order=between)
    hers, the_platforms = a_packet("p", 60), a_packet("q", 30, "a", of="platform")
    assert own_price(a_case(200, packets=(hers, the_platforms), rulebook=odd)).paid_by_line == (110,)
    with pytest.raises(NotReckonable):
        own_price(a_case(70, packets=(hers, the_platforms), rulebook=odd))
