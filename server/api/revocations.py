"""Revocations: an administrator ends a viewer's right to come back with what it has."""

from fastapi import APIRouter
from pydantic import BaseModel

from server.api.access import allowed_to
from server.api.app_state import WithKey, WithState
from server.api.errors import problems
from server.core.credential import Role
from server.core.ids import ViewerId, checked_id

router = APIRouter(prefix="/api/viewers", tags=["rooms"], dependencies=[allowed_to(Role.ADMIN)])


class RevocationShown(BaseModel):
    """A viewer and the instant of its revocation, in real ms: what it got before brings it into no room any more."""

    viewer_id: str
    revoked_at_ms: int


@router.post("/{viewer_id}/revoke-resume-tokens", responses=problems(400, 422, 503))
async def revoke(viewer_id: str, state: WithState, _: WithKey) -> RevocationShown:
    """
    Revoke all resume tokens of a viewer, as an admin, within a second on every server.

    The viewer's connections stay open, and a new ticket opens a room again. A repetition revokes what came in between.
    """
    viewer = ViewerId(checked_id("viewer_id", viewer_id))
    return RevocationShown(viewer_id=viewer, revoked_at_ms=await state.gateway.revoke(viewer))
