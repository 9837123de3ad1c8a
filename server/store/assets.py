"""Assets in the store: viewers' shares of packets, read from the claims, so that an asset needs no data of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from server.core.ids import PLATFORM, ClaimId, CreatorId, PacketId, ViewerId, packet_of_claim
from server.core.orders.asset import Asset, AssetState, asset_of
from server.core.packets.packet import Packet
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.packet_record import packet_from, share_from

PACKETS_COUNTED_MAX = 200  # of one creator
LOOKED_THROUGH_MAX = 2_000  # packets in a page over all creators: some ten milliseconds
CREATORS_MAX = 200  # in such a page
_PAGE = 500  # look-ups sent at once
_Claimed = tuple[ViewerId, PacketId, bytes]  # as its claim is stored


@dataclass(frozen=True, slots=True)
class Held:
    """A viewer's share with its packet and the room instant of its claim, which a naive allocator does not keep."""

    asset: Asset
    packet: Packet
    claimed_at_ms: int | None


class Cursor(NamedTuple):
    """A place among all packets: how many of a creator's come before it, the first created first."""

    creator_id: CreatorId
    packets: int


BEFORE_ALL = Cursor(CreatorId(""), 0)


class Assets:
    """The shares of all viewers."""

    def __init__(self, store: Store, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock

    async def of_viewer(self, viewer_id: ViewerId, creator_ids: Iterable[CreatorId]) -> list[Held]:
        """Return all shares that a viewer has claimed of these creators' packets, oldest first (KS-CLM-3)."""
        packet_ids: list[PacketId] = []
        for creator_id in dict.fromkeys(creator_ids):
            found: Any = await self._store.redis.zrange(keys.packets(creator_id), 0, -1)
            packet_ids += [PacketId(name.decode()) for name in found]
        held = await self._held([viewer_id], packet_ids)
        return sorted(held, key=lambda each: (each.claimed_at_ms or 0, each.asset.asset_id))

    async def page(self, viewer_id: ViewerId, after: Cursor = BEFORE_ALL) -> tuple[list[Held], Cursor | None]:
        """
        Return the shares that a viewer has claimed of whosever packets, the last claimed first, and where to go on.

        One page looks through at most LOOKED_THROUGH_MAX packets after *after*, of creators in the order of their ids;
        it may have none of the viewer's while others have.
        """
        found: Any = await self._store.redis.smembers(keys.CREATORS)
        creators = sorted({PLATFORM, *(CreatorId(name.decode()) for name in found)})
        creators = [each for each in creators if each >= after.creator_id]
        at_once, rest = creators[:CREATORS_MAX], creators[CREATORS_MAX:]
        going_on = Cursor(rest[0], 0) if rest else None
        async with self._store.redis.pipeline(transaction=False) as together:
            for creator_id in at_once:
                first = after.packets if creator_id == after.creator_id else 0
                together.zrange(keys.packets(creator_id), first, first + LOOKED_THROUGH_MAX)
            lists = await together.execute()
        packet_ids: list[PacketId] = []
        for creator_id, names in zip(at_once, lists, strict=True):
            first = after.packets if creator_id == after.creator_id else 0
            room = LOOKED_THROUGH_MAX - len(packet_ids)
            packet_ids += [PacketId(name.decode()) for name in names[:room]]
            if room < len(names):
                going_on = Cursor(creator_id, first + room)
                break
        held = await self._held([viewer_id], packet_ids)
        return sorted(held, key=lambda each: (each.claimed_at_ms or 0, each.asset.asset_id), reverse=True), going_on

    async def named(self, viewer_id: ViewerId, asset_ids: Sequence[str]) -> list[Held]:
        """
        Return the viewer's assets among these ids, in no order.

        Raises Refused ``not_found`` if one cannot be an asset's id.
        """
        packet_ids = dict.fromkeys(packet_of_claim(ClaimId(asset_id)) for asset_id in asset_ids)
        return [each for each in await self._held([viewer_id], [*packet_ids]) if each.asset.asset_id in asset_ids]

    async def counts(self, viewer_ids: Sequence[ViewerId], creator_id: CreatorId) -> dict[ViewerId, int]:
        """
        Return how many of a creator's packets each of these viewers may use, now or later; others are omitted.

        The result is empty for a creator with more than PACKETS_COUNTED_MAX packets, too many to read per newcomer.
        """
        found: Any = await self._store.redis.zrange(keys.packets(creator_id), 0, PACKETS_COUNTED_MAX)
        if len(found) > PACKETS_COUNTED_MAX:
            return {}
        now_ms, counts = self._clock.room_ms(), dict.fromkeys(viewer_ids, 0)
        for each in await self._held(viewer_ids, [PacketId(name.decode()) for name in found]):
            asset = each.asset
            counts[asset.viewer_id] += asset.state is AssetState.AVAILABLE and not asset.expired_at(now_ms)
        return {viewer_id: count for viewer_id, count in counts.items() if count}

    async def _held(self, viewer_ids: Sequence[ViewerId], packet_ids: Sequence[PacketId]) -> list[Held]:
        claimed: list[_Claimed] = []
        if not viewer_ids:
            return []
        for first in range(0, len(packet_ids), _PAGE):
            page = packet_ids[first : first + _PAGE]
            async with self._store.redis.pipeline(transaction=False) as together:
                for packet_id in page:
                    together.hmget(keys.claims(packet_id), list(viewer_ids))
                found = await together.execute()
            claimed += [
                (viewer_id, packet_id, value)
                for packet_id, values in zip(page, found, strict=True)
                for viewer_id, value in zip(viewer_ids, values, strict=True)
                if value is not None
            ]
        held: list[Held] = []
        for first in range(0, len(claimed), _PAGE):
            held += await self._described(claimed[first : first + _PAGE])
        return held

    async def _described(self, claimed: Sequence[_Claimed]) -> list[Held]:
        shares = [(viewer_id, packet_id, share_from(value)) for viewer_id, packet_id, value in claimed]
        packet_ids = list(dict.fromkeys(packet_id for _, packet_id, _ in shares))
        async with self._store.redis.pipeline(transaction=False) as together:
            for packet_id in packet_ids:
                together.hgetall(keys.packet(packet_id))
            for _, packet_id, share in shares:
                together.hget(keys.assets(packet_id), str(share.index))
                together.lindex(keys.owners(packet_id), share.index)
            found = await together.execute()
        # A packet that was retired since its claims were read has no record any more.
        records = zip(packet_ids, found, strict=False)
        packets = {packet_id: packet_from(record) for packet_id, record in records if record}
        states = iter(found[len(packet_ids) :])
        held: list[Held] = []
        for (viewer_id, packet_id, share), stored, owner in zip(shares, states, states, strict=True):
            packet = packets.get(packet_id)
            if packet is None:
                continue
            # An allocator that keeps no owners does not tell when: at the earliest when the packet opened.
            opened_at_ms = packet.schedule.grab_at_ms if packet.schedule else 0
            claimed_at_ms = None if owner is None else int(owner.rpartition(b":")[2])
            asset = asset_of(
                packet,
                index=share.index,
                amount_fen=share.amount_fen,
                viewer_id=viewer_id,
                claimed_at_ms=claimed_at_ms or opened_at_ms,
                stored=None if stored is None else stored.decode(),
            )
            held.append(Held(asset, packet, claimed_at_ms))
        return held
