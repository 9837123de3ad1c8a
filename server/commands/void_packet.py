"""Void a packet permanently; unclaimed shares go back to its creator (DY-VOI-1, DY-REV-1)."""

from server.commands.context import CommandContext
from server.core.ids import PacketId
from server.core.packets.packet import Packet


async def void_packet(at: CommandContext, packet_id: PacketId, key: str, *, by_platform: bool = False) -> Packet:
    """
    Void the packet, once per *key*. Raises Refused as ``Packets.void`` does: too_late, voided, settled.

    Its creator may until the rulebook's lead before the warm-up (DY-VOI-2), the platform until the claim window closes
    (AMB-55).
    """
    packet = await at.packets.get(packet_id)
    lead_ms = None if by_platform else at.rulebook(packet.platform).void_lead_ms
    await at.packets.void(packet_id, transfer_id=f"void:{key}", lead_ms=lead_ms)
    await at.gateway.look_at(packet_id)
    return await at.packets.get(packet_id)
