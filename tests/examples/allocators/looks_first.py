"""An allocator as a user writes it: it looks how many were given, thinks for a moment, and gives the next. It races."""

import asyncio
from collections.abc import Sequence

from server.store.allocators.context import AllocatorContext, PacketView
from server.store.allocators.port import Allocator, Claim, ClaimStatus, Grab, PacketId, RoomId, refusals


class LooksFirst(Allocator):
    """Reads a count, and writes it back a moment later: whoever reads meanwhile gets the same share."""

    def __init__(self, context: AllocatorContext) -> None:
        self.context = context

    async def claim(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        """Answer each grab by itself."""
        view = await self.context.view(packet_id, room_id)
        if view is None:
            return refusals(packet_id, grabs, ClaimStatus.NOT_FOUND)
        amounts = await self.context.shares(packet_id)
        claims = [await self.one(view, amounts, grab) for grab in grabs]
        return await self.context.record(view, claims)

    async def one(self, view: PacketView, amounts: list[int], grab: Grab) -> Claim:
        """Give the next share to whoever has none."""
        packet_id, redis = view.packet.packet_id, self.context.redis
        share = await self.context.held(packet_id, grab.viewer_id)
        if share is not None:
            return view.holding(grab, share.index, share.amount_fen, share.request_id)
        given = int(await redis.get(self.context.key(packet_id, "given")) or 0)
        if view.refusal or given >= len(amounts):
            return view.refused(grab, view.refusal or ClaimStatus.EXHAUSTED)
        await asyncio.sleep(0.05)
        await redis.set(self.context.key(packet_id, "given"), given + 1)
        return view.holding(grab, given, amounts[given], grab.request_id)


class FailsAtTimes(LooksFirst):
    """Raises for some grabs, and must not take the server with it."""

    async def one(self, view: PacketView, amounts: list[int], grab: Grab) -> Claim:
        """Fail for a tenth of the viewers."""
        if grab.viewer_id.endswith("7"):
            raise KeyError(grab.viewer_id)
        return view.refused(grab, view.refusal or ClaimStatus.EXHAUSTED)
