"""Funding: what a recharge comes to, how money goes out, and to whom."""

from dataclasses import replace

import pytest

from server.core.money.channel import Charge, FeeMode
from server.core.money.payee import Payee
from server.core.refusal import Refused
from server.core.rulebooks.funding import charge_of, check_payee, recharge_channel, withdraw_channel
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import Rulebook


@pytest.mark.rule("KS-ACC-2")
@pytest.mark.rule("KS-ACC-4")
@pytest.mark.parametrize(
    ("channel", "fee_fen"), [("wechat", 100), ("alipay", 100), ("bank", 0), ("transfer", 0)], ids=str
)
def test_kuaishou_takes_one_percent_on_both_scans(channel: str, fee_fen: int) -> None:
    """A recharge of 10,000: on top of it 100 by a scan, nothing by bank or offline transfer."""
    charge = charge_of(KUAISHOU, 10_000, channel)
    assert (charge.paid_fen, charge.credited_fen, charge.fee_fen) == (10_000 + fee_fen, 10_000, fee_fen)


@pytest.mark.rule("KS-ACC-4")
def test_who_bears_the_fee_is_a_policy() -> None:
    """Deducted, the payer pays the amount and the wallet gets the rest (AMB-3); the least fee is a fen."""
    deducted = replace(KUAISHOU, fee_mode=FeeMode.DEDUCTED)
    assert charge_of(deducted, 10_000, "wechat") == Charge(credited_fen=9_900, fee_fen=100)
    assert charge_of(KUAISHOU, 1, "wechat") == Charge(credited_fen=1, fee_fen=1)
    assert charge_of(replace(KUAISHOU, fee_min_fen=2), 1, "wechat") == Charge(credited_fen=1, fee_fen=2)


@pytest.mark.rule("KS-ACC-2")
@pytest.mark.parametrize(
    ("rulebook", "channel", "rule"),
    [(KUAISHOU, "card", "KS-ACC-2"), (KUAISHOU, "unspecified", "KS-ACC-2"), (DOUYIN, "wechat", "AMB-27")],
)
def test_a_channel_must_be_offered(rulebook: Rulebook, channel: str, rule: str) -> None:
    """Kuaishou names four channels; of Douyin none is known, and it takes no fee (AMB-27)."""
    with pytest.raises(Refused) as refused:
        charge_of(rulebook, 10_000, channel)
    assert (refused.value.code, refused.value.field, refused.value.rule) == ("channel_not_offered", "channel", rule)
    assert charge_of(DOUYIN, 10_000, recharge_channel(DOUYIN)) == Charge(credited_fen=10_000, fee_fen=0)


def test_lab_takes_any_channel_and_no_fee() -> None:
    """A load test recharges over whatever it likes, and gets it out again so."""
    assert charge_of(LAB, 10_000, "wechat") == charge_of(LAB, 10_000, "card") == Charge(credited_fen=10_000, fee_fen=0)
    assert recharge_channel(LAB) == "bank"
    with pytest.raises(Refused) as refused:
        recharge_channel(KUAISHOU)  # AMB-57: it must be chosen
    assert (refused.value.code, refused.value.field, refused.value.rule) == ("bad_field", "channel", "KS-ACC-2")
    assert (withdraw_channel(LAB, "card"), withdraw_channel(LAB, None)) == ("card", "bank")


@pytest.mark.rule("DY-ACC-7")
def test_douyin_pays_out_over_alipay_alone_and_kuaishou_not_at_all() -> None:
    """Kuaishou's text mentions no withdrawal, so none is offered (AMB-27)."""
    assert withdraw_channel(DOUYIN, None) == withdraw_channel(DOUYIN, "alipay") == "alipay"
    with pytest.raises(Refused) as refused:
        withdraw_channel(DOUYIN, "bank")
    assert (refused.value.code, refused.value.rule) == ("channel_not_offered", "DY-ACC-7")
    for channel in (None, "alipay"):
        with pytest.raises(Refused) as refused:
            withdraw_channel(KUAISHOU, channel)
        assert (refused.value.code, refused.value.rule) == ("withdraw_unsupported", "AMB-27")


@pytest.mark.rule("DY-ACC-7")
def test_douyin_wants_to_know_the_payee() -> None:
    """A withdrawal names its payee (AMB-57); the lab may leave it out."""
    with pytest.raises(Refused) as refused:
        check_payee(DOUYIN, None)
    assert (refused.value.code, refused.value.field, refused.value.rule) == ("bad_field", "payee", "DY-ACC-7")
    check_payee(DOUYIN, Payee("Mei", "mei@example.com"))
    check_payee(LAB, None)
