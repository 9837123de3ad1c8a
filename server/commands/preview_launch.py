"""Decide a launch without carrying it out: the same readings and decisions as ``launch_packet``."""

from server.commands.context import CommandContext
from server.core.ids import PacketId
from server.core.packets.launch import LaunchRequest, check_host
from server.core.packets.launch_preview import LaunchPreview, preview_of
from server.core.refusal import Refused
from server.core.rulebooks.eligibility import check_eligible


async def preview_launch(at: CommandContext, packet_id: PacketId, request: LaunchRequest) -> LaunchPreview:
    """Return what the launch would come to now. Raises Refused ``not_found`` for an unknown packet or room."""
    packet = await at.packets.get(packet_id)
    rulebook = at.rulebook(packet.platform)
    room = await at.rooms.known(request.room_id)
    platform, permitted = await at.wallet.platform(room.creator_id), await at.creators.permissions(packet.creator_id)
    try:
        check_host(packet, room.creator_id, platform)
        check_eligible(permitted, rulebook)
    except Refused as refused:
        return LaunchPreview(refused=refused)
    _, others = await at.packets.launches(packet.creator_id, room, ended_within_ms=rulebook.popup_min_gap_ms)
    return preview_of(request, packet=packet, rulebook=rulebook, now_ms=at.clock.room_ms(), others=others)
