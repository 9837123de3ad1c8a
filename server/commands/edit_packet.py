"""Change the number of shares of a pending or active packet, never below the claimed ones (KS-EDT-1, AMB-12)."""

import asyncio
import secrets

from server.commands.context import CommandContext
from server.commands.retry import decided
from server.core.ids import PacketId
from server.core.packets.creation import check_platform
from server.core.packets.issuance import Edit, plan_edit
from server.core.packets.packet import Packet
from server.core.packets.split import split
from server.core.refusal import Refused

EDIT_TRIES = 5  # concurrent edits of one packet; a person never makes so many


async def edit_packet(at: CommandContext, packet_id: PacketId, share_count: int, key: str) -> Packet:
    """Edit the packet, once per *key*. Raises Refused: edit_raced, and as ``plan_edit`` and ``Packets.edit`` do."""
    transfer_id = f"edit:{key}"

    async def attempt() -> Packet:
        packet = await at.packets.get(packet_id)
        if await at.packets.transferred(packet.creator_id, transfer_id):
            edit = Edit(share_count, packet.edition, None)
        else:
            edit = plan_edit(packet, share_count, at.rulebook(packet.platform))
            if edit.added is not None:
                check_platform(packet.platform, packet.creator_id, await at.wallet.platform(packet.creator_id))
        seed, shares = b"", []
        if edit.added is not None:
            seed = secrets.token_bytes(32)
            shares = await asyncio.to_thread(split, edit.added, seed)
        return await at.packets.edit(packet, edit, transfer_id=transfer_id, shares=shares, seed=seed)

    raced = Refused("edit_raced", "the packet was edited concurrently; try again")
    packet = await decided(attempt, tries=EDIT_TRIES, give_up=raced)
    await at.gateway.look_at(packet_id)
    return packet
