"""Open a room of a creator, also in this process; a room that is open already stays as it is."""

from server.commands.context import CommandContext
from server.core.ids import CreatorId, RoomId
from server.store.rooms import RoomRecord


async def open_room(at: CommandContext, room_id: RoomId, creator_id: CreatorId, title: str) -> RoomRecord:
    """Open the room. Raises Refused (``room_taken``) if it is another creator's."""
    room = await at.rooms.create(room_id, creator_id, title)
    await at.gateway.open_room(room)
    return room
