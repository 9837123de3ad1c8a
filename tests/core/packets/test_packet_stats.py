"""Monitoring: every metric of KS-MON-1 from plain counters, and the commission to be expected of orders."""

from dataclasses import asdict, fields
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.ids import ViewerId
from server.core.orders.order import OrderState, Refund, StepOutcome, finish, pay, refund, submit
from server.core.orders.settlement import Rates, settle
from server.core.orders.stacking import best_quote
from server.core.packets.claim import ClaimStatus
from server.core.packets.packet_stats import (
    Best,
    Brought,
    PacketStats,
    Seen,
    Stock,
    commission_expected,
    estimate_gains,
    estimate_of,
    packet_stats,
    summed,
)
from server.core.rulebooks.platforms import DOUYIN
from tests.core.shopping import ANNA, NOW, a_packet, a_purchase

NUMBERS = st.integers(0, 10**12)
RATES = Rates(commission=2_000, service_fee=500)


def counters(kind: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind, **dict.fromkeys((field.name for field in fields(kind)), NUMBERS))


@pytest.mark.rule("KS-MON-1")
def test_every_metric_of_a_packet() -> None:
    """An evening's packet, worked out by hand."""
    told = packet_stats(
        Seen(200, 190, 0, 0, watched_ms=900_000, left=3, watched_before_ms=400_000, left_before=2),
        {ClaimStatus.GRANTED: 40, ClaimStatus.EXHAUSTED: 110},
        Stock(
            *(40, 10_010, 500),
            locked=3,
            locked_fen=700,
            redeemed=4,
            redeemed_fen=1_100,
            final=6,
            final_fen=1_500,
            expired_fen=800,
        ),
        Brought(9, 90_000, 2_500, 4_000, 600, 15_000, 1_000),
        sold_out_after_ms=1_250,
        best=[Best(ANNA, 990, 7), Best(ViewerId("ben"), 980, 3)],
        baseline_fen=50_000,
    )
    assert asdict(told) == {
        "exposed_viewers": 200,
        "popup_shown": 190,
        "popup_suppressed": 0,
        "widget_clicks": 0,
        "grab_attempts": 150,
        "grabs": {"granted": 40, "exhausted": 110},
        "claims": 40,
        "claim_viewers": 40,
        "claim_rate": 0.2,
        "sold_out_seconds": 1.25,
        "claimed_amount_fen": 10_010,
        "avg_share_fen": 250,  # 250.25
        "max_share_fen": 990,
        "best_luck": [
            {"viewer_id": "anna", "amount_fen": 990, "index": 7},
            {"viewer_id": "ben", "amount_fen": 980, "index": 3},
        ],
        "locked": 3,
        "locked_amount_fen": 700,
        "redeemed_count": 10,
        "redeemed_amount_fen": 2_600,
        "redemption_rate": 0.25,
        "expired_amount_fen": 800,
        "reversed_amount_fen": 1_300,
        "attributed_orders": 9,
        "gmv_attributed_fen": 86_000,
        "gmv_increment_fen": 36_000,
        "cost_fen": 2_500,
        "roi": 34.4,
        "refund_amount_fen": 4_000,
        "estimated_commission_fen": 14_600,
        "watch_seconds": 300.0,
        "watch_seconds_without": 200.0,
        "watch_time_uplift": 0.5,
    }


@pytest.mark.rule("KS-MON-1")
def test_of_nothing_nothing_is_told() -> None:
    """A packet that nobody saw has counts of 0 and no ratio, no share, no increment, no seconds."""
    told = asdict(packet_stats(Seen(), {}, Stock(), Brought()))
    unknown = {name for name, value in told.items() if value is None}
    assert unknown == {
        *("claim_rate", "sold_out_seconds", "avg_share_fen", "max_share_fen", "best_luck", "redemption_rate"),
        *("gmv_increment_fen", "roi", "watch_seconds", "watch_seconds_without", "watch_time_uplift"),
    }
    assert all(value in (0, {}) for name, value in told.items() if name not in unknown)


def test_a_show_that_lost_to_the_time_before_says_so() -> None:
    """Increment and uplift go below zero."""
    told = packet_stats(
        Seen(watched_ms=1_000, left=1, watched_before_ms=2_000, left_before=1),
        {},
        Stock(),
        Brought(gmv_fen=300),
        baseline_fen=1_000,
    )
    assert (told.gmv_increment_fen, told.watch_time_uplift) == (-700, -0.5)


def test_nobody_stayed_at_all_before() -> None:
    """A mean stay of nothing cannot be compared with."""
    told = packet_stats(Seen(watched_ms=1_000, left=1, left_before=4), {}, Stock(), Brought())
    assert (told.watch_seconds_without, told.watch_time_uplift) == (0.0, None)


