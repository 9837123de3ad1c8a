"""
The list-pop allocator: LPOP of a list of shares, and a hash of who has one. Its flaw: two taps of one viewer.

No share is given twice and none too many, because LPOP gives each element once. But whether the viewer has a share
already is asked before, in a command of its own: two taps that overlap both hear no, and both pop. What its users get
wrong is to believe that an atomic pop makes the whole claim atomic; a double tap under load, or two devices, show it.
"""

from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.store import keys
from server.store.allocators.context import PacketView
from server.store.allocators.one_by_one import OneByOneAllocator


class ListPopAllocator(OneByOneAllocator):
    """Never over-issues, and gives a viewer two shares whose taps overlap."""

    async def _give(self, view: PacketView, grab: Grab) -> Claim:
        packet = view.packet
        async with self._context.redis.pipeline(transaction=True) as together:
            together.lpop(keys.shares(packet.packet_id))
            together.llen(keys.shares(packet.packet_id))
            amount, left = await together.execute()
        if amount is None:
            return view.refused(grab, ClaimStatus.EXHAUSTED)
        index = packet.terms.share_count - left - 1
        [claim] = await self._context.record(view, [view.holding(grab, index, int(amount), grab.request_id)])
        return claim
