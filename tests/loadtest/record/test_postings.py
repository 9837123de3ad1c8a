"""Postings are read from the journal one amount at a time, with the kinds of their accounts."""

from loadtest.record.postings import moves_of
from tests.loadtest.verdict.audit.test_orders import a_run_with_an_order
from tests.loadtest.written_run import a_run


def test_every_posting_of_an_order_is_there() -> None:
    """In the order of the journal, each with the step that made it."""
    books, _ = a_run_with_an_order().read()
    moves = list(moves_of(books))
    assert [move.entry.movement for move in moves] == ["submit", "pay", "pay", *["finish"] * 5]
    assert moves[0].kinds == ("assets", "locked")
    assert [move.kinds for move in moves[-2:]] == [("merchant", "commission"), ("merchant", "service")]
    assert all(move.amount_fen > 0 for move in moves)


def test_an_expiry_is_one_and_a_claim_is_none() -> None:
    """Expiries are movements as well; movements of packets alone are not included."""
    run = a_run()
    assert list(moves_of(run.read()[0])) == []
    sweep = run.of("journal", movement="sweep")[0]
    sweep |= {"movement": "expire", "debit": "assets:c1.p0", "credit": "reversing:c1"}
    (move,) = moves_of(run.read()[0])
    assert (move.kinds, move.amount_fen) == (("assets", "reversing"), sweep["amount_fen"])
