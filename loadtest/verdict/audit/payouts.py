"""
Payouts (A10): each withdrawal is paid once or comes back once, and each invoice holds the fees that were charged.

Withdrawals and invoices of the final books are held against the journal, and against what their creators were told.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from loadtest.record.books import Books
from loadtest.record.journal import JournalRecord
from loadtest.record.payouts import BookedInvoice, BookedWithdrawal
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.violation import Findings
from server.core.ids import CreatorId

_ENDS = {"pending": (), "paid": ("withdraw_paid",), "failed": ("withdraw_failed",)}
"""The movements that end a withdrawal, by its state: each happens once."""


def check_payouts(findings: Findings, books: Books, happenings: Sequence[Mapping[str, Any]] = ()) -> None:
    """Check withdrawals and invoices of final books; *happenings* are those of ``run.json``."""
    if not books.final:
        return
    steps: defaultdict[str, list[JournalRecord]] = defaultdict(list)
    recharges: defaultdict[CreatorId, list[JournalRecord]] = defaultdict(list)
    for entry in books.journal.besides_claims:
        if entry.withdrawal_id:
            steps[entry.withdrawal_id].append(entry)
        if entry.movement == "recharge":
            recharges[entry.creator_id].append(entry)
    for withdrawal in books.withdrawals.values():
        its = steps.get(withdrawal.withdrawal_id, [])
        if withdrawal.creator_id in books.openings and not any(step.movement == "withdraw" for step in its):
            continue  # its beginning was retired
        for text in _withdrawal_faults(withdrawal, its):
            shown = evidence_of("withdrawal", withdrawal), *(evidence_of("journal", step) for step in its)
            findings.add("A10", "", f"withdrawal {withdrawal.state}", text, *shown)
    for creator_id, invoices in _by_creator(books).items():
        entries = None if creator_id in books.openings else recharges.get(creator_id, [])
        for invoice, text in _invoice_faults(invoices, entries):
            findings.add("A10", "", f"invoice {creator_id}", text, evidence_of("invoice", invoice))
    for text in _untrue(books, happenings):
        findings.add("A10", "", "payout told", text)


def _withdrawal_faults(withdrawal: BookedWithdrawal, steps: Sequence[JournalRecord]) -> Iterator[str]:
    name = f"withdrawal {withdrawal.withdrawal_id} of {withdrawal.amount_fen} fen"
    if withdrawal.state not in _ENDS:
        yield f"{name} is {withdrawal.state}, which is no state"
        return
    wanted = [("withdraw", withdrawal.amount_fen), *((end, withdrawal.amount_fen) for end in _ENDS[withdrawal.state])]
    moved = [(step.movement, step.amount_fen) for step in steps if step.creator_id == withdrawal.creator_id]
    if moved != wanted:
        said = ", ".join(f"{movement} {fen}" for movement, fen in moved) or "nothing"
        yield f"{name} is {withdrawal.state}, but the journal of {withdrawal.creator_id} has: {said}"


def _by_creator(books: Books) -> dict[CreatorId, list[BookedInvoice]]:
    found: defaultdict[CreatorId, list[BookedInvoice]] = defaultdict(list)
    for invoice in books.invoices:
        found[invoice.creator_id].append(invoice)
    return dict(found)


def _invoice_faults(
    invoices: Sequence[BookedInvoice], recharges: Sequence[JournalRecord] | None
) -> Iterator[tuple[BookedInvoice, str]]:
    """Yield the faults of a creator's invoices; without all of its *recharges* the fees cannot be added up."""
    for place, invoice in enumerate(sorted(invoices, key=lambda invoice: invoice.number), start=1):
        if invoice.number != place:
            yield invoice, f"{invoice.creator_id}'s invoices are not numbered from 1: {place} is missing or there twice"
            return
    in_time = sorted(invoices, key=lambda invoice: invoice.from_ms)
    for earlier, later in pairwise(in_time):
        if later.from_ms < earlier.to_ms:
            yield later, f"invoices {earlier.number} and {later.number} of {later.creator_id} overlap"
            return
    charged = sorted((entry for entry in recharges or () if entry.fee_fen), key=lambda entry: entry.at_ms)
    instants = [entry.at_ms for entry in charged]
    for invoice in in_time:
        name = f"invoice {invoice.number} of {invoice.creator_id}"
        if invoice.from_ms >= invoice.to_ms:
            yield invoice, f"{name} is of no time"
        its = charged[bisect_left(instants, invoice.from_ms) : bisect_left(instants, invoice.to_ms)]
        shown = {each.channel: (each.recharges, each.credited_fen, each.fee_fen) for each in invoice.channels}
        if recharges is not None and shown != (fees := _fees(its)):
            yield invoice, f"{name} shows fees of {shown}, but charged were {fees}"
        if invoice.fee_fen != sum(fee_fen for _, _, fee_fen in shown.values()):
            yield invoice, f"the fees of {name} do not add up to {invoice.fee_fen} fen"


def _fees(recharges: Sequence[JournalRecord]) -> dict[str, tuple[int, int, int]]:
    """Return, by channel, how many recharges there were, and what they credited and cost."""
    fees: dict[str, tuple[int, int, int]] = {}
    for entry in recharges:
        channel = entry.debit.partition(":")[2]
        count, credited_fen, fee_fen = fees.get(channel, (0, 0, 0))
        fees[channel] = (count + 1, credited_fen + entry.amount_fen, fee_fen + (entry.fee_fen or 0))
    return fees


def _untrue(books: Books, happenings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what creators were told last of a withdrawal or an invoice and the books deny."""
    states = {name: withdrawal.state for name, withdrawal in books.withdrawals.items()}
    states |= {f"{each.creator_id} {each.number}": each.state for each in books.invoices}
    told = {str(each["payout_id"]): str(each.get("outcome")) for each in happenings if each.get("payout_id")}
    for name, state in told.items():
        if states.get(name) != state:
            yield f"payout {name} was told to be {state}, but in the books it is {states.get(name, 'missing')}"
