"""Create a packet: its shares are split at once, and its whole sum is debited from the creator's funds (DY-ACC-4)."""

import asyncio
import hashlib
import secrets
from functools import partial

from server.commands.context import CommandContext
from server.commands.retry import decided
from server.core.ids import packet_id_of
from server.core.orders.validity import check_ends_later
from server.core.packets.creation import CreationRequest, granted_scope, granted_terms, platform_of
from server.core.packets.packet import Packet
from server.core.packets.split import commitment, split
from server.core.rulebooks.eligibility import check_registered
from server.store.transfers import refusal


async def create_packet(at: CommandContext, request: CreationRequest, key: str) -> Packet:
    """Create the packet, once per *key*. Raises Refused as the core and ``Packets.create`` do."""
    if request.platform is not None:
        at.rulebook(request.platform)  # an unknown one is refused as such
    # A concurrent first recharge may settle the creator's platform, which then stays.
    return await decided(partial(_create, at, request, key), tries=2, give_up=refusal(b"other_platform"))


async def _create(at: CommandContext, request: CreationRequest, key: str) -> Packet:
    """Try to create the packet. Raises Raced if the creator's platform was settled meanwhile."""
    rulebook = at.rulebook(platform_of(request, await at.wallet.platform(request.creator_id)))
    scope = granted_scope(request, await at.creators.permissions(request.creator_id), rulebook)
    if not await at.packets.transferred(request.creator_id, f"create:{key}"):
        check_ends_later(request.use_end_at_ms, at.clock.room_ms(), rulebook)
        check_registered(await at.products.kinds(scope or ()), rulebook)
    capabilities = at.allocators.capabilities_of(request.allocator)
    terms = granted_terms(request, rulebook)
    seed = secrets.token_bytes(32)
    return await at.packets.create(
        packet_id=packet_id_of(request.creator_id, hashlib.sha256(key.encode()).hexdigest()[:10]),
        name=request.name,
        platform=rulebook.platform,
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
        ends_after_ms=request.use_end_at_ms,
    )
