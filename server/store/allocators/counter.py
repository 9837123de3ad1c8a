"""
The counter allocator: INCR says whose turn it is, and the turn is an index into the list of shares. It is correct.

A viewer first enters a set, which SADD lets each do once, and only who has entered draws a number: so nobody draws
twice, and no number is drawn twice. What its users get wrong is the order (to draw first and look who it was later
gives a viewer two shares) and the number that is one too high: it must be refused, never counted back, or two later
ones are the same. A process that dies between its number and the books takes that share with it: nobody else gets it.
"""

from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.store.allocators.context import PacketView
from server.store.allocators.one_by_one import OneByOneAllocator


class CounterAllocator(OneByOneAllocator):
    """One entry a viewer, one number an entry, one share a number."""

    async def _give(self, view: PacketView, grab: Grab) -> Claim | None:
        """Give the next share; put the grab off while another tap of its viewer is between its entry and its share."""
        packet_id, redis = view.packet.packet_id, self._context.redis
        amounts = await self._context.shares(packet_id)
        entered = self._context.key(packet_id, "entered")
        if not await redis.sadd(entered, grab.viewer_id):
            return None
        index = int(await redis.incr(self._context.key(packet_id, "drawn"))) - 1
        if index >= len(amounts):
            await redis.srem(entered, grab.viewer_id)
            return view.refused(grab, ClaimStatus.EXHAUSTED)
        [claim] = await self._context.record(view, [view.holding(grab, index, amounts[index], grab.request_id)])
        return claim
