"""Coupon budgets: money of a creator's one pool that is set aside for its coupons (DY-ACC-3, AMB-56)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from server.api.access import allowed_to
from server.api.app_state import WithKey, WithState
from server.api.errors import problems
from server.commands.fund_coupons import fund_coupons
from server.core.credential import Role
from server.core.ids import checked_creator_id
from server.core.money.money import FEN_MAX
from server.store.coupon_budgets import CouponBudget

router = APIRouter(
    prefix="/api/creators/{creator_id}/coupon-budgets",
    tags=["coupon budgets"],
    dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)],
)

SKIP_MAX = 10**9


class CouponBudgetAsked(BaseModel):
    """The size of a new coupon budget, in fen."""

    model_config = ConfigDict(extra="forbid")

    amount_fen: int = Field(gt=0, le=FEN_MAX, strict=True)


@router.post("", status_code=201, responses=problems(400, 409, 413, 422, 503))
async def fund(creator_id: str, body: CouponBudgetAsked, state: WithState, key: WithKey) -> CouponBudget:
    """Move available funds into a budget for coupons: they count as spent, as a packet's do (DY-ACC-1, DY-ACC-6)."""
    checked = checked_creator_id(creator_id)
    return await fund_coupons(state, checked, amount_fen=body.amount_fen, transfer_id=f"coupons:{key}")


@router.get("", responses=problems(422, 503))
async def budgets(
    creator_id: str,
    state: WithState,
    *,
    skip: Annotated[int, Query(ge=0, le=SKIP_MAX)] = 0,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
    newest: bool = False,
) -> list[CouponBudget]:
    """List a creator's coupon budgets after the first ``skip``: oldest first, or with ``newest`` the latest."""
    return await state.coupon_budgets.list(checked_creator_id(creator_id), skip=skip, count=count, newest=newest)


@router.get("/{budget_id}", responses=problems(404, 422, 503))
async def budget(creator_id: str, budget_id: str, state: WithState) -> CouponBudget:
    """Show one coupon budget."""
    return await state.coupon_budgets.get(checked_creator_id(creator_id), budget_id)


@router.post("/{budget_id}/return", responses=problems(404, 409, 413, 422, 503))
async def give_back(creator_id: str, budget_id: str, state: WithState, _key: WithKey) -> CouponBudget:
    """Give what is left back to the creator (DY-REV-8). A repetition with any key changes nothing."""
    return await state.coupon_budgets.give_back(checked_creator_id(creator_id), budget_id)
