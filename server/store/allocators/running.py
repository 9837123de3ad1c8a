"""The allocators that one process runs, and which of them answers for a packet."""

from collections.abc import Callable, Iterable, Sequence

from server.core.ids import PacketId, RoomId
from server.core.packets.capabilities import Capabilities
from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.core.packets.packet import Packet
from server.core.refusal import Refused
from server.core.rooms.feed import FactKind, FeedEntry
from server.store.allocators.context import AllocatorContext
from server.store.allocators.port import Allocator, refusals
from server.store.allocators.registry import DEFAULT, AllocatorEntry

ROOMS_REMEMBERED_MAX = 10_000  # packets whose rooms a process knows; the allocator reads that of any other

CHANGES = frozenset({FactKind.VOIDED, FactKind.REOPENED, FactKind.CHANGED})
"""The facts after which what was known of a packet is wrong."""


class RunningAllocators:
    """Opened before the first grab and closed after the last answer, all of them."""

    def __init__(self, entries: Sequence[AllocatorEntry], new_context: Callable[[], AllocatorContext]) -> None:
        self._capabilities = {entry.name: entry.capabilities for entry in entries}
        self._contexts: list[AllocatorContext] = []
        self._by_name: dict[str, Allocator] = {}
        for entry in entries:
            self._contexts.append(context := new_context())
            self._by_name[entry.name] = entry.make(context)
        self._default = self._by_name[DEFAULT]
        self._of_packet: dict[PacketId, Allocator] = {}
        self._rooms: dict[PacketId, RoomId] = {}

    def named(self, name: str) -> Allocator:
        """Return the allocator of that name, which must run here."""
        return self._by_name[name]

    async def open(self) -> None:
        """Open all. Raises AllocatorFailed."""
        for allocator in self._by_name.values():
            await allocator.open()

    async def close(self) -> None:
        """Close all, each before its connections."""
        for allocator in self._by_name.values():
            await allocator.close()
        for context in self._contexts:
            await context.close()

    def of(self, packet_id: PacketId) -> Allocator:
        """Return who answers grabs for a packet: the default one until another is observed."""
        return self._of_packet.get(packet_id, self._default)

    def room_of(self, packet_id: PacketId) -> RoomId | None:
        """Return the room into which a packet was launched, or None if this process does not know."""
        return self._rooms.get(packet_id)

    def observe(self, packet: Packet) -> None:
        """Note whose a packet is and where it may be grabbed, and let its allocator know of it."""
        if packet.room_id is not None:
            self._rooms[packet.packet_id] = packet.room_id
            if len(self._rooms) > ROOMS_REMEMBERED_MAX:
                del self._rooms[next(iter(self._rooms))]
        allocator = self._by_name.get(packet.allocator, _ABSENT)
        if allocator is not self._default:
            self._of_packet[packet.packet_id] = allocator
        allocator.observe(packet)

    def hear(self, entry: FeedEntry) -> None:
        """Hear what was read back from a room's feed: some facts say that a packet is not what it was."""
        if entry.kind in CHANGES:
            self.forget(entry.packet_id)

    def forget(self, packet_id: PacketId | None = None) -> None:
        """Have what is remembered of a packet forgotten; or everything."""
        concerned: Iterable[Allocator] = self._by_name.values() if packet_id is None else (self.of(packet_id),)
        for allocator in concerned:
            allocator.forget(packet_id)

    def capabilities_of(self, name: str) -> Capabilities:
        """Return what packets of an allocator are to be created with. Raises Refused if it does not run here."""
        if name not in self._capabilities:
            known = ", ".join(self._capabilities)
            raise Refused("bad_field", f"must be one of {known} (others need --diagnostics)", field="allocator")
        return self._capabilities[name]


class _Absent(Allocator):
    """Stands for an allocator that another server ran on this store, and this one does not."""

    async def claim(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        del room_id
        return refusals(packet_id, grabs, ClaimStatus.UNAVAILABLE)


_ABSENT = _Absent()
