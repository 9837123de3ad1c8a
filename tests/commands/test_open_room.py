"""Opening a room: it is live in this process at once, and no creator takes another's."""

import pytest

from server.commands.context import CommandContext
from server.commands.open_room import open_room
from server.core.ids import CreatorId, RoomId
from server.core.refusal import Refused
from tests.commands.ground import Host


async def test_a_room_is_opened_and_brought_to_life(at: CommandContext, host: Host) -> None:
    """The same again finds the room that is there; another creator finds it taken, and no room comes to life."""
    room = await open_room(at, RoomId("r1"), CreatorId("li"), "a show")
    assert await open_room(at, RoomId("r1"), CreatorId("li"), "a show") == room
    with pytest.raises(Refused) as refused:
        await open_room(at, RoomId("r1"), CreatorId("wang"), "")
    assert refused.value.code == "room_taken"
    assert await at.rooms.get(RoomId("r1")) == room
    assert host.opened == [room, room]
