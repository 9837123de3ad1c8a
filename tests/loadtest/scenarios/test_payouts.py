"""Payouts of a scenario: each ends after it began, and belongs to a creator of the scenario."""

from typing import Any

import pytest
from pydantic import ValidationError

from loadtest.scenarios.payouts import InvoiceSpec, WithdrawalSpec
from loadtest.scenarios.scenario import Scenario, load_scenario

WITHDRAWAL = {"creator_id": "anna", "amount_fen": 5, "at_ms": 10, "ends_at_ms": 11}
INVOICE = {"creator_id": "anna", "to_ms": 10, "at_ms": 11}


def test_a_withdrawal_is_paid_unless_it_fails() -> None:
    """One report is enough."""
    plain = WithdrawalSpec.model_validate(WITHDRAWAL)
    assert (plain.outcome, plain.reports) == ("paid", 1)


@pytest.mark.parametrize(
    ("model", "form", "change", "said"),
    [
        (WithdrawalSpec, WITHDRAWAL, {"ends_at_ms": 10}, "ends_at_ms: must be after at_ms"),
        (WithdrawalSpec, WITHDRAWAL, {"outcome": "lost"}, "paid"),
        (WithdrawalSpec, WITHDRAWAL, {"reports": 6}, "less than or equal to 5"),
        (WithdrawalSpec, WITHDRAWAL, {"amount_fen": 0}, "greater than 0"),
        (InvoiceSpec, INVOICE, {"at_ms": 10}, "at_ms: must be after to_ms"),
    ],
)
def test_a_payout_that_makes_no_sense_is_refused(
    model: Any, form: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    """The error names the field."""
    model.model_validate(form)
    with pytest.raises(ValidationError, match=said):
        model.model_validate({**form, **change})


@pytest.mark.parametrize(("kind", "form"), [("withdrawals", WITHDRAWAL), ("invoices", INVOICE)])
def test_a_payout_belongs_to_a_creator_of_the_scenario(kind: str, form: dict[str, Any]) -> None:
    """Another is refused by its place."""
    whole = load_scenario("smoke").model_dump(mode="json", exclude_none=True)
    whole["creators"][0]["creator_id"] = "anna"
    whole["rooms"] = [{"room_id": "r", "creator_id": "anna"}]
    whole["packets"] = [
        {"name": "p", "room_id": "r", "share_count": 1, "total_fen": 1, "launch_at_ms": 0, "delay_ms": 9}
    ]
    Scenario.model_validate({**whole, kind: [form]})
    with pytest.raises(ValidationError, match=rf"{kind}.0.creator_id: no creator is called bob"):
        Scenario.model_validate({**whole, kind: [{**form, "creator_id": "bob"}]})