@given(counters(Seen), counters(Stock), counters(Brought))
def test_money_is_whole_and_a_ratio_is_none_exactly_where_nothing_divides(
    seen: Seen, stock: Stock, brought: Brought
) -> None:
    """No counters cause a division by zero or a fraction of a fen."""
    told = packet_stats(seen, {ClaimStatus.GRANTED: stock.given}, stock, brought, baseline_fen=7)
    for name, value in asdict(told).items():
        assert not name.endswith("_fen") or value is None or type(value) is int
    whole = {
        "claim_rate": seen.exposed,
        "avg_share_fen": stock.given,
        "redemption_rate": stock.given,
        "roi": brought.cost_fen,
        "watch_seconds": seen.left,
        "watch_seconds_without": seen.left_before,
        "watch_time_uplift": seen.left and seen.left_before and seen.watched_before_ms,
    }
    assert {name for name in whole if getattr(told, name) is None} == {name for name, by in whole.items() if not by}


@given(st.lists(counters(Seen), max_size=5))
def test_a_creators_counters_are_the_sum_of_its_packets(parts: list[Seen]) -> None:
    """Field by field; of no packet, zeros."""
    total = summed(Seen, parts)
    for field in fields(Seen):
        assert getattr(total, field.name) == sum(getattr(part, field.name) for part in parts)


def test_all_metrics_that_the_rules_name_are_there() -> None:
    """The set of KS-MON-1, with units at the end of the names of money."""
    wanted = (
        "exposed_viewers popup_shown popup_suppressed widget_clicks grab_attempts claims claim_viewers claim_rate "
        "sold_out_seconds claimed_amount_fen avg_share_fen max_share_fen best_luck locked redeemed_count "
        "redeemed_amount_fen redemption_rate expired_amount_fen reversed_amount_fen attributed_orders "
        "gmv_attributed_fen gmv_increment_fen cost_fen roi refund_amount_fen estimated_commission_fen watch_time_uplift"
    )
    assert set(wanted.split()) <= {field.name for field in fields(PacketStats)}


def an_order() -> StepOutcome:
    """Return an order of 1,000 and 1,000 that uses 300 of a packet."""
    packet = a_packet("a", 300)
    quote, _ = best_quote(a_purchase(1_000, 1_000), [], [packet], NOW, DOUYIN)
    return submit("o1", ANNA, quote, [packet], NOW, rulebook=DOUYIN)


@pytest.mark.rule("DY-SET-4")
def test_the_estimate_follows_the_order() -> None:
    """20 % of 2,000 once paid, of 1,500 after a refund of 500; then settled as estimated, and estimated no more."""
    outcomes = [an_order()]
    outcomes.append(pay(outcomes[-1].order, outcomes[-1].assets, NOW + 1, DOUYIN))
    outcomes.append(refund(outcomes[-1].order, outcomes[-1].assets, Refund("r", {"l0": 500}), NOW + 2, DOUYIN))
    final_ms = NOW + 1 + DOUYIN.refund_horizon_ms
    outcomes.append(finish(outcomes[-1].order, outcomes[-1].assets, final_ms, DOUYIN))

    orders = [outcome.order for outcome in outcomes]
    assert [estimate_of(order, RATES, DOUYIN) for order in orders] == [0, 400, 300, 0]
    totals: dict[str, int] = {}
    for before, after in pairwise(orders):
        for name, fen in estimate_gains(before, after, RATES, DOUYIN).items():
            totals[name] = totals.get(name, 0) + fen
    assert totals == {"estimated_fen": 400, "estimate_over_fen": 400}
    commission_fen = settle(orders[0].quote, RATES, DOUYIN, refunded_fen=500).commission_fen
    assert commission_expected(Brought(commission_fen=commission_fen, **totals)) == 300


@pytest.mark.rule("DY-SET-4")
def test_of_an_order_refunded_in_full_no_commission_is_expected() -> None:
    """The estimate is taken back, and nothing is settled."""
    unpaid = an_order()
    paid = pay(unpaid.order, unpaid.assets, NOW + 1, DOUYIN)
    back = refund(paid.order, paid.assets, Refund("r", {"l0": 850, "l1": 850}), NOW + 2, DOUYIN)
    assert back.order.state is OrderState.REFUNDED
    assert estimate_gains(unpaid.order, unpaid.order, RATES, DOUYIN) == {}
    gains = estimate_gains(unpaid.order, paid.order, RATES, DOUYIN) | estimate_gains(
        paid.order, back.order, RATES, DOUYIN
    )
    assert commission_expected(Brought(**gains)) == 0
