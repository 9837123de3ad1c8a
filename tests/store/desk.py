"""A desk for tests of money: one creator with a room, a clock that stands still, and everything that moves money."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from server.core.ids import CreatorId, PacketId, RequestId, RoomId, ViewerId, packet_id_of
from server.core.packets.claim import Grab
from server.core.packets.packet import Denomination, Packet, Schedule, Surface, Terms
from server.core.packets.split import commitment
from server.core.rulebooks.platforms import LAB
from server.store import keys
from server.store.allocators.context import AllocatorContext
from server.store.allocators.registry import BUILT_IN
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.packets import Packets
from server.store.rooms import RoomRecord, Rooms
from tests.commands.ground import Payouts, Purse

NOW_MS = 1_700_000_000_000
WARMUP_AT_MS = NOW_MS + 60_000
GRAB_AT_MS = NOW_MS + 180_000
CLAIM_END_AT_MS = NOW_MS + 780_000
SCHEDULE = Schedule(WARMUP_AT_MS, GRAB_AT_MS, CLAIM_END_AT_MS)
SEED = bytes(32)
ROOM = RoomId("room-c1")  # the room of the creator that a desk has unless told otherwise


class Desk:
    """Everything one creator of a platform needs; ``at`` moves the room time of store and process."""

    def __init__(self, store: Store, clock: StoreClock, room: RoomRecord, platform: str | None = None) -> None:
        self.store = store
        self.platform = platform
        self.clock = clock
        self.room = room
        self.creator_id = room.creator_id
        self.wallet = Purse(store, clock)
        self.withdrawals = Payouts(store, clock, self.wallet)
        self.packets = Packets(store, clock)
        self._numbers = count()

    @classmethod
    async def open(cls, store: Store, creator_id: str = "c1", platform: str | None = None) -> "Desk":
        clock = await StoreClock.open(store, speed=0, origin_ms=NOW_MS)
        room = await Rooms(store, clock).create(RoomId(f"room-{creator_id}"), CreatorId(creator_id), "a room")
        return cls(store, clock, room, platform)

    async def at(self, room_ms: int) -> None:
        self.clock.record = replace(self.clock.record, origin_ms=room_ms)
        await self.store_at(room_ms)

    async def store_at(self, room_ms: int) -> None:
        await self.store.redis.hset(keys.clock_of(self.creator_id), "origin_ms", str(room_ms))

    async def recharge(self, amount_fen: int) -> None:
        await self.wallet.recharge(
            self.creator_id,
            amount_fen=amount_fen,
            platform=self.platform,
            channel=None if self.platform == "douyin" else "bank",
            transfer_id=f"recharge:{next(self._numbers)}",
        )

    async def draft(self, shares: Sequence[int], *, allocator: str = "default", **changes: Any) -> Packet:
        suffix = f"p{next(self._numbers)}"
        asked: dict[str, Any] = {
            "packet_id": packet_id_of(self.creator_id, suffix),
            "name": "rain",
            "platform": self.platform or await self.wallet.platform(self.creator_id) or LAB.platform,
            "terms": terms_of(shares),
            "allocator": allocator,
            "capabilities": BUILT_IN[allocator].capabilities,
            "transfer_id": f"create:{suffix}",
            "shares": shares,
            "seed": SEED,
            "commitment": commitment(terms_of(shares), SEED),
        }
        return await self.packets.create(**{**asked, **changes})

    def context(self) -> AllocatorContext:
        """Return what an allocator of this desk is made with; whoever asks for it closes it."""
        return AllocatorContext(self.store, self.clock, lambda: True)

    async def launch(self, packet_id: PacketId, schedule: Schedule = SCHEDULE) -> Packet:
        seen, _ = await self.packets.launches(self.creator_id)
        return await self.packets.launch(packet_id, room=self.room, schedule=schedule, surface=Surface.POPUP, seen=seen)

    async def open_packet(self, shares: Sequence[int], *, allocator: str = "default", **changes: Any) -> PacketId:
        """Recharge, create and launch a packet and go to the moment of its opening."""
        await self.at(NOW_MS)
        await self.recharge(sum(shares))
        packet = await self.draft(shares, allocator=allocator, **changes)
        await self.launch(packet.packet_id)
        await self.at(GRAB_AT_MS)
        return packet.packet_id

    async def run_claim(self, packet_id: PacketId, args: Sequence[str], room_id: RoomId | None = None) -> Any:
        grabs = "".join(f"{','.join(args[i : i + 2])};" for i in range(0, len(args), 2))
        asked: list[str | bytes | int] = [grabs, (len(args) + 1) // 2, room_id or self.room.room_id]
        return await self.store.run("claim", claim_keys(self.creator_id, packet_id), asked)

    async def journal(self, kind: str = "") -> list[dict[str, str]]:
        found: Any = await self.store.redis.xrange(keys.journal(self.creator_id))
        entries = [{name.decode(): value.decode() for name, value in fields.items()} for _, fields in found]
        return [entry for entry in entries if kind in ("", entry["kind"])]

    async def state(self) -> dict[bytes, bytes]:
        """Return everything the store holds, as it would be dumped."""
        redis: Any = self.store.redis
        names = sorted(await redis.keys())
        async with redis.pipeline(transaction=False) as together:
            for name in names:
                together.dump(name)
            return dict(zip(names, await together.execute(), strict=True))


def terms_of(shares: Sequence[int]) -> Terms:
    return Terms(Denomination.RANDOM, len(shares), sum(shares), min(shares), max(shares))


def claim_keys(creator_id: CreatorId, packet_id: PacketId) -> list[str]:
    return [
        keys.clock_of(creator_id),
        keys.packet(packet_id),
        keys.shares(packet_id),
        keys.claims(packet_id),
        keys.journal(creator_id),
        keys.added(packet_id),
        keys.owners(packet_id),
    ]


def grab(viewer: str, request: str = "q") -> Grab:
    return Grab(ViewerId(viewer), RequestId(request))


def crowd(size: int, name: str = "v") -> list[Grab]:
    return [grab(f"{name}{n}", f"q{n}") for n in range(size)]
