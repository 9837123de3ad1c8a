"""
Sales (A10): the payments and refunds in answers to buyers equal the journal's movements, to the fen.

A repeated step gets the first answer again, and each answer follows from those before it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from client_sim.buyer import Deed
from loadtest.record.books import Books
from loadtest.record.postings import moves_of
from loadtest.record.sales import AnswerRecord, SaleRecord, Sales
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.asked import check_asked_for
from loadtest.verdict.audit.violation import Findings
from server.core.ids import PLATFORM, OrderId, home_of

_STATES: dict[Deed, frozenset[str]] = {
    Deed.ORDER: frozenset({"submitted_unpaid"}),
    Deed.PAY: frozenset({"paid"}),
    Deed.CANCEL: frozenset({"cancelled"}),
    Deed.REFUND: frozenset({"paid", "refunded"}),
}
"""The states that may be answered after each step of an order."""


UNDER_WAY = frozenset({"locked", "redeemed", "reversing", "clearing"})
"""Accounts that hold money only for a while: zero once all orders are final and all reversals have arrived."""


def check_sales(findings: Findings, sales: Sales, books: Books, *, all_over: bool = True) -> None:
    """
    Check every order against the journal, and every answer against the ones before it.

    Unless the shop saw everything to its end (*all_over*), money may still be under way.
    """
    paid: Counter[str] = Counter()
    back: Counter[str] = Counter()
    for move in moves_of(books):
        order_id = move.entry.order_id or ""
        if move.kinds == ("buyer", "clearing"):
            paid[order_id] += move.amount_fen
        elif move.kinds == ("clearing", "buyer"):
            back[order_id] += move.amount_fen
    for order in sales.sales:
        for kind, text in _faults(order, paid[order.order_id], back[order.order_id]):
            findings.add("A10", "", kind, text, evidence_of("sale", order))
        if books.final:
            _check_end(findings, order, books)
    if books.final and all_over:
        _check_cleared(findings, sales, books)
        check_asked_for(findings, sales, books)
    answers: defaultdict[OrderId, list[AnswerRecord]] = defaultdict(list)
    for answer in sales.answers:
        if answer.order_id is not None and answer.deed is not Deed.REPORT and not answer.code:
            answers[answer.order_id].append(answer)
    for of_order in answers.values():
        _check_answers(findings, of_order)


def _faults(order: SaleRecord, paid_fen: int, back_fen: int) -> Iterator[tuple[str, str]]:
    """Yield the differences between the journal and the answers to the buyer: a word and a sentence each."""
    told_fen = 0 if order.paid_at_ms is None else order.payable_fen
    if paid_fen != told_fen:
        yield "order paid", f"{order.viewer_id} was told to have paid {told_fen} fen, but the journal took {paid_fen}"
    told_back_fen = told_fen - order.kept_fen
    if back_fen != told_back_fen:
        yield (
            "order refunded",
            f"{order.viewer_id} was told of {told_back_fen} fen refunded, but the journal gave {back_fen}",
        )


def _check_end(findings: Findings, sale: SaleRecord, books: Books) -> None:
    """Check that the order ended in the books as its buyer was told."""
    order = books.orders.get(sale.order_id)
    if order is None:
        text = f"{sale.viewer_id} was told of order {sale.order_id}, which the books do not have"
        findings.add("A10", "", "order missing", text, evidence_of("sale", sale))
    elif (order.state, order.payable_fen, order.viewer_id) != (sale.state, sale.payable_fen, sale.viewer_id):
        text = f"order {sale.order_id} ended otherwise than {sale.viewer_id} was told"
        findings.add("A10", "", "order end", text, evidence_of("sale", sale), evidence_of("order", order))


def _check_cleared(findings: Findings, sales: Sales, books: Books) -> None:
    """Check that the clearing accounts of the shop's creators and the platform are empty: the storm waited for that."""
    ours = {home_of(sale.order_id) for sale in sales.sales} | {PLATFORM}
    balances: Counter[str] = Counter()
    for opening in books.openings.values():
        balances.update(opening.accounts)
    for entry in books.journal.besides_claims:  # claims move nothing there
        for move in entry.moves:
            balances[move.debit] -= move.amount_fen
            balances[move.credit] += move.amount_fen
    for account, fen in balances.items():
        kind, _, owner = account.partition(":")
        if fen and kind in UNDER_WAY and owner.partition(".")[0] in ours:
            text = f"everything is over, but {account} still holds {fen} fen"
            wallets = (books.creators[creator] for creator in ours if creator in books.creators)
            findings.add("A10", "", f"cleared {account}", text, *(evidence_of("creator", each) for each in wallets))


def _check_answers(findings: Findings, answers: list[AnswerRecord]) -> None:
    """Check the answers about one order, in the order in which its buyer got them."""
    asked_fen = 0
    last: AnswerRecord | None = None
    for answer in answers:
        if answer.repeated and last is not None:
            again = (answer.state, answer.payable_fen, answer.kept_fen)
            if again != (last.state, last.payable_fen, last.kept_fen):
                text = f"asked again to {answer.deed}, {answer.viewer_id} was answered otherwise"
                findings.add(
                    "A10", "", "answer again", text, evidence_of("answer", last), evidence_of("answer", answer)
                )
            continue
        asked_fen += answer.asked_fen or 0
        kept_fen = (answer.payable_fen or 0) - asked_fen if answer.deed in (Deed.PAY, Deed.REFUND) else 0
        if answer.state not in _STATES[answer.deed] or answer.kept_fen != kept_fen:
            text = f"after a {answer.deed} {answer.viewer_id} was told of {answer.state}, {answer.kept_fen} fen kept"
            findings.add("A10", "", f"answer {answer.deed}", text, evidence_of("answer", answer))
        last = answer
