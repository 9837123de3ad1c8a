"""A preview decides on what the store has, and leaves it as it is."""

import pytest

from server.commands.context import CommandContext
from server.commands.launch_packet import launch_packet
from server.commands.preview_launch import preview_launch
from server.core.ids import CreatorId, PacketId, RoomId
from server.core.packets.launch import LaunchRequest
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import LaunchMode
from tests.store.desk import Desk


async def test_a_preview_is_the_launch_that_follows(desk: Desk, at: CommandContext) -> None:
    """The store does not change by it; the launch then has the previewed times, and the next preview refuses."""
    await desk.recharge(5)
    packet_id = (await desk.draft([5])).packet_id
    request = LaunchRequest(desk.room.room_id, LaunchMode.MANUAL)
    before = await desk.state()
    found = await preview_launch(at, packet_id, request)
    assert await desk.state() == before
    launched, _ = await launch_packet(at, packet_id, request, "k")
    assert found.launch is not None
    assert (launched.schedule, launched.surface) == (found.schedule, found.launch.surface)
    again = await preview_launch(at, packet_id, request)
    assert again.refused is not None
    assert again.refused.code == "not_draft"


async def test_a_preview_refuses_what_the_launch_refuses(desk: Desk, at: CommandContext) -> None:
    """Another creator's room and missing permissions are refusals; what is not there cannot be previewed."""
    await desk.recharge(5)
    packet_id = (await desk.draft([5], platform="lab")).packet_id
    elsewhere = await at.rooms.create(RoomId("r2"), CreatorId("c2"), "")
    found = await preview_launch(at, packet_id, LaunchRequest(elsewhere.room_id, LaunchMode.MANUAL))
    assert found.refused is not None
    assert found.refused.code == "other_creator"
    for room_id, named in ((RoomId("nowhere"), packet_id), (desk.room.room_id, PacketId("c1.none"))):
        with pytest.raises(Refused) as refused:
            await preview_launch(at, named, LaunchRequest(room_id, LaunchMode.MANUAL))
        assert refused.value.code == "not_found"


@pytest.mark.rule("DY-ELG-1")
async def test_a_preview_asks_for_permissions(desk: Desk, at: CommandContext) -> None:
    """As the launch does."""
    desk.platform = "douyin"
    await desk.recharge(5)
    packet_id = (await desk.draft([5], use_for_ms=5)).packet_id
    await at.creators.permit(desk.creator_id, [])
    request = LaunchRequest(desk.room.room_id, LaunchMode.RELATIVE, delay_ms=180_000)
    found = await preview_launch(at, packet_id, request)
    assert found.refused is not None
    assert (found.refused.code, found.refused.rule) == ("not_eligible", "DY-ELG-1")
