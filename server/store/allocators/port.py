"""The allocator port: who answers grabs. Batching and memory are matters of an adapter, never of its callers."""

from collections.abc import Sequence
from typing import Protocol

from server.core.ids import PacketId
from server.core.packets.claim import Claim, Grab


class Allocator(Protocol):
    """Gives the shares of packets to viewers, each share once, each viewer one."""

    async def claim(self, packet_id: PacketId, grabs: Sequence[Grab]) -> list[Claim]:
        """Answer all grabs, in order. A store that cannot be reached is an answer too: unavailable."""
        ...
