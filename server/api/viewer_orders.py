"""My orders: a buyer's own, with the waterfall of each and the reasons against the packets that it does not use."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from server.api.access import allowed_to
from server.api.app_state import WithState
from server.api.errors import problems
from server.api.orders import OrderShown, order_shown
from server.core.credential import Role
from server.core.ids import OrderId, ViewerId, checked_id

router = APIRouter(prefix="/api/viewers", tags=["orders"], dependencies=[allowed_to(Role.ADMIN, Role.VIEWER)])

LIMIT_MAX = 100


class OrdersShown(BaseModel):
    """A page of a buyer's orders, the latest first; ``next`` is the ``after`` of the next page, null on the last."""

    orders: list[OrderShown]
    next: str | None


@router.get("/{viewer_id}/orders", responses=problems(422, 503))
async def list_own(
    viewer_id: str,
    state: WithState,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 20,
) -> OrdersShown:
    """List the orders that a buyer has submitted here; an order made elsewhere has only a trail."""
    buyer = ViewerId(checked_id("viewer_id", viewer_id))
    last = None if after is None else OrderId(checked_id("after", after))
    order_ids = await state.trails.orders_of(buyer, count=limit + 1, after=last)
    page = order_ids[:limit]
    records = await state.orders.named(page)
    return OrdersShown(
        orders=[order_shown(record) for record in records if record.order.viewer_id == buyer],
        next=page[-1] if len(order_ids) > limit else None,
    )
