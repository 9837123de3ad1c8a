"""What a platform grants its creators, on which it rests whether they may create and launch (DY-ELG-1, KS-ELG-1)."""

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
    """Exactly what a creator is granted; what is left out is taken away."""

    model_config = ConfigDict(extra="forbid")

    permissions: frozenset[Permission]


class PermissionsShown(BaseModel):
    """What a creator is granted, by name; all there is for one nobody has said anything about."""

    creator_id: str
    permissions: list[Permission]


@router.put("/{creator_id}/permissions", responses=problems(400, 413, 422, 503), dependencies=[allowed_to(Role.ADMIN)])
async def permit(creator_id: str, body: Permissions, state: WithState, _key: WithKey) -> PermissionsShown:
    """
    Say what a creator is granted, as an admin: it decides from now on (DY-ELG-1, KS-ELG-1).

    The same again changes nothing, with whatever key. What was created or launched before stays as it is.
    """
    checked = checked_creator_id(creator_id)
    await state.creators.permit(checked, body.permissions)
    return await _shown(state, checked)


@router.get(
    "/{creator_id}/permissions", responses=problems(422, 503), dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)]
)
async def permissions(creator_id: str, state: WithState) -> PermissionsShown:
    """Show what a creator is granted."""
    return await _shown(state, checked_creator_id(creator_id))


async def _shown(state: AppState, creator_id: CreatorId) -> PermissionsShown:
    return PermissionsShown(creator_id=creator_id, permissions=sorted(await state.creators.permissions(creator_id)))
