"""Creators' profiles: the name that viewers see beside a room and its packets."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from server.api.access import allowed_to
from server.api.app_state import AppState, WithKey, WithState
from server.api.errors import problems
from server.core.credential import Role
from server.core.ids import CreatorId, checked_creator_id

router = APIRouter(prefix="/api/creators", tags=["creators"], dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)])


class Profile(BaseModel):
    """A creator's name as viewers see it, 1 to 30 characters."""

    model_config = ConfigDict(extra="forbid")

    name: str


class ProfileShown(Profile):
    """A creator with its name (by default its id) and its platform, null before the first recharge."""

    creator_id: str
    platform: str | None


@router.put("/{creator_id}/profile", responses=problems(400, 413, 422, 503))
async def rename(creator_id: str, body: Profile, state: WithState, _key: WithKey) -> ProfileShown:
    """Set the creator's name; packets show the one of their launch, a room the one it had when the server opened it."""
    checked = checked_creator_id(creator_id)
    await state.creators.rename(checked, body.name)
    return await _shown(state, checked)


@router.get("/{creator_id}/profile", responses=problems(422, 503))
async def profile(creator_id: str, state: WithState) -> ProfileShown:
    """Show a creator's profile."""
    return await _shown(state, checked_creator_id(creator_id))


async def _shown(state: AppState, creator_id: CreatorId) -> ProfileShown:
    name, platform = await state.creators.name(creator_id), await state.wallet.platform(creator_id)
    return ProfileShown(creator_id=creator_id, name=name, platform=platform)
