"""Create a packet: its shares are split at once, and its whole sum is debited from the creator's funds (DY-ACC-4)."""

import asyncio
import hashlib
import secrets

from server.commands.context import CommandContext
from server.core.ids import packet_id_of
from server.core.packets.creation import CreationRequest, granted_scope, granted_terms
from server.core.packets.packet import Packet
from server.core.packets.split import commitment, split


async def create_packet(at: CommandContext, request: CreationRequest, key: str) -> Packet:
    """Create the packet, once per *key*. Raises Refused as the core and ``Packets.create`` do."""
    rulebook = at.rulebook(request.platform)
    scope = granted_scope(request, await at.creators.permissions(request.creator_id), rulebook)
    capabilities = at.allocators.capabilities_of(request.allocator)
    terms = granted_terms(request, rulebook)
    seed = secrets.token_bytes(32)
    return await at.packets.create(
        packet_id=packet_id_of(request.creator_id, hashlib.sha256(key.encode()).hexdigest()[:10]),
        name=request.name,
        platform=request.platform,
        terms=terms,
        allocator=request.allocator,
        capabilities=capabilities,
        transfer_id=f"create:{key}",
        shares=await asyncio.to_thread(split, terms, seed),
        seed=seed,
        commitment=commitment(terms, seed),
        use_start_at_ms=request.use_start_at_ms,
        use_end_at_ms=request.use_end_at_ms,
        use_for_ms=request.use_for_ms,
        product_ids=scope,
        reversal_delay_ms=rulebook.reversal_delay_ms,
    )
