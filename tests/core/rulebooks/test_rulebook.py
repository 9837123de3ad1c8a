"""Rulebooks: what a recharge comes to, how money goes out, and until when a packet can be voided."""

from dataclasses import replace

import pytest

from server.core.money.channel import Charge, FeeMode
from server.core.packets.packet import Schedule
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import Rulebook

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
SCHEDULE = Schedule(10 * MINUTE, 15 * MINUTE, 25 * MINUTE)


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
    """Kuaishou's text mentions no withdrawal, so none is offered (AMB-27)."""
    assert DOUYIN.withdraw_channel(None) == DOUYIN.withdraw_channel("alipay") == "alipay"
    with pytest.raises(Refused) as refused:
        DOUYIN.withdraw_channel("bank")
    assert (refused.value.code, refused.value.rule) == ("channel_not_offered", "DY-ACC-7")
    for channel in (None, "alipay"):
        with pytest.raises(Refused) as refused:
            KUAISHOU.withdraw_channel(channel)
        assert (refused.value.code, refused.value.rule) == ("withdraw_unsupported", "AMB-27")


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
