"""The shared base of the classic allocators: each grab is answered alone, many at once, by interleaving commands."""

import asyncio
from abc import abstractmethod
from collections.abc import Sequence

from server.core.ids import PacketId, RoomId
from server.core.packets.claim import Claim, ClaimStatus, Grab, answer_to
from server.store.allocators.context import CONNECTIONS, AllocatorContext, PacketView
from server.store.allocators.port import Allocator, refusals
from server.store.connection import StoreUnavailable

LOOKS_MAX = 400  # how often a grab may be put off; then its outcome is unknown
PAUSE_S = 0.005


class OneByOneAllocator(Allocator):
    """Answers each grab by ``_give``, at most *at_once* of them at a time; who has a share already gets that."""

    def __init__(self, context: AllocatorContext, at_once: int = CONNECTIONS) -> None:
        self._context = context
        self._turns = asyncio.Semaphore(at_once)

    async def claim(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        """Answer all grabs, in order, one coroutine each."""
        try:
            view = await self._context.view(packet_id, room_id)
        except StoreUnavailable:
            return refusals(packet_id, grabs, ClaimStatus.UNAVAILABLE)
        if view is None:
            return refusals(packet_id, grabs, ClaimStatus.NOT_FOUND)
        return await asyncio.gather(*(self._answer(view, grab) for grab in grabs))

    async def _answer(self, view: PacketView, grab: Grab) -> Claim:
        packet_id = view.packet.packet_id
        try:
            for _ in range(LOOKS_MAX):
                async with self._turns:
                    held = await self._context.held(packet_id, grab.viewer_id)
                    if held is not None:
                        return answer_to(grab, packet_id, held)
                    if view.refusal is not None:
                        return view.refused(grab, view.refusal)
                    claim = await self._give(view, grab)
                if claim is not None:
                    return claim
                await asyncio.sleep(PAUSE_S)
        except StoreUnavailable:
            pass
        return view.refused(grab, ClaimStatus.UNAVAILABLE)

    @abstractmethod
    async def _give(self, view: PacketView, grab: Grab) -> Claim | None:
        """Answer the grab of a viewer who had no share a moment ago; None puts it off."""
