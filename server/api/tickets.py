"""Tickets, with which a viewer known to the API can join a room."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from server.api.access import WithCaller, allowed_to
from server.api.app_state import WithKey, WithState
from server.api.errors import problems
from server.core.credential import Role
from server.core.ids import RoomId, ViewerId, checked_id
from server.core.refusal import Refused
from server.gateway.tickets import LASTS_MS

router = APIRouter(prefix="/api/rooms", tags=["rooms"], dependencies=[allowed_to(Role.ADMIN, Role.VIEWER)])


class TicketAsked(BaseModel):
    """The viewer to admit; a viewer can only request its own ticket, and may leave its name out."""

    model_config = ConfigDict(extra="forbid")

    viewer_id: str | None = None


class TicketShown(BaseModel):
    """
    A ticket that lets a viewer join a room's WebSocket for ``expires_in_s`` real seconds.

    Send it as ``Sec-WebSocket-Protocol: redrain.v1, ticket.TICKET``, or as ``?ticket=TICKET``.
    """

    room_id: str
    viewer_id: str
    ticket: str
    expires_in_s: int


@router.post("/{room_id}/tickets", status_code=201, responses=problems(400, 404, 413, 422, 503))
async def create(
    room_id: str, state: WithState, _: WithKey, caller: WithCaller, body: TicketAsked | None = None
) -> TicketShown:
    """Create a ticket for a room."""
    viewer_id = body.viewer_id if body else None
    if viewer_id is None and caller.role is Role.VIEWER:
        viewer_id = caller.subject
    if viewer_id is None:
        raise Refused("missing_field", "name the viewer to admit", field="viewer_id")
    caller.check_owns(viewer_id=viewer_id)
    viewer = ViewerId(checked_id("viewer_id", viewer_id))
    room = await state.rooms.known(RoomId(room_id))
    ticket = state.gateway.ticket(room.room_id, viewer)
    return TicketShown(room_id=room.room_id, viewer_id=viewer, ticket=ticket, expires_in_s=LASTS_MS // 1_000)
