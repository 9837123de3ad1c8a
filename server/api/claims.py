"""The list of a packet's claims (领取列表), as its creator and as viewers see it."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from server.api.access import WithCaller, allowed_to
from server.api.app_state import WithState
from server.api.errors import problems
from server.core.credential import Role
from server.core.ids import PacketId, creator_of
from server.core.money.money import FEN_MAX
from server.core.text import masked

LIMIT_MAX = 100

router = APIRouter(
    prefix="/api/packets",
    tags=["packets"],
    dependencies=[allowed_to(Role.ADMIN, Role.CREATOR, Role.VIEWER)],
)


class ClaimOrder(StrEnum):
    """The first claim of the list: the first share given, or the last one."""

    INDEX = "index"
    NEWEST = "newest"


class ClaimShown(BaseModel):
    """
    A granted share; amount in fen, ``claimed_at_ms`` in room ms, null if the allocator does not keep it.

    ``viewer`` is its owner's name, for viewers the first and last character only; ``mine`` marks the viewer's own.
    ``best_luck`` marks the largest share once no more can be claimed (of equal ones the first).
    """

    index: int
    amount_fen: int
    claimed_at_ms: int | None
    viewer: str
    mine: bool
    best_luck: bool


class ClaimsShown(BaseModel):
    """A page of a packet's claims, ``claimed`` in all; ``next`` is the ``after`` of the next page, null on the last."""

    packet_id: str
    claimed: int
    claims: list[ClaimShown]
    next: int | None


@router.get("/{packet_id}/claims", responses=problems(404, 422, 503))
async def list_claims(
    packet_id: str,
    state: WithState,
    caller: WithCaller,
    *,
    viewer_id: str | None = None,
    order: ClaimOrder = ClaimOrder.INDEX,
    after: Annotated[int | None, Query(ge=0, le=FEN_MAX)] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_MAX,
) -> ClaimsShown:
    """
    List the granted shares of a packet.

    Creator and administrator see all names; with ``viewer_id``, what that viewer sees.
    """
    checked = PacketId(packet_id)
    creator_of(checked)
    looks = caller.subject if caller.role is Role.VIEWER else viewer_id
    page = await state.claim_lists.page(checked, after=after, limit=limit, newest=order is ClaimOrder.NEWEST)
    best = await state.effects.best_luck(checked, state.clock.room_ms())
    return ClaimsShown(
        packet_id=checked,
        claimed=page.claimed,
        claims=[
            ClaimShown(
                index=row.share,
                amount_fen=row.amount_fen,
                claimed_at_ms=row.claimed_at_ms,
                viewer=row.viewer_id if looks in (None, row.viewer_id) else masked(row.viewer_id),
                mine=row.viewer_id == looks,
                best_luck=best is not None and (best.viewer_id, best.index) == (row.viewer_id, row.share),
            )
            for row in page.rows
        ],
        next=page.next,
    )
