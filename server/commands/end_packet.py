"""End a pending or active packet now; unclaimed shares go back, claims stay (KS-END-1, AMB-13)."""

from server.commands.context import CommandContext
from server.commands.retry import decided
from server.core.ids import PacketId
from server.core.packets.issuance import check_end
from server.core.packets.packet import Packet
from server.core.refusal import Refused

END_TRIES = 5  # only the packet's launch can race it, and that happens once


async def end_packet(at: CommandContext, packet_id: PacketId, key: str) -> Packet:
    """End the packet, once per *key*. Raises Refused: not_endable, raced, and as ``Packets.end`` does."""

    async def attempt() -> None:
        packet = await at.packets.get(packet_id)
        check_end(at.rulebook(packet.platform))
        await at.packets.end(packet, transfer_id=f"end:{key}")

    raced = Refused("raced", "the packet was launched concurrently; try again")
    await decided(attempt, tries=END_TRIES, give_up=raced)
    await at.gateway.look_at(packet_id)
    return await at.packets.get(packet_id)
