"""Withdrawals: a creator requests available funds, and the payment provider reports the outcome (DY-ACC-7)."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from server.api.access import allowed_to
from server.api.app_state import WithKey, WithState
from server.api.errors import problems
from server.commands.request_withdrawal import request_withdrawal
from server.core.credential import Role
from server.core.ids import checked_creator_id
from server.core.money.account import FundProduct
from server.core.money.money import FEN_MAX
from server.core.money.payee import Payee
from server.store.withdrawals import Withdrawal, WithdrawalState

router = APIRouter(
    prefix="/api/creators/{creator_id}/withdrawals",
    tags=["withdrawals"],
    dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)],
)

SKIP_MAX = 10**9


class PayeeAsked(BaseModel):
    """The payee of a withdrawal: its name, and its account with the channel, such as a phone number or an e-mail."""

    model_config = ConfigDict(extra="forbid")

    name: str
    account: str


class WithdrawalAsked(BaseModel):
    """
    Funds to be paid out, in fen, over ``channel`` or the first that the platform offers; there is no fee.

    The platform may require the ``payee`` (DY-ACC-7, AMB-57).
    """

    model_config = ConfigDict(extra="forbid")

    amount_fen: int = Field(gt=0, le=FEN_MAX, strict=True)
    channel: str | None = Field(default=None, pattern="^[a-z_]{1,20}$")
    product: FundProduct = FundProduct.RED_PACKET
    payee: PayeeAsked | None = None


class PayeeShown(BaseModel):
    """The payee of a withdrawal, its account masked (AMB-57)."""

    name: str
    account: str


class WithdrawalShown(BaseModel):
    """A withdrawal, in fen; instants in room ms. ``ended_at_ms`` is null while it is pending."""

    withdrawal_id: str
    creator_id: str
    state: WithdrawalState
    channel: str
    product: FundProduct
    amount_fen: int
    requested_at_ms: int
    ended_at_ms: int | None
    payee: PayeeShown | None


def _shown(withdrawal: Withdrawal) -> WithdrawalShown:
    payee = withdrawal.payee
    shown = None if payee is None else PayeeShown(name=payee.name, account=payee.masked_account())
    return WithdrawalShown(**{**asdict(withdrawal), "payee": shown})


@router.post("", status_code=201, responses=problems(400, 409, 413, 422, 503))
async def request(creator_id: str, body: WithdrawalAsked, state: WithState, key: WithKey) -> WithdrawalShown:
    """Set available funds aside to be paid out (DY-ACC-7); Kuaishou has no withdrawal (AMB-27)."""
    withdrawal = await request_withdrawal(
        state,
        checked_creator_id(creator_id),
        amount_fen=body.amount_fen,
        channel=body.channel,
        product=body.product,
        payee=None if body.payee is None else Payee(body.payee.name, body.payee.account),
        transfer_id=f"withdraw:{key}",
    )
    return _shown(withdrawal)


@router.get("", responses=problems(422, 503))
async def withdrawals(
    creator_id: str,
    state: WithState,
    skip: Annotated[int, Query(ge=0, le=SKIP_MAX)] = 0,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[WithdrawalShown]:
    """List a creator's withdrawals, oldest first, after the first ``skip``."""
    found = await state.withdrawals.list(checked_creator_id(creator_id), skip=skip, count=count)
    return [_shown(withdrawal) for withdrawal in found]


@router.get("/{withdrawal_id}", responses=problems(404, 422, 503))
async def withdrawal(creator_id: str, withdrawal_id: str, state: WithState) -> WithdrawalShown:
    """Show one withdrawal."""
    return _shown(await state.withdrawals.get(checked_creator_id(creator_id), withdrawal_id))


@router.post(
    "/{withdrawal_id}/paid",
    responses=problems(404, 409, 413, 422, 503),
    dependencies=[allowed_to(Role.ADMIN)],  # the payment provider's word, not the creator's
)
async def paid(creator_id: str, withdrawal_id: str, state: WithState, _key: WithKey) -> WithdrawalShown:
    """Report that the money has arrived. A repetition with any key changes nothing."""
    return _shown(await state.withdrawals.paid(checked_creator_id(creator_id), withdrawal_id))


@router.post(
    "/{withdrawal_id}/failed",
    responses=problems(404, 409, 413, 422, 503),
    dependencies=[allowed_to(Role.ADMIN)],  # the payment provider's word, not the creator's
)
async def failed(creator_id: str, withdrawal_id: str, state: WithState, _key: WithKey) -> WithdrawalShown:
    """Report that the money could not be paid out: it is available again. A repetition changes nothing."""
    return _shown(await state.withdrawals.failed(checked_creator_id(creator_id), withdrawal_id))
