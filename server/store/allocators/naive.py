"""
The naive allocator: it reads how many shares were given, compares, and writes one more. It is here to be caught.

Between the read and the write others do the same, so it gives more shares than there are, and one share to several
viewers. It has no sleep in it and needs none: 32 grabs at a time are enough. What its users get wrong is to test it
with one viewer after another, where it is right.
"""

from typing import Any

from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.store import keys
from server.store.allocators.context import PacketView, journal_fields, stored_claim
from server.store.allocators.one_by_one import OneByOneAllocator


class NaiveAllocator(OneByOneAllocator):
    """Over-issues under load, by a race and without any sleep."""

    async def _give(self, view: PacketView, grab: Grab) -> Claim:
        packet, redis = view.packet, self._context.redis
        packet_id = packet.packet_id
        counters: Any = await redis.hmget(keys.packet(packet_id), ["given", "given_fen"])
        given, given_fen = map(int, counters)
        if given >= packet.terms.share_count:
            return view.refused(grab, ClaimStatus.EXHAUSTED)

        amount: Any = await redis.lindex(keys.shares(packet_id), given)
        if amount is None:  # swept or voided meanwhile
            return view.refused(grab, ClaimStatus.TOO_LATE)
        claim = view.holding(grab, given, int(amount), grab.request_id)
        counted: Any = {"given": given + 1, "given_fen": given_fen + int(amount)}
        await redis.hset(keys.packet(packet_id), mapping=counted)
        await redis.hset(keys.claims(packet_id), grab.viewer_id, stored_claim(claim))
        await redis.xadd(keys.journal(packet.creator_id), journal_fields(view, claim))
        return claim
