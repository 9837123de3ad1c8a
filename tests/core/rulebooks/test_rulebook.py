"""Rulebooks: found by the name of their platform, true to the sources, and LAB in nobody's way."""

from dataclasses import replace

import pytest

from server.core.money.channel import Charge, FeeMode
from server.core.orders.discount import NATURE, DiscountKind, Stage
from server.core.orders.purchase import GoodsKind, OrderTrait
from server.core.packets.blackout import NO_BLACKOUTS, PROMOTION_818, BlackoutMode, Enforcement
from server.core.packets.packet import Schedule
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import (
    DOUYIN,
    KUAISHOU,
    LAB,
    RULEBOOKS,
    ImmediateWarmup,
    LaunchMode,
    PayAfterExpiry,
    Rulebook,
)

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


@pytest.mark.rule("KS-ACC-2")
@pytest.mark.rule("KS-ACC-4")
@pytest.mark.parametrize(
    ("channel", "fee_fen"), [("wechat", 100), ("alipay", 100), ("bank", 0), ("transfer", 0)], ids=str
)
def test_kuaishou_takes_one_percent_on_both_scans(channel: str, fee_fen: int) -> None:
    """A recharge of 10,000: on top of it 100 by a scan, nothing by bank or offline transfer."""
    charge = KUAISHOU.charge(10_000, channel)
    assert (charge.paid_fen, charge.credited_fen, charge.fee_fen) == (10_000 + fee_fen, 10_000, fee_fen)


@pytest.mark.rule("KS-ACC-4")
def test_who_bears_the_fee_is_a_policy() -> None:
    """Deducted, the payer pays the amount and the wallet gets the rest (AMB-3); the least fee is a fen."""
    deducted = replace(KUAISHOU, fee_mode=FeeMode.DEDUCTED)
    assert deducted.charge(10_000, "wechat") == Charge(credited_fen=9_900, fee_fen=100)
    assert KUAISHOU.charge(1, "wechat") == Charge(credited_fen=1, fee_fen=1)
    assert replace(KUAISHOU, fee_min_fen=2).charge(1, "wechat") == Charge(credited_fen=1, fee_fen=2)


@pytest.mark.rule("KS-ACC-2")
@pytest.mark.parametrize(
    ("rulebook", "channel", "rule"),
    [(KUAISHOU, "card", "KS-ACC-2"), (KUAISHOU, "unspecified", "KS-ACC-2"), (DOUYIN, "wechat", "AMB-27")],
)
def test_a_channel_must_be_offered(rulebook: Rulebook, channel: str, rule: str) -> None:
    """Kuaishou names four channels; of Douyin none is known, and it takes no fee (AMB-27)."""
    with pytest.raises(Refused) as refused:
        rulebook.charge(10_000, channel)
    assert (refused.value.code, refused.value.field, refused.value.rule) == ("channel_not_offered", "channel", rule)
    assert DOUYIN.charge(10_000, DOUYIN.recharge_channel()) == Charge(credited_fen=10_000, fee_fen=0)


def test_lab_takes_any_channel_and_no_fee() -> None:
    """A load test recharges over whatever it likes, and gets it out again so."""
    assert LAB.charge(10_000, "wechat") == LAB.charge(10_000, "card") == Charge(credited_fen=10_000, fee_fen=0)
    assert (LAB.recharge_channel(), KUAISHOU.recharge_channel()) == ("bank", "bank")
    assert (LAB.withdraw_channel("card"), LAB.withdraw_channel(None)) == ("card", "bank")


@pytest.mark.rule("DY-ACC-7")
def test_douyin_pays_out_over_alipay_alone_and_kuaishou_not_at_all() -> None:
    """What Kuaishou never mentions is not offered (AMB-27)."""
    assert DOUYIN.withdraw_channel(None) == DOUYIN.withdraw_channel("alipay") == "alipay"
    with pytest.raises(Refused) as refused:
        DOUYIN.withdraw_channel("bank")
    assert (refused.value.code, refused.value.rule) == ("channel_not_offered", "DY-ACC-7")
    for channel in (None, "alipay"):
        with pytest.raises(Refused) as refused:
            KUAISHOU.withdraw_channel(channel)
        assert (refused.value.code, refused.value.rule) == ("withdraw_unsupported", "AMB-27")


@pytest.mark.rule("ALL-CRE-1")
@pytest.mark.parametrize("rulebook", [DOUYIN, KUAISHOU], ids=lambda rulebook: rulebook.platform)
def test_both_platforms_create_within_the_same_limits(rulebook: Rulebook) -> None:
    """Names of 20, 100,000 shares of 1 to 20,000 fen, ten minutes to grab."""
    assert (rulebook.name_length_max, rulebook.share_count_max) == (20, 100_000)
    assert (rulebook.min_share_fen, rulebook.max_share_fen) == (1, 20_000)
    assert rulebook.claim_window_ms == 10 * MINUTE


@pytest.mark.rule("ALL-REV-1")
@pytest.mark.rule("DY-VOI-2")
@pytest.mark.parametrize("rulebook", [DOUYIN, KUAISHOU], ids=lambda rulebook: rulebook.platform)
def test_a_void_must_come_two_minutes_before_the_warm_up(rulebook: Rulebook) -> None:
    """Kuaishou states no void; what holds for its reversal holds for its limit too (ALL-REV-1)."""
    assert rulebook.voidable_until_ms(SCHEDULE) == 8 * MINUTE


@pytest.mark.rule("DY-VOI-2")
def test_what_warms_up_at_once_was_never_voidable() -> None:
    """A warm-up that begins with the launch lies within the two minutes (AMB-11)."""
    now_ms = 10 * MINUTE
    assert DOUYIN.voidable_until_ms(Schedule(now_ms, now_ms + 1, now_ms + 2)) < now_ms


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
