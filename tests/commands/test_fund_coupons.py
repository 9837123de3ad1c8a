"""Funding coupons: the creator's platform says what is refused and how long money takes to come back."""

import pytest

from server.commands.fund_coupons import fund_coupons
from server.core.ids import CreatorId
from server.core.refusal import Refused
from tests.commands.ground import context_of
from tests.store.desk import Desk

C1 = CreatorId("c1")


@pytest.mark.rule("DY-ACC-6")
@pytest.mark.parametrize("platform", ["douyin", "kuaishou", "lab"])
async def test_what_is_too_much_is_refused_by_the_creators_platform(desk: Desk, platform: str) -> None:
    """The rule is the platform's, and its delay is kept with the budget."""
    await desk.wallet.recharge(
        C1, amount_fen=10, platform=platform, channel=None if platform == "douyin" else "bank", transfer_id="r"
    )
    context = context_of(desk.store, desk.clock)
    with pytest.raises(Refused) as refusal:
        await fund_coupons(context, C1, amount_fen=11, transfer_id="b")
    assert (refusal.value.code, refusal.value.rule) == (
        "insufficient_funds",
        context.rulebook(platform).rule("DY-ACC-6"),
    )
    budget = await fund_coupons(context, C1, amount_fen=10, transfer_id="b")
    assert (await desk.wallet.funds(C1)).available_fen == 0
    kept = await desk.store.redis.hget(f"{{c1}}:coupon_budget:{budget.budget_id}", "reversal_delay_ms")
    assert kept == str(context.rulebook(platform).reversal_delay_ms).encode()
