"""Recharging: the platform says over which channels and at what fee, and the first recharge says which platform."""

import asyncio
from dataclasses import replace

import pytest

from server.core.ids import CreatorId
from server.core.money.channel import FeeMode
from server.core.refusal import Refused
from server.core.rulebooks.platforms import KUAISHOU
from server.store.wallet import Recharged, WalletFunds
from tests.commands.ground import Purse
from tests.store.desk import Desk

C1 = CreatorId("c1")


@pytest.mark.rule("KS-ACC-2")
@pytest.mark.rule("KS-ACC-4")
@pytest.mark.parametrize(("channel", "fee_fen"), [("wechat", 100), ("alipay", 100), ("bank", 0), ("transfer", 0)])
async def test_a_scan_costs_one_percent_on_top(desk: Desk, channel: str, fee_fen: int) -> None:
    """The vector of section 3: 10,000 by WeChat is 10,100 paid, 10,000 credited, 100 fee; by bank there is none."""
    recharged = await desk.wallet.recharge(
        C1, amount_fen=10_000, channel=channel, platform="kuaishou", transfer_id="r1"
    )

    assert (recharged.paid_fen, recharged.credited_fen, recharged.fee_fen) == (10_000 + fee_fen, 10_000, fee_fen)
    assert recharged.funds == WalletFunds(10_000, 10_000, 0, 0, 0)
    (entry,) = await desk.journal()
    assert (entry["debit"], entry["amount_fen"], entry.get("fee_fen", "0")) == (
        f"psp:{channel}",
        "10000",
        str(fee_fen),
    )


@pytest.mark.rule("KS-ACC-4")
async def test_a_deducted_fee_is_taken_off_the_amount(desk: Desk) -> None:
    """In the other mode 10,000 are paid and 9,900 credited (AMB-3); asked again, the outcome is the same."""
    rulebook = replace(KUAISHOU, fee_mode=FeeMode.DEDUCTED)
    wallet = Purse(desk.store, desk.clock, {"kuaishou": rulebook})
    asked = {"amount_fen": 10_000, "channel": "wechat", "platform": "kuaishou", "transfer_id": "r1"}

    first = await wallet.recharge(C1, **asked)

    assert (first.paid_fen, first.credited_fen, first.fee_fen) == (10_000, 9_900, 100)
    assert first.funds.available_fen == first.funds.recharged_fen == 9_900
    assert first == await desk.wallet.recharge(C1, **asked)


async def test_the_first_recharge_settles_the_platform(desk: Desk) -> None:
    """Later recharges may omit the platform but not change it; without any it is lab."""
    assert await desk.wallet.platform(C1) is None
    await desk.wallet.recharge(C1, amount_fen=500, platform="douyin", transfer_id="r1")
    await desk.wallet.recharge(C1, amount_fen=500, transfer_id="r2")
    before = await desk.state()

    for platform, code in (("lab", "other_platform"), ("kuaishou", "other_platform"), ("tiktok", "bad_field")):
        with pytest.raises(Refused) as refusal:
            await desk.wallet.recharge(C1, amount_fen=500, platform=platform, transfer_id="r3")
        assert (refusal.value.code, refusal.value.field) == (code, "platform")

    assert before == await desk.state()
    assert await desk.wallet.platform(C1) == "douyin"
    assert [entry["debit"] for entry in await desk.journal()] == ["psp:unspecified", "psp:unspecified"]
    await desk.wallet.recharge(CreatorId("c2"), amount_fen=5, transfer_id="r")
    assert await desk.wallet.platform(CreatorId("c2")) == "lab"


async def test_first_recharges_at_once_agree_on_one_platform(desk: Desk) -> None:
    """Whichever of them comes first settles it; those that name none follow."""
    attempts = [
        desk.wallet.recharge(C1, amount_fen=1, platform=platform, transfer_id=f"r{number}")
        for number, platform in enumerate([None, "douyin", None, "lab", None, "douyin"] * 5)
    ]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)

    carried_out = [outcome for outcome in outcomes if isinstance(outcome, Recharged)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert len(carried_out) + len(refused) == 30
    assert {refusal.code for refusal in refused} <= {"other_platform"}
    assert len(carried_out) >= 15  # those that named no platform, at least
    assert (await desk.wallet.funds(C1)).available_fen == len(carried_out)


@pytest.mark.rule("KS-ACC-2")
async def test_a_channel_that_is_not_offered_leaves_no_trace(desk: Desk) -> None:
    """The platform's list of channels decides before anything is written."""
    before = await desk.state()
    with pytest.raises(Refused) as refusal:
        await desk.wallet.recharge(C1, amount_fen=5, channel="card", platform="kuaishou", transfer_id="r1")
    assert (refusal.value.code, refusal.value.rule) == ("channel_not_offered", "KS-ACC-2")
    assert before == await desk.state()
