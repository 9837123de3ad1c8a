"""Withdrawals: a creator requests available funds, and the payment provider reports the outcome (DY-ACC-7)."""

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
from server.store.withdrawals import Withdrawal

router = APIRouter(
    prefix="/api/creators/{creator_id}/withdrawals",
    tags=["withdrawals"],
    dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)],
)

SKIP_MAX = 10**9


class PayeeAsked(BaseModel):
    """The payee of a withdrawal; an account is a phone number or an e-mail address."""

    model_config = ConfigDict(extra="forbid")

    name: str
    account: str


class WithdrawalAsked(BaseModel):
    """
    Funds to be paid out, in fen, over ``channel`` or the first that the platform offers; there is no fee.

    The platform may require the ``payee``: its name, and its account with the channel (DY-ACC-7, AMB-57).
    """

    model_config = ConfigDict(extra="forbid")

    amount_fen: int = Field(gt=0, le=FEN_MAX, strict=True)
    channel: str | None = Field(default=None, pattern="^[a-z_]{1,20}$")
    product: FundProduct = FundProduct.RED_PACKET
    payee: PayeeAsked | None = None


@router.post("", status_code=201, responses=problems(400, 409, 413, 422, 503))
async def request(creator_id: str, body: WithdrawalAsked, state: WithState, key: WithKey) -> Withdrawal:
    """Set available funds aside to be paid out (DY-ACC-7); Kuaishou has no withdrawal (AMB-27)."""
    return await request_withdrawal(
        state,
        checked_creator_id(creator_id),
        **{**dict(body), "payee": body.payee and Payee(**dict(body.payee))},
        transfer_id=f"withdraw:{key}",
    )


@router.get("", responses=problems(422, 503))
async def withdrawals(
    creator_id: str,
    state: WithState,
    *,
    skip: Annotated[int, Query(ge=0, le=SKIP_MAX)] = 0,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
    newest: bool = False,
) -> list[Withdrawal]:
    """List a creator's withdrawals after the first ``skip``: oldest first, or with ``newest`` the latest."""
    return await state.withdrawals.list(checked_creator_id(creator_id), skip=skip, count=count, newest=newest)


@router.get("/{withdrawal_id}", responses=problems(404, 422, 503))
async def withdrawal(creator_id: str, withdrawal_id: str, state: WithState) -> Withdrawal:
    """Show one withdrawal."""
    return await state.withdrawals.get(checked_creator_id(creator_id), withdrawal_id)


@router.post(
    "/{withdrawal_id}/paid",
    responses=problems(404, 409, 413, 422, 503),
    dependencies=[allowed_to(Role.ADMIN)],  # the payment provider's word, not the creator's
)
async def paid(creator_id: str, withdrawal_id: str, state: WithState, _key: WithKey) -> Withdrawal:
    """Report that the money has arrived. A repetition with any key changes nothing."""
    return await state.withdrawals.paid(checked_creator_id(creator_id), withdrawal_id)


@router.post(
    "/{withdrawal_id}/failed",
    responses=problems(404, 409, 413, 422, 503),
    dependencies=[allowed_to(Role.ADMIN)],  # the payment provider's word, not the creator's
)
async def failed(creator_id: str, withdrawal_id: str, state: WithState, _key: WithKey) -> Withdrawal:
    """Report that the money could not be paid out: it is available again. A repetition changes nothing."""
    return await state.withdrawals.failed(checked_creator_id(creator_id), withdrawal_id)
