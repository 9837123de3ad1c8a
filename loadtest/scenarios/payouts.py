"""The payouts of a scenario: withdrawals with what becomes of them, and invoices for fees."""

from typing import Literal, Self

from pydantic import Field, model_validator

from loadtest.scenarios.strict_model import StrictModel
from server.core.ids import CREATOR_ID_LENGTH_MAX
from server.core.money.money import FEN_MAX

REPORTS_MAX = 5  # of one withdrawal: a payment provider repeats itself, but not for ever


class WithdrawalSpec(StrictModel):
    """
    A withdrawal: asked for at ``at_ms``, and paid or failed at ``ends_at_ms``, as the payment provider reports.

    It says so ``reports`` times, with another key each time. Times are room milliseconds after the programme's start.
    """

    creator_id: str = Field(min_length=1, max_length=CREATOR_ID_LENGTH_MAX)
    amount_fen: int = Field(gt=0, le=FEN_MAX)
    at_ms: int = Field(ge=0)
    ends_at_ms: int = Field(ge=0)
    outcome: Literal["paid", "failed"] = "paid"
    reports: int = Field(default=1, gt=0, le=REPORTS_MAX)

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.ends_at_ms <= self.at_ms:
            raise ValueError("ends_at_ms: must be after at_ms")
        return self


class InvoiceSpec(StrictModel):
    """An invoice: requested at ``at_ms`` for all fees until ``to_ms`` that no earlier one has, and issued at once."""

    creator_id: str = Field(min_length=1, max_length=CREATOR_ID_LENGTH_MAX)
    to_ms: int = Field(gt=0)
    at_ms: int = Field(gt=0)

    @model_validator(mode="after")
    def _is_over(self) -> Self:
        if self.at_ms <= self.to_ms:
            raise ValueError("at_ms: must be after to_ms, for an invoice is of a period that is over")
        return self
