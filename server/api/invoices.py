"""Invoices for channel fees: requested by the creator, issued by an administrator (KS-ACC-3, AMB-57)."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from server.api.access import allowed_to
from server.api.app_state import WithKey, WithState
from server.api.errors import problems
from server.commands.request_invoice import request_invoice
from server.core.credential import Role
from server.core.ids import checked_creator_id
from server.core.money.money import FEN_MAX
from server.store.invoices import Invoice

router = APIRouter(
    prefix="/api/creators/{creator_id}/invoices",
    tags=["invoices"],
    dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)],
)

Number = Annotated[int, Path(ge=1, le=FEN_MAX)]


class InvoiceAsked(BaseModel):
    """The period of an invoice, ``[from_ms, to_ms)`` in room ms: it is over, and overlaps no earlier invoice's."""

    model_config = ConfigDict(extra="forbid")

    from_ms: int = Field(ge=0, le=FEN_MAX, strict=True)
    to_ms: int = Field(gt=0, le=FEN_MAX, strict=True)


@router.post("", status_code=201, responses=problems(400, 409, 413, 422, 503))
async def request(creator_id: str, body: InvoiceAsked, state: WithState, key: WithKey) -> Invoice:
    """Request the invoice for the fees of a period; it gets the creator's next number."""
    return await request_invoice(
        state,
        checked_creator_id(creator_id),
        from_ms=body.from_ms,
        to_ms=body.to_ms,
        transfer_id=f"invoice:{key}",
    )


@router.get("", responses=problems(422, 503))
async def invoices(creator_id: str, state: WithState) -> list[Invoice]:
    """List a creator's invoices by number."""
    return await state.invoices.list(checked_creator_id(creator_id))


@router.get("/{number}", responses=problems(404, 422, 503))
async def invoice(creator_id: str, number: Number, state: WithState) -> Invoice:
    """Show one invoice."""
    return await state.invoices.get(checked_creator_id(creator_id), number)


@router.post(
    "/{number}/issue", responses=problems(404, 409, 413, 422, 503), dependencies=[allowed_to(Role.ADMIN)]
)  # the platform's word, not the creator's
async def issue(creator_id: str, number: Number, state: WithState, _key: WithKey) -> Invoice:
    """Issue an invoice. A repetition with any key changes nothing."""
    return await state.invoices.issue(checked_creator_id(creator_id), number)
