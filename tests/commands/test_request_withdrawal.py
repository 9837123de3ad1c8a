"""Asking for a withdrawal: the platform says over which channel, and whether there is one at all."""

import pytest

from server.core.ids import CreatorId
from server.core.refusal import Refused
from server.store.withdrawals import WithdrawalState
from tests.store.desk import Desk

C1 = CreatorId("c1")
S = WithdrawalState


async def of_douyin(desk: Desk, amount_fen: int = 1_000) -> None:
    await desk.wallet.recharge(C1, amount_fen=amount_fen, platform="douyin", transfer_id="r1")


async def refusal_of(attempt: object) -> tuple[str, str, str]:
    with pytest.raises(Refused) as refusal:
        await attempt  # type: ignore[misc]
    return refusal.value.code, refusal.value.field, refusal.value.rule


@pytest.mark.rule("DY-ACC-7")
@pytest.mark.parametrize(
    ("platform", "channel", "said"),
    [
        ("douyin", "bank", ("channel_not_offered", "channel", "DY-ACC-7")),
        ("kuaishou", None, ("withdraw_unsupported", "", "AMB-27")),
        ("kuaishou", "alipay", ("withdraw_unsupported", "", "AMB-27")),
        ("lab", "a:b", ("bad_id", "channel", "")),
    ],
)
async def test_the_platform_says_how_money_goes_out(
    desk: Desk, platform: str, channel: str | None, said: tuple[str, str, str]
) -> None:
    """Douyin pays over Alipay alone, Kuaishou not at all, and what is refused leaves no trace."""
    paid_by = "unspecified" if platform == "douyin" else "bank"
    await desk.wallet.recharge(C1, amount_fen=1_000, platform=platform, channel=paid_by, transfer_id="r1")
    before = await desk.state()
    assert said == await refusal_of(desk.withdrawals.request(C1, amount_fen=1, channel=channel, transfer_id="w1"))
    assert before == await desk.state()
