"""
The naive allocator: what one writes before one has lost money. It is here to be caught.

It reads how many shares were given, compares, and writes one more; between the read and the write others do the same.
Used only on packets that ask for it, with diagnostics on. It keeps no list of owners, so what
its winners have never expires.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import BlockingConnectionPool

from server.core.ids import CreatorId, PacketId, creator_of
from server.core.packets.claim import Claim, ClaimStatus, Grab, Share, answer_to
from server.core.packets.packet import Packet, PacketState
from server.core.refusal import Refused
from server.core.roomtime import RoomClock
from server.store import keys
from server.store.connection import ANSWER_TIMEOUT_S, Store, StoreUnavailable
from server.store.packet_record import packet_from, share_from

CONNECTIONS = 32  # as many grabs are between their read and their write at once


class NaiveAllocator:
    """Over-issues under load, by a race and without any sleep."""

    def __init__(self, store: Store) -> None:
        pool = store.redis.connection_pool
        options = {**pool.connection_kwargs}
        self._redis = type(store.redis).from_pool(
            BlockingConnectionPool(
                connection_class=pool.connection_class,
                max_connections=CONNECTIONS,
                timeout=ANSWER_TIMEOUT_S,
                **options,
            )
        )
        self._turns = asyncio.Semaphore(CONNECTIONS)

    async def claim(self, packet_id: PacketId, grabs: Sequence[Grab]) -> list[Claim]:
        """Answer all grabs, in order, one coroutine each."""
        try:
            creator_id = creator_of(packet_id)
            now_ms = await self._room_ms(creator_id)
        except Refused:
            return [_refused(packet_id, grab, ClaimStatus.NOT_FOUND) for grab in grabs]
        except StoreUnavailable:
            return [_refused(packet_id, grab, ClaimStatus.UNAVAILABLE) for grab in grabs]
        return await asyncio.gather(*(self._answer(creator_id, packet_id, grab, now_ms) for grab in grabs))

    async def close(self) -> None:
        """Close its connections."""
        await self._redis.aclose()

    async def _answer(self, creator_id: CreatorId, packet_id: PacketId, grab: Grab, now_ms: int) -> Claim:
        async with self._turns:
            try:
                return await self._grab(creator_id, packet_id, grab, now_ms)
            except StoreUnavailable:
                return _refused(packet_id, grab, ClaimStatus.UNAVAILABLE)

    async def _grab(self, creator_id: CreatorId, packet_id: PacketId, grab: Grab, now_ms: int) -> Claim:
        held: Any = await self._redis.hget(keys.claims(packet_id), grab.viewer_id)
        if held is not None:
            return answer_to(grab, packet_id, share_from(held))
        record: Any = await self._redis.hgetall(keys.packet(packet_id))
        if not record:
            return _refused(packet_id, grab, ClaimStatus.NOT_FOUND)
        packet = packet_from(record)
        refusal = _window(packet, now_ms)
        if refusal is not None:
            return _refused(packet_id, grab, refusal, packet.edition)
        given = int(record[b"given"])
        if given >= packet.terms.share_count:
            return _refused(packet_id, grab, ClaimStatus.EXHAUSTED, packet.edition)

        amount: Any = await self._redis.lindex(keys.shares(packet_id), given)
        if amount is None:  # swept or voided meanwhile
            return _refused(packet_id, grab, ClaimStatus.TOO_LATE, packet.edition)
        share = Share(given, int(amount), packet.edition, grab.request_id)
        counted: Any = {"given": given + 1, "given_fen": int(record[b"given_fen"]) + share.amount_fen}
        await self._redis.hset(keys.packet(packet_id), mapping=counted)
        await self._write(creator_id, packet, grab, share, now_ms)
        return answer_to(grab, packet_id, share)

    async def _write(self, creator_id: CreatorId, packet: Packet, grab: Grab, share: Share, now_ms: int) -> None:
        packet_id = packet.packet_id
        stored = f"{share.index}:{share.amount_fen}:{share.edition}:{share.request_id}"
        await self._redis.hset(keys.claims(packet_id), grab.viewer_id, stored)
        await self._redis.xadd(
            keys.journal(creator_id),
            {
                "kind": "claim",
                "transfer_id": f"claim:{packet_id}:{grab.viewer_id}",
                "packet_id": packet_id,
                "debit": f"escrow:{packet_id}",
                "credit": f"assets:{packet_id}",
                "amount_fen": share.amount_fen,
                "at_ms": now_ms,
                "claims": f"{grab.viewer_id},{share.index},{share.amount_fen},{share.request_id}",
                "edition": share.edition,
            },
        )

    async def _room_ms(self, creator_id: CreatorId) -> int:
        record: Any = await self._redis.hgetall(keys.clock_of(creator_id))
        if not record:
            raise Refused("not_found", "no such creator")
        clock = RoomClock(int(record[b"origin_ms"]), int(record[b"started_ms"]), int(record[b"speed"]))
        seconds, microseconds = await self._redis.time()
        return clock.room_ms(seconds * 1_000 + microseconds // 1_000)


def _window(packet: Packet, now_ms: int) -> ClaimStatus | None:
    if packet.state is PacketState.VOIDED:
        return ClaimStatus.VOIDED
    if packet.schedule is None or now_ms < packet.schedule.grab_at_ms:
        return ClaimStatus.TOO_EARLY
    if packet.state is PacketState.SETTLED or now_ms >= packet.schedule.claim_end_at_ms:
        return ClaimStatus.TOO_LATE
    return None


def _refused(packet_id: PacketId, grab: Grab, status: ClaimStatus, edition: int = 0) -> Claim:
    return Claim(packet_id, grab.viewer_id, grab.request_id, status, edition)
