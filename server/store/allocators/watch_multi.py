"""
The watch-multi allocator: WATCH, read, then MULTI and EXEC, and once more if anybody wrote meanwhile. It is correct.

Share, owner and journal are written in one transaction that only happens if nothing it was decided on has changed. The
price is the stampede's: of all that try at once one gets through, and the others begin again. What its users get wrong
is to give up after a few tries, and to tell a viewer that it lost where it has only raced; or to watch too few keys.
"""

from typing import Any

from redis.exceptions import WatchError

from server.core.packets.claim import Claim, ClaimStatus, Grab, answer_to
from server.core.packets.packet import PacketState
from server.store import keys
from server.store.allocators.context import AllocatorContext, PacketView, journal_fields, stored_claim
from server.store.allocators.one_by_one import OneByOneAllocator
from server.store.connection import unavailable_as_ours
from server.store.packet_record import share_from

AT_ONCE = 4  # tries in flight; each that gets through spoils all others, so more of them only do more work


class WatchMultiAllocator(OneByOneAllocator):
    """Correct by optimistic locking, and dear where many want the same."""

    def __init__(self, context: AllocatorContext) -> None:
        super().__init__(context, AT_ONCE)

    async def _give(self, view: PacketView, grab: Grab) -> Claim:
        while True:
            try:
                with unavailable_as_ours():
                    return await self._try(view, grab)
            except WatchError:
                continue

    async def _try(self, view: PacketView, grab: Grab) -> Claim:
        """Answer one grab. Raises WatchError if somebody else was quicker."""
        packet_id = view.packet.packet_id
        async with self._context.redis.pipeline(transaction=True) as together:
            pipe: Any = together
            await pipe.watch(keys.packet(packet_id), keys.claims(packet_id))
            held = await pipe.hget(keys.claims(packet_id), grab.viewer_id)
            if held is not None:
                return answer_to(grab, packet_id, share_from(held))
            state, given, given_fen = await pipe.hmget(keys.packet(packet_id), ["state", "given", "given_fen"])
            if state.decode() != PacketState.LAUNCHED:
                return view.refused(grab, ClaimStatus.TOO_LATE)
            index = int(given)
            if index >= view.packet.terms.share_count:
                return view.refused(grab, ClaimStatus.EXHAUSTED)
            amount_fen = int(await pipe.lindex(keys.shares(packet_id), index))
            claim = view.holding(grab, index, amount_fen, grab.request_id)
            counted = {"given": index + 1, "given_fen": int(given_fen) + amount_fen}
            pipe.multi()
            pipe.hset(keys.packet(packet_id), mapping=counted)
            pipe.hset(keys.claims(packet_id), grab.viewer_id, stored_claim(claim))
            pipe.xadd(keys.journal(view.packet.creator_id), journal_fields(view, claim))
            await pipe.execute()
            return claim
