"""Void a packet permanently; unclaimed shares go back to its creator (DY-VOI-1, DY-REV-1)."""

from server.commands.context import CommandContext
from server.core.ids import PacketId
from server.core.packets.packet import Packet
from server.core.refusal import Refused


async def void_packet(at: CommandContext, packet_id: PacketId, key: str, *, by_platform: bool = False) -> Packet:
    """
    Void the packet, once per *key*. Raises Refused as ``Packets.void`` does: too_late, voided, settled.

    Its creator may until the rulebook's lead before the warm-up (DY-VOI-2), the platform until the claim window closes
    (AMB-55).
    """
    packet = await at.packets.get(packet_id)
    lead_ms = None if by_platform else at.rulebook(packet.platform).void_lead_ms
    try:
        await at.packets.void(packet_id, transfer_id=f"void:{key}", lead_ms=lead_ms)
    except Refused as refused:
        raise (await _with_deadline(at, packet_id, lead_ms, refused)) from None
    await at.gateway.look_at(packet_id)
    return await at.packets.get(packet_id)


async def _with_deadline(at: CommandContext, packet_id: PacketId, lead_ms: int | None, refused: Refused) -> Refused:
    """Return the refusal, which says until when a void that is too late was possible."""
    if refused.code != "too_late" or (schedule := (await at.packets.get(packet_id)).schedule) is None:
        return refused
    deadline_ms = schedule.claim_end_at_ms if lead_ms is None else schedule.warmup_at_ms - lead_ms
    detail = f"{refused.detail}: it could be voided until {deadline_ms}"
    return Refused(refused.code, detail, field=refused.field, rule=refused.rule)
