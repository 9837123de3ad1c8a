"""
The allocator port: who answers grabs. docs/allocators.md explains it with a complete example.

Batching and memory are matters of an allocator, never of its callers.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from server.core.ids import PacketId, RequestId, RoomId, ViewerId
from server.core.packets.capabilities import Capabilities
from server.core.packets.claim import Claim, ClaimStatus, Grab, Share, answer_to
from server.core.packets.packet import Packet

__all__ = [
    "Allocator",
    "Capabilities",
    "Claim",
    "ClaimStatus",
    "Grab",
    "Packet",
    "PacketId",
    "RequestId",
    "RoomId",
    "Share",
    "ViewerId",
    "answer_to",
    "refusals",
]


class Allocator(ABC):
    """
    Gives the shares of packets to viewers, each share once, each viewer one.

    Every process of a server has one of its own, made by ``Class(context)`` with an ``AllocatorContext``. A class that
    inherits from this one need write ``claim`` alone.
    """

    capabilities: Capabilities = Capabilities()

    async def open(self) -> None:  # noqa: B027 - nothing to do, unless a class says otherwise
        """Prepare to answer: called once, before the first grab."""

    async def close(self) -> None:  # noqa: B027
        """Let go of what was opened: called once, after the last grab was answered."""

    @abstractmethod
    async def claim(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        """
        Answer all grabs made in one room, in order. It is called again before it has returned.

        A packet that was launched into another room is not found, for its winners too (AMB-46).

        A store that cannot be reached is an answer too: unavailable, which says that the outcome is unknown.
        """

    def observe(self, packet: Packet) -> None:  # noqa: B027
        """Hear that this process has read a packet of this allocator: at its launch, and after each change."""

    def forget(self, packet_id: PacketId | None = None) -> None:  # noqa: B027
        """Trust nothing remembered of a packet, because it has changed; or of any, because the store was away."""


def refusals(packet_id: PacketId, grabs: Sequence[Grab], status: ClaimStatus, edition: int = 0) -> list[Claim]:
    """Return the same refusal for each of *grabs*; edition 0 says that the packet was not looked at."""
    return [Claim(packet_id, grab.viewer_id, grab.request_id, status, edition) for grab in grabs]
