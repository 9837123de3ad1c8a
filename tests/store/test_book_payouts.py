"""Payouts in the books: whatever became of a withdrawal or an invoice, the audit explains it by the real journal."""

import pytest

from loadtest.record.books import Books, books_from
from loadtest.verdict.audit.money import check_money
from loadtest.verdict.audit.payouts import check_payouts
from loadtest.verdict.audit.violation import Findings
from server.commands.request_invoice import request_invoice
from server.core.ids import CreatorId
from server.store.books import export
from server.store.connection import Store
from tests.commands.ground import PAYEE
from tests.store.desk import NOW_MS, Desk

C1 = CreatorId("c1")


def audited(books: Books) -> list[str]:
    findings = Findings()
    check_money(findings, books)
    check_payouts(findings, books)
    return [violation.detail for violation in findings.violations()]


async def read(desk: Desk, *, final: bool) -> Books:
    return books_from([line async for line in export(desk.store, desk.clock, final=final)])


@pytest.mark.rule("DY-ACC-7")
async def test_withdrawals_in_every_state_are_explained(desk: Desk) -> None:
    """One pending, one paid, one that failed and was reported twice; the payee stays in the store."""
    await desk.wallet.recharge(C1, amount_fen=1_000, platform="douyin", transfer_id="r1")
    asked = [await desk.withdrawals.request(C1, amount_fen=100 + n, transfer_id=f"w{n}") for n in range(3)]
    await desk.withdrawals.paid(C1, asked[1].withdrawal_id)
    for _ in range(2):
        await desk.withdrawals.failed(C1, asked[2].withdrawal_id)
    books = await read(desk, final=True)
    states = {each.withdrawal_id: each.state for each in books.withdrawals.values()}
    assert [states[each.withdrawal_id] for each in asked] == ["pending", "paid", "failed"]
    assert audited(books) == []
    assert books.creators[C1].wallet.withdrawn_fen == 100 + 101
    lines = [line async for line in export(desk.store, desk.clock, final=True)]
    assert PAYEE.account not in str(lines)
    assert (await read(desk, final=False)).withdrawals == {}


@pytest.mark.rule("KS-ACC-3")
async def test_an_invoice_shows_the_fees_of_the_journal(store: Store) -> None:
    """Of its period, by channel."""
    desk = await Desk.open(store, "c1", "kuaishou")
    for number, channel in enumerate(("wechat", "alipay", "wechat", "bank")):
        await desk.wallet.recharge(
            C1, amount_fen=1_000 + number, platform="kuaishou", channel=channel, transfer_id=f"r{number}"
        )
    await desk.at(NOW_MS + 10_000)
    await request_invoice(desk.wallet.context, C1, from_ms=0, to_ms=NOW_MS + 5_000, transfer_id="i1")
    books = await read(desk, final=True)
    (invoice,) = books.invoices
    assert {each.channel: each.recharges for each in invoice.channels} == {"wechat": 2, "alipay": 1}
    assert (invoice.state, audited(books)) == ("requested", [])
