"""The platforms: found by their names, true to the sources, and LAB in nobody's way."""

import pytest

from server.core.orders.discount import NATURE, DiscountKind, Stage
from server.core.orders.purchase import GoodsKind, OrderTrait
from server.core.packets.blackout import NO_BLACKOUTS, PROMOTION_818, BlackoutMode, Enforcement
from server.core.packets.packet import Schedule
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB, RULEBOOKS, rulebook_of
from server.core.rulebooks.rulebook import ImmediateWarmup, LaunchMode, PayAfterExpiry, Rulebook

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
SCHEDULE = Schedule(10 * MINUTE, 15 * MINUTE, 25 * MINUTE)


def test_a_rulebook_is_found_by_its_platform() -> None:
    """The name a packet carries is the name under which its limits stand."""
    assert list(RULEBOOKS) == ["douyin", "kuaishou", "lab"]
    for platform, rulebook in RULEBOOKS.items():
        assert rulebook.platform == platform


@pytest.mark.rule("DY-LAU-3")
@pytest.mark.rule("DY-LAU-4")
@pytest.mark.rule("DY-LAU-5")
@pytest.mark.rule("DY-LAU-6")
@pytest.mark.rule("DY-LAU-9")
def test_douyin_launches_by_the_sources_numbers() -> None:
    """2 to 15 minutes, later than 2 minutes, 7 days ahead, warm-up at once within 5, at most two at once."""
    assert DOUYIN.launch_modes == {LaunchMode.RELATIVE, LaunchMode.EXACT}
    assert (DOUYIN.relative_lead_min_ms, DOUYIN.relative_lead_max_ms) == (2 * MINUTE, 15 * MINUTE)
    assert (DOUYIN.exact_lead_min_ms, DOUYIN.exact_lead_strict) == (2 * MINUTE, True)
    assert (DOUYIN.exact_lead_max_ms, DOUYIN.exact_grab_step_ms) == (7 * DAY, 1_000)
    assert (DOUYIN.immediate_warmup_ms, DOUYIN.immediate_warmup_of) == (5 * MINUTE, ImmediateWarmup.WARMUP)
    assert DOUYIN.overlap_max == 2
    assert DOUYIN.popup_min_gap_ms == 0


@pytest.mark.rule("DY-BLK-1")
def test_douyin_keeps_the_promotion_free() -> None:
    """The start of the warm-up counts, and a launch in a slot is refused unless told otherwise (AMB-10)."""
    assert DOUYIN.blackouts == PROMOTION_818
    assert (DOUYIN.blackout_mode, DOUYIN.blackout_enforcement) == (BlackoutMode.WARMUP_START, Enforcement.REJECT)


@pytest.mark.rule("KS-LAU-1")
@pytest.mark.rule("KS-LAU-2")
@pytest.mark.rule("KS-CLM-1")
def test_kuaishou_launches_by_hand_or_by_schedule() -> None:
    """No overlap, no blackout; popups are a minute apart."""
    assert KUAISHOU.launch_modes == {LaunchMode.MANUAL, LaunchMode.SCHEDULED}
    assert (KUAISHOU.overlap_max, KUAISHOU.blackouts) == (None, NO_BLACKOUTS)
    assert KUAISHOU.popup_min_gap_ms == MINUTE


@pytest.mark.rule("ALL-CRE-1")
@pytest.mark.parametrize("rulebook", [DOUYIN, KUAISHOU], ids=lambda rulebook: rulebook.platform)
def test_both_platforms_create_within_the_same_limits(rulebook: Rulebook) -> None:
    """Names of 20, 100,000 shares of 1 to 20,000 fen, ten minutes to grab."""
    assert (rulebook.name_length_max, rulebook.share_count_max) == (20, 100_000)
    assert (rulebook.min_share_fen, rulebook.max_share_fen) == (1, 20_000)
    assert rulebook.claim_window_ms == 10 * MINUTE


