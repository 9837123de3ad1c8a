"""Creators and their funds."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from server.api.errors import problems
from server.api.parts import WithKey, WithParts
from server.core.ids import checked_creator_id
from server.core.money import FEN_MAX
from server.store.wallet import Funds

router = APIRouter(prefix="/api/creators", tags=["creators"])


JOURNAL_ID = r"^\d{1,19}(-\d{1,19})?$"  # as the store numbers its entries: milliseconds, and a count in them


class Recharge(BaseModel):
    """Money paid in (KS-ACC-2); ``channel`` says by which way."""

    model_config = ConfigDict(extra="forbid")

    amount_fen: int = Field(gt=0, le=FEN_MAX, strict=True)
    channel: str = Field(default="bank", pattern="^[a-z_]{1,20}$")


class FundsShown(BaseModel):
    """A creator's funds in fen: available = recharged + returned - withdrawn - spent (DY-ACC-1)."""

    creator_id: str
    available_fen: int
    recharged_fen: int
    returned_fen: int
    withdrawn_fen: int
    spent_fen: int


def _shown(creator_id: str, funds: Funds) -> FundsShown:
    return FundsShown(
        creator_id=creator_id,
        available_fen=funds.available_fen,
        recharged_fen=funds.recharged_fen,
        returned_fen=funds.returned_fen,
        withdrawn_fen=funds.withdrawn_fen,
        spent_fen=funds.spent_fen,
    )


@router.post("/{creator_id}/recharge", responses=problems(400, 409, 413, 422, 503))
async def recharge(creator_id: str, body: Recharge, parts: WithParts, key: WithKey) -> FundsShown:
    """Pay money into a creator's wallet; a creator exists from the first recharge on (DY-ELG-2)."""
    checked = checked_creator_id(creator_id)
    funds = await parts.wallet.recharge(
        checked, amount_fen=body.amount_fen, channel=body.channel, transfer_id=f"recharge:{key}"
    )
    return _shown(creator_id, funds)


@router.get("/{creator_id}/funds", responses=problems(422, 503))
async def funds(creator_id: str, parts: WithParts) -> FundsShown:
    """Show a creator's available funds and what they come from (DY-ACC-8)."""
    return _shown(creator_id, await parts.wallet.funds(checked_creator_id(creator_id)))


@router.get("/{creator_id}/fund-details", responses=problems(422, 503))
async def fund_details(
    creator_id: str,
    parts: WithParts,
    after: Annotated[str, Query(pattern=JOURNAL_ID)] = "0",
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """List the movements of a creator's money in order, as they happen (KS-ACC-5), from the one behind ``after`` on."""
    return await parts.wallet.details(checked_creator_id(creator_id), after=after, count=count)
