"""The lobby: the rooms that anybody may enter, for people who come without a credential."""

from dataclasses import dataclass

from fastapi import APIRouter

from server.api.app_state import WithState
from server.api.errors import problems

router = APIRouter(prefix="/api/lobby", tags=["rooms"])

ROOMS_MAX = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRoom:
    """A room and how many viewers are in it now; ``platform`` names the rules of its creator."""

    room_id: str
    creator_id: str
    title: str
    platform: str
    audience: int


@router.get("", responses=problems(503))
async def lobby(state: WithState) -> list[OpenRoom]:
    """List the rooms, at most 24, the fullest first; none where a credential is needed to enter one."""
    if not (state.settings.insecure or state.settings.guests):
        return []
    shown = [
        OpenRoom(
            room_id=room.room_id,
            creator_id=room.creator_id,
            title=room.title,
            platform=(await state.rulebook_of_creator(room.creator_id)).platform,
            audience=await state.siblings.audience(room.room_id),
        )
        for room in await state.rooms.list(ROOMS_MAX)
    ]
    return sorted(shown, key=lambda room: -room.audience)
