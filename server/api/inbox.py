"""A viewer's inbox of service messages (服务消息), with what it has read."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from server.api.access import allowed_to
from server.api.app_state import WithKey, WithState
from server.api.errors import problems
from server.core.credential import Role
from server.core.ids import ViewerId, checked_id
from server.core.money.money import FEN_MAX
from server.core.orders.inbox import MESSAGES_MAX, MessageKind

router = APIRouter(prefix="/api/viewers", tags=["trails"], dependencies=[allowed_to(Role.ADMIN, Role.VIEWER)])

LIMIT_MAX = 100


class MessageShown(BaseModel):
    """
    A service message about an order; instants in room ms.

    ``about`` is the step of the trail, the refund's id, or the packet's asset id; ``amount_fen`` the money refunded or
    the packet's face, 0 for a step.
    """

    message_id: str
    kind: MessageKind
    order_id: str
    about: str
    amount_fen: int
    occurred_at_ms: int
    received_at_ms: int
    read: bool


class Inbox(BaseModel):
    """A page of an inbox, the last received first; ``next`` is the ``after`` of the next page, null on the last."""

    messages: list[MessageShown]
    unread: int
    next: str | None


class ReadUntil(BaseModel):
    """The ``received_at_ms`` of the last message that the viewer has seen: that one and all before are read."""

    model_config = ConfigDict(extra="forbid")

    received_at_ms: int = Field(ge=0, le=FEN_MAX, strict=True)


@router.get("/{viewer_id}/messages", responses=problems(422, 503))
async def list_messages(
    viewer_id: str,
    state: WithState,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 20,
) -> Inbox:
    """List a viewer's service messages, at most the last 200 (LT-3)."""
    return await _page(state, ViewerId(checked_id("viewer_id", viewer_id)), after, limit)


@router.post("/{viewer_id}/messages/read", responses=problems(400, 413, 422, 503))
async def mark_read(viewer_id: str, body: ReadUntil, state: WithState, _: WithKey) -> Inbox:
    """Mark messages as read, and show the newest; a repetition changes nothing."""
    checked = ViewerId(checked_id("viewer_id", viewer_id))
    await state.inboxes.mark_read(checked, body.received_at_ms)
    return await _page(state, checked, None, LIMIT_MAX)


async def _page(state: WithState, viewer_id: ViewerId, after: str | None, limit: int) -> Inbox:
    received, unread = await state.inboxes.page(viewer_id, after=after, count=min(limit + 1, MESSAGES_MAX))
    return Inbox(
        messages=[
            MessageShown(
                message_id=each.message_id,
                received_at_ms=each.received_at_ms,
                read=each.read,
                **each.message._asdict(),
            )
            for each in received[:limit]
        ],
        unread=unread,
        next=received[limit - 1].message_id if len(received) > limit else None,
    )