@pytest.mark.rule("ALL-CRE-1")
@pytest.mark.rule("DY-LAU-3")
@pytest.mark.rule("DY-LAU-4")
@pytest.mark.rule("DY-LAU-5")
@pytest.mark.rule("DY-REV-8")
def test_a_load_test_trips_over_no_limit_of_lab() -> None:
    """A million shares, an opening at once, any number of popups and packets, and a void until the end."""
    assert (LAB.share_count_max, LAB.max_share_fen, LAB.relative_lead_max_ms) == (1_000_000, 10**9, 7 * DAY)
    assert LAB.launch_modes == set(LaunchMode)
    assert (LAB.relative_lead_min_ms, LAB.exact_lead_min_ms, LAB.exact_grab_step_ms) == (0, 0, 1)
    assert (LAB.popup_min_gap_ms, LAB.overlap_max, LAB.blackouts, LAB.reversal_delay_ms) == (0, None, NO_BLACKOUTS, 0)
    assert LAB.voidable_until_ms(SCHEDULE) == SCHEDULE.claim_end_at_ms


@pytest.mark.rule("DY-STK-2")
@pytest.mark.rule("KS-STK-3")
def test_packets_of_an_order_are_limited_as_the_sources_say() -> None:
    """Ten with the platform's on Douyin; one favor packet on Kuaishou."""
    assert (DOUYIN.packets_per_order_max, DOUYIN.creator_packets_per_order_max) == (10, None)
    assert KUAISHOU.creator_packets_per_order_max == 1


@pytest.mark.rule("DY-USE-4")
@pytest.mark.rule("DY-USE-6")
@pytest.mark.rule("DY-USE-7")
def test_douyin_excludes_what_its_text_lists() -> None:
    """No merged cart, five kinds of goods, three of orders, and no payment after expiry."""
    assert not DOUYIN.cart_merge_allowed
    assert DOUYIN.goods_excluded == set(GoodsKind) - {GoodsKind.ORDINARY, GoodsKind.LOCAL_LIFE}
    assert DOUYIN.orders_excluded == set(OrderTrait)
    assert DOUYIN.pay_after_expiry is PayAfterExpiry.REFUSE


@pytest.mark.rule("KS-PRC-2")
@pytest.mark.rule("KS-PRC-3")
@pytest.mark.parametrize("rulebook", RULEBOOKS.values(), ids=lambda rulebook: rulebook.platform)
def test_every_discount_has_its_turn_once(rulebook: Rulebook) -> None:
    """A kind that is in no order would never be taken off, and one that is in both twice."""
    parallel = {kind for kind in DiscountKind if NATURE[kind][0] in (Stage.SHOP, Stage.PLATFORM)}
    funds = {kind for kind in DiscountKind if NATURE[kind][0] is Stage.FUNDS}
    assert sorted(rulebook.parallel_order) == sorted(parallel)
    assert sorted(rulebook.fund_order) == sorted(funds)
    assert rulebook.parallel_order[-1] is DiscountKind.PLATFORM_COUPON
    assert set(rulebook.best_of_shop) <= parallel


def test_refund_and_settlement_stand_as_resolved() -> None:
    """Refunds are judged by the order, the fee without shipping, the base with platform packets (AMB-18, -21, -37)."""
    for rulebook in RULEBOOKS.values():
        assert not rulebook.item_level_reversal
        assert not rulebook.service_fee_includes_shipping
        assert rulebook.base_includes_platform_packets


def test_a_platform_without_a_rulebook_is_refused() -> None:
    """Also where a store has creators of a platform that this server was not given."""
    assert rulebook_of(RULEBOOKS, "lab") is LAB
    with pytest.raises(Refused) as refused:
        rulebook_of(RULEBOOKS, "acme")
    assert (refused.value.code, refused.value.field) == ("bad_field", "platform")
    assert refused.value.detail == "must be one of douyin, kuaishou, lab"
