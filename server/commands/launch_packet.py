"""
Launch a draft into a room of its creator, or the platform's into any room of its platform (AMB-45).

The time cannot be changed afterwards (DY-LAU-1, DY-LAU-2).
"""

import hashlib
import json
from dataclasses import asdict

from server.commands.context import CommandContext
from server.commands.retry import decided
from server.core.ids import PacketId
from server.core.packets.launch import LaunchRequest, check_host, entrances_of, plan_launch
from server.core.packets.packet import Packet
from server.core.refusal import Refused
from server.core.rulebooks.eligibility import check_eligible

LAUNCH_TRIES = 5  # concurrent launches of one creator; a person never makes so many


async def launch_packet(
    at: CommandContext, packet_id: PacketId, request: LaunchRequest, key: str
) -> tuple[Packet, tuple[str, ...]]:
    """
    Return the launched packet and the warnings for its creator; a repetition returns the same launch.

    Raises Refused: not_found, other_creator, other_platform, not_eligible, launch_raced, and as ``plan_launch`` and
    ``Packets.launch``.
    """
    launch_id = f"{key}:{hashlib.sha256(json.dumps(asdict(request)).encode()).hexdigest()[:16]}"
    packet = await at.packets.get(packet_id)
    rulebook = at.rulebook(packet.platform)

    async def attempt() -> tuple[Packet, tuple[str, ...]]:
        room = await at.rooms.known(request.room_id)
        check_host(packet, room.creator_id, await at.wallet.platform(room.creator_id))
        check_eligible(await at.creators.permissions(packet.creator_id), rulebook)
        seen, others = await at.packets.launches(packet.creator_id, room, ended_within_ms=rulebook.popup_min_gap_ms)
        planned = plan_launch(request, packet=packet, rulebook=rulebook, now_ms=at.clock.room_ms(), others=others)
        schedule, surface = planned.schedule, planned.surface
        launched = await at.packets.launch(
            packet_id,
            room=room,
            schedule=schedule,
            surface=surface,
            seen=seen,
            launch_id=launch_id,
            mode=request.mode,
            entrances=entrances_of(packet, rulebook),
            creator_name=await at.creators.name(packet.creator_id),
        )
        return launched, planned.warnings

    raced = Refused("launch_raced", "another packet of this creator was launched concurrently; try again")
    try:
        return await decided(attempt, tries=LAUNCH_TRIES, give_up=raced)
    except Refused:
        if await at.packets.launch_id(packet_id) == launch_id:
            return await at.packets.get(packet_id), ()
        raise
