"""Invoices: numbered, of periods that do not overlap, issued once (AMB-57)."""

import asyncio
from typing import Any

import pytest

from server.core.ids import CreatorId
from server.core.refusal import Refused
from server.core.rulebooks.platforms import KUAISHOU
from server.store.invoices import Invoice, Invoices, InvoiceState
from server.store.wallet import ChannelFees
from tests.store.desk import NOW_MS, Desk

C1 = CreatorId("c1")
FEES = [ChannelFees("alipay", 1, 70, 1), ChannelFees("wechat", 2, 10_150, 102)]


async def refusal_of(attempt: Any) -> tuple[str, str, str]:
    with pytest.raises(Refused) as refusal:
        await attempt
    return refusal.value.code, refusal.value.field, refusal.value.rule


@pytest.mark.rule("KS-ACC-3")
async def test_an_invoice_is_requested_then_issued(desk: Desk) -> None:
    """It keeps its period and its fees; a repetition of either step changes nothing."""
    invoices = Invoices(desk.store, desk.clock)
    asked = await invoices.request(C1, KUAISHOU, 10, 20, FEES, transfer_id="i1")
    assert asked == Invoice(1, C1, InvoiceState.REQUESTED, 10, 20, 103, FEES, NOW_MS, None)
    assert asked == await invoices.request(C1, KUAISHOU, 10, 20, FEES, transfer_id="i1")

    await desk.at(NOW_MS + 7)
    issued = await invoices.issue(C1, 1)

    assert (issued.state, issued.issued_at_ms) == (InvoiceState.ISSUED, NOW_MS + 7)
    before = await desk.state()
    assert issued == await invoices.issue(C1, 1)
    assert before == await desk.state()
    assert await refusal_of(invoices.issue(C1, 2)) == ("not_found", "number", "")
    assert await refusal_of(invoices.request(C1, KUAISHOU, 10, 21, FEES, transfer_id="i1")) == (
        *("transfer_conflict", "transfer_id", ""),
    )


@pytest.mark.rule("KS-ACC-3")
@pytest.mark.parametrize(
    ("from_ms", "to_ms", "overlaps"),
    [(0, 10, False), (20, 30, False), (35, 40, False), (50, 60, False),
     (0, 11, True), (19, 25, True), (10, 20, True), (12, 13, True), (0, 100, True), (45, 99, True), (20, 31, True)],
)  # fmt: skip
async def test_a_period_overlaps_no_earlier_one(desk: Desk, from_ms: int, to_ms: int, *, overlaps: bool) -> None:
    """Periods include their start and not their end; numbers follow the requests, not the periods."""
    invoices = Invoices(desk.store, desk.clock)
    for number, period in enumerate([(40, 50), (10, 20), (30, 35)]):
        await invoices.request(C1, KUAISHOU, *period, FEES, transfer_id=f"i{number}")
    before = await desk.state()
    attempt = invoices.request(C1, KUAISHOU, from_ms, to_ms, FEES, transfer_id="new")
    if overlaps:
        assert await refusal_of(attempt) == ("invoice_overlaps", "from_ms", "KS-ACC-3")
        assert before == await desk.state()
    else:
        assert (await attempt).number == 4
        assert [each.from_ms for each in await invoices.list(C1)] == [40, 10, 30, from_ms]


async def test_requests_at_once_get_a_number_each(desk: Desk) -> None:
    """Whoever loses the race for a number is told to ask again; no number is given twice or left out."""
    invoices = Invoices(desk.store, desk.clock)
    attempts = [invoices.request(C1, KUAISHOU, n, n + 1, FEES, transfer_id=f"i{n}") for n in range(8)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    made = [one for one in outcomes if isinstance(one, Invoice)]
    assert sorted(one.number for one in made) == list(range(1, len(made) + 1))
    assert {one.code for one in outcomes if isinstance(one, Refused)} <= {"raced"}
    assert len(made) + sum(isinstance(one, Refused) for one in outcomes) == 8
