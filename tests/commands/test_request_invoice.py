"""Requesting an invoice: of a period that is over, in which fees were charged."""

import pytest

from server.commands.request_invoice import request_invoice
from server.core.ids import CreatorId
from server.core.refusal import Refused
from tests.commands.ground import context_of
from tests.store.desk import NOW_MS, Desk

C1 = CreatorId("c1")


@pytest.mark.rule("KS-ACC-3")
async def test_an_invoice_has_the_fees_of_its_period(desk: Desk) -> None:
    """Fees before and after it are others'; a repetition is the same invoice."""
    for number, at_ms in enumerate((NOW_MS, NOW_MS + 10, NOW_MS + 20)):
        await desk.at(at_ms)
        asked = {"amount_fen": 10_000 * (number + 1), "platform": "kuaishou", "channel": "wechat"}
        await desk.wallet.recharge(C1, **asked, transfer_id=f"r{number}")
    await desk.at(NOW_MS + 30)
    context = context_of(desk.store, desk.clock)
    period = {"from_ms": NOW_MS + 1, "to_ms": NOW_MS + 20}
    invoice = await request_invoice(context, C1, **period, transfer_id="i")
    assert (invoice.number, invoice.fee_fen) == (1, 200)
    assert invoice == await request_invoice(context, C1, **period, transfer_id="i")


@pytest.mark.rule("KS-ACC-3")
@pytest.mark.parametrize(
    ("from_ms", "to_ms", "said"),
    [
        (NOW_MS, NOW_MS, ("bad_field", "to_ms", "")),
        (NOW_MS, NOW_MS - 1, ("bad_field", "to_ms", "")),
        (NOW_MS - 5, NOW_MS + 1, ("bad_field", "to_ms", "")),
        (NOW_MS - 5, NOW_MS, ("no_fees", "from_ms", "KS-ACC-3")),
    ],
)
async def test_a_period_that_cannot_be_invoiced_is_refused(
    desk: Desk, from_ms: int, to_ms: int, said: tuple[str, str, str]
) -> None:
    """It must not be empty, must be over, and must have fees; what is refused leaves no trace."""
    await desk.wallet.recharge(C1, amount_fen=100, platform="kuaishou", channel="bank", transfer_id="r")
    before = await desk.state()
    with pytest.raises(Refused) as refusal:
        await request_invoice(context_of(desk.store, desk.clock), C1, from_ms=from_ms, to_ms=to_ms, transfer_id="i")
    assert (refusal.value.code, refusal.value.field, refusal.value.rule) == said
    assert before == await desk.state()
