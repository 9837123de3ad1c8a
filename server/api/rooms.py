"""Endpoints for rooms."""

from dataclasses import asdict, dataclass

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from server.api.access import WithCaller, allowed_to
from server.api.app_state import WithKey, WithState
from server.api.errors import problems
from server.commands.open_room import open_room
from server.core.credential import Role
from server.core.ids import RoomId, checked_creator_id, checked_id
from server.store.rooms import RoomRecord

router = APIRouter(prefix="/api/rooms", tags=["rooms"], dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)])


class NewRoom(BaseModel):
    """A live room of a creator."""

    model_config = ConfigDict(extra="forbid")

    room_id: str
    creator_id: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomShown(RoomRecord):
    """A room; ``audience`` counts this server's connections, ``on_air`` names its packets until their windows end."""

    audience: int
    on_air: list[str]


async def _shown(state: WithState, room: RoomRecord) -> RoomShown:
    return RoomShown(
        **asdict(room),
        audience=await state.siblings.audience(room.room_id),
        on_air=[str(packet_id) for packet_id in await state.rooms.launched(room)],
    )


@router.post("", status_code=201, responses=problems(400, 409, 413, 422, 503))
async def create(body: NewRoom, state: WithState, _: WithKey, caller: WithCaller) -> RoomShown:
    """Open a room; a repetition by the same creator is no error, but another title is."""
    caller.check_owns(creator_id=body.creator_id)
    room_id = RoomId(checked_id("room_id", body.room_id))
    return await _shown(state, await open_room(state, room_id, checked_creator_id(body.creator_id), body.title))


@router.get("", responses=problems(503))
async def list_rooms(state: WithState, caller: WithCaller) -> list[RoomShown]:
    """List all rooms; for a creator, its own."""
    own = [room for room in await state.rooms.list() if caller.role is Role.ADMIN or room.creator_id == caller.subject]
    return [await _shown(state, room) for room in own]


@router.get("/{room_id}", responses=problems(404, 503))
async def get(room_id: str, state: WithState, caller: WithCaller) -> RoomShown:
    """Show one room's state."""
    room = await state.rooms.known(RoomId(room_id))
    caller.check_owns(creator_id=room.creator_id)
    return await _shown(state, room)
