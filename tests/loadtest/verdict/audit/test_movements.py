"""Entries looked at alone: what no step of an order may move."""

from typing import Any

import pytest

from tests.loadtest.verdict.audit.test_orders import ORDER, a_run_with_an_order


@pytest.mark.parametrize(
    ("movement", "change", "said"),
    [
        ("submit", {"order_id": None}, "names no order"),
        ("submit", {"postings": [["assets:c1.p0", "merchant:shop", 5]]}, "moves 5 fen from assets:c1.p0 to merchant"),
        ("submit", {"postings": [["assets:c2.p0", "locked:c2.p0", 5]]}, "of c1's journal names assets:c2.p0"),
        ("submit", {"postings": [["assets:c1.p0", "locked:c1.p0", 0]]}, "moves 0 fen from assets:c1.p0"),
        ("submit", {"amount_fen": 1}, "says 1 fen, but its postings sum to"),
        ("pay", {"postings": [["buyer:v", "clearing:other", 5]]}, "names clearing:other"),
        ("finish", {"postings": [["merchant:shop", "commission:c2", 5]]}, "names commission:c2"),
        ("finish", {"postings": [["buyer:v", f"clearing:{ORDER}", 5]]}, "moves 5 fen from buyer:v"),
        ("finish", {"movement": "vanish"}, "vanish is no movement of money"),
        ("finish", {"postings": None}, "moves nothing"),
        ("sweep", {"postings": [["escrow:c1.p0", "funds:c1", 5]]}, "has postings, which only orders have"),
    ],
)
def test_a_step_that_moves_what_it_may_not_is_a10(movement: str, change: dict[str, Any], said: str) -> None:
    """Each kind of step has its pairs of accounts, and each journal its own accounts."""
    run = a_run_with_an_order()
    line = next(line for line in run.of("journal") if line["movement"] == movement)
    line |= change
    found = run.audit()
    assert "A10" in {violation.invariant for violation in found}
    assert any(said in violation.detail for violation in found), found
