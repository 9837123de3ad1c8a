"""An allocator as a user writes it: one script decides who is next. It is correct."""

from collections.abc import Sequence

from server.store.allocators.context import AllocatorContext
from server.store.allocators.port import Allocator, Claim, ClaimStatus, Grab, PacketId, RequestId, RoomId, refusals

NEXT = """
local mine = redis.call('HGET', KEYS[1], ARGV[1])
if mine then return mine end
local index = redis.call('HLEN', KEYS[1])
if index >= tonumber(ARGV[3]) then return false end
redis.call('HSET', KEYS[1], ARGV[1], index .. ':' .. ARGV[2])
return index .. ':' .. ARGV[2]
"""


class InOrder(Allocator):
    """Gives the shares in their order, each viewer the next one."""

    def __init__(self, context: AllocatorContext) -> None:
        self.context = context
        self.next = context.redis.register_script(NEXT)

    async def claim(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        """Look at the packet, ask the script for each grab, and write what it gave into the books."""
        view = await self.context.view(packet_id, room_id)
        if view is None:
            return refusals(packet_id, grabs, ClaimStatus.NOT_FOUND)
        amounts = await self.context.shares(packet_id)
        to_give = 0 if view.refusal else len(amounts)
        claims = []
        for grab in grabs:
            won = await self.next([self.context.key(packet_id, "winners")], [*grab, to_give])
            if won is None:
                claims.append(view.refused(grab, view.refusal or ClaimStatus.EXHAUSTED))
            else:
                index, _, request_id = won.decode().partition(":")
                claims.append(view.holding(grab, int(index), amounts[int(index)], RequestId(request_id)))
        return await self.context.record(view, claims)
