"""The books' lines of withdrawals and invoices; whom a withdrawal is paid to stays in the store."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from server.core.ids import CreatorId
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.invoices import Invoice, Invoices
from server.store.withdrawals import Withdrawal, Withdrawals

Line = dict[str, Any]
_PAGE = 500
_OF_WITHDRAWAL = ("withdrawal_id", "creator_id", "channel", "amount_fen", "requested_at_ms", "ended_at_ms")
_OF_INVOICE = ("number", "creator_id", "from_ms", "to_ms", "fee_fen", "requested_at_ms", "issued_at_ms")


async def payout_lines(store: Store, clock: StoreClock, creator_id: CreatorId) -> AsyncIterator[Line]:
    """Yield a line for each withdrawal of a creator, oldest first, and for each invoice, by number."""
    withdrawals, count = Withdrawals(store, clock), 0
    while page := await withdrawals.list(creator_id, skip=count, count=_PAGE):
        count += len(page)
        for withdrawal in page:
            yield _withdrawal(withdrawal)
    for invoice in await Invoices(store, clock).list(creator_id):
        yield _invoice(invoice)


def _withdrawal(withdrawal: Withdrawal) -> Line:
    shown = {name: getattr(withdrawal, name) for name in _OF_WITHDRAWAL}
    return {"kind": "withdrawal", **shown, "state": str(withdrawal.state)}


def _invoice(invoice: Invoice) -> Line:
    shown = {name: getattr(invoice, name) for name in _OF_INVOICE}
    channels = [asdict(each) for each in invoice.channels]
    return {"kind": "invoice", **shown, "state": str(invoice.state), "channels": channels}
