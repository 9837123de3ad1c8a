"""Creators' permissions, which they need to create and launch packets (DY-ELG-1, KS-ELG-1)."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from server.api.access import allowed_to
from server.api.app_state import AppState, WithKey, WithState
from server.api.errors import problems
from server.core.credential import Role
from server.core.ids import CreatorId, checked_creator_id
from server.core.rulebooks.rulebook import Permission

router = APIRouter(prefix="/api/creators", tags=["creators"])


class Permissions(BaseModel):
    """The complete set of a creator's permissions; those left out are revoked."""

    model_config = ConfigDict(extra="forbid")

    permissions: frozenset[Permission]


class PermissionsShown(BaseModel):
    """A creator's permissions by name; all of them for a creator for whom none were set."""

    creator_id: str
    permissions: list[Permission]


@router.put("/{creator_id}/permissions", responses=problems(400, 413, 422, 503), dependencies=[allowed_to(Role.ADMIN)])
async def permit(creator_id: str, body: Permissions, state: WithState, _key: WithKey) -> PermissionsShown:
    """
    Set a creator's permissions, as an admin, from now on (DY-ELG-1, KS-ELG-1).

    A repetition with any key changes nothing. Packets created or launched before stay as they are.
    """
    checked = checked_creator_id(creator_id)
    await state.creators.permit(checked, body.permissions)
    return await _shown(state, checked)


@router.get(
    "/{creator_id}/permissions", responses=problems(422, 503), dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)]
)
async def permissions(creator_id: str, state: WithState) -> PermissionsShown:
    """Show a creator's permissions."""
    return await _shown(state, checked_creator_id(creator_id))


async def _shown(state: AppState, creator_id: CreatorId) -> PermissionsShown:
    return PermissionsShown(creator_id=creator_id, permissions=sorted(await state.creators.permissions(creator_id)))
