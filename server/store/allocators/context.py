"""An allocator's context: access to the store for its own keys, packets with their shares, and the books."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from redis.asyncio import BlockingConnectionPool

from server.core.ids import PacketId, RequestId, RoomId, ViewerId, creator_of
from server.core.packets.claim import Claim, ClaimStatus, Grab, Share, answer_to
from server.core.packets.packet import Packet, PacketState
from server.core.refusal import Refused
from server.core.roomtime import RoomClock
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import ANSWER_TIMEOUT_S, Store, StoreClient
from server.store.packet_record import packet_from, share_from

CONNECTIONS = 32  # of one allocator: as many of its commands are on their way at once, the others wait their turn
SHARES_PER_CALL = 500  # as in claim.lua: a call stays about a millisecond
_REFUSED = {"l": ClaimStatus.TOO_LATE, "v": ClaimStatus.VOIDED, "n": ClaimStatus.NOT_FOUND}


@dataclass(frozen=True, slots=True)
class PacketView:
    """
    A packet as it was at room time ``now_ms`` by the store's clock.

    ``refusal`` is what somebody without a share is told then (too early, too late, voided), or None in the grab window.
    """

    packet: Packet
    now_ms: int
    refusal: ClaimStatus | None

    def refused(self, grab: Grab, status: ClaimStatus) -> Claim:
        """Answer a grab that gets nothing."""
        return Claim(self.packet.packet_id, grab.viewer_id, grab.request_id, status, self.packet.edition)

    def holding(self, grab: Grab, index: int, amount_fen: int, request_id: RequestId) -> Claim:
        """
        Answer a grab of a viewer who holds share *index*, which the tap *request_id* has won.

        That tap hears that it was granted, now and whenever it asks again; any other one of the viewer's repeats it.
        """
        share = Share(index, amount_fen, self.packet.edition, request_id)
        return answer_to(grab, self.packet.packet_id, share)


class AllocatorContext:
    """
    One allocator's way to the store.

    ``store``, ``clock`` and ``is_fresh`` (this process has lately heard from its feed) are the server's own.
    """

    def __init__(self, store: Store, clock: StoreClock, is_fresh: Callable[[], bool]) -> None:
        self.store = store
        self.clock = clock
        self.is_fresh = is_fresh
        self._shares: dict[PacketId, list[int]] = {}

    @cached_property
    def redis(self) -> StoreClient:
        """
        The client for keys of one's own, on connections of its own; see ``key``.

        It repeats nothing. Its errors of reach are StoreUnavailable, in which case the outcome is unknown.
        """
        pool = self.store.redis.connection_pool
        own = BlockingConnectionPool(
            connection_class=pool.connection_class,
            max_connections=CONNECTIONS,
            timeout=ANSWER_TIMEOUT_S,
            **pool.connection_kwargs,
        )
        client = StoreClient.from_pool(own)
        assert isinstance(client, StoreClient)
        return client

    async def close(self) -> None:
        """Close the connections, if there are any."""
        if "redis" in self.__dict__:
            await self.redis.aclose()

    def key(self, packet_id: PacketId, name: str) -> str:
        """Name a key of one's own for a packet; all keys of a creator share a slot, so a script may touch them all."""
        return f"{{{creator_of(packet_id)}}}:allocator:{packet_id}:{name}"

    async def view(self, packet_id: PacketId, room_id: RoomId | None = None) -> PacketView | None:
        """
        Read a packet and the room time, both in one round trip.

        Returns None if there is no such packet, or if it was launched into another room than *room_id* (AMB-46). Raises
        StoreUnavailable, also while the store lacks what was acknowledged.
        """
        self.store.gate.check()
        try:
            creator_id = creator_of(packet_id)
        except Refused:
            return None
        async with self.redis.pipeline(transaction=False) as together:
            together.time()
            together.hgetall(keys.clock_of(creator_id))
            together.hgetall(keys.packet(packet_id))
            (seconds, microseconds), clock, record = await together.execute()
        if not record or not clock:
            return None
        room_clock = RoomClock(int(clock[b"origin_ms"]), int(clock[b"started_ms"]), int(clock[b"speed"]))
        now_ms = room_clock.room_ms(seconds * 1_000 + microseconds // 1_000)
        packet = packet_from(record)
        if room_id is not None and packet.room_id not in (None, room_id):
            return None
        return PacketView(packet, now_ms, window_refusal(packet, now_ms))

    async def shares(self, packet_id: PacketId) -> list[int]:
        """
        Return the packet's shares in fen, in the order in which they are to be given; read once, then remembered.

        A share's index is its place in this list. For an allocator that takes none of them off the list.
        """
        known = self._shares.get(packet_id)
        if known is None:
            found: Any = await self.redis.lrange(keys.shares(packet_id), 0, -1)
            known = self._shares[packet_id] = [int(amount) for amount in found]
        return known

    async def held(self, packet_id: PacketId, viewer_id: ViewerId) -> Share | None:
        """Return the share of a viewer, as the books have it."""
        value: Any = await self.redis.hget(keys.claims(packet_id), viewer_id)
        return None if value is None else share_from(value)

    async def record(self, view: PacketView, claims: Sequence[Claim]) -> list[Claim]:
        """
        Write every share that *claims* hold into the books, and return what the viewers may be told.

        Nothing may be told before: the audit compares both. A share that is in the books already is not written again.
        One that comes after the packet was settled or voided is refused, and goes back to its creator.
        """
        recorded = list(claims)
        holding = [(place, claim) for place, claim in enumerate(claims) if claim.share is not None]
        for first in range(0, len(holding), SHARES_PER_CALL):
            part = holding[first : first + SHARES_PER_CALL]
            for (place, claim), code in zip(part, await self._record(view, [claim for _, claim in part]), strict=True):
                if code in _REFUSED:
                    recorded[place] = claim._replace(status=_REFUSED[code], share=None)
        return recorded

    async def _record(self, view: PacketView, claims: Sequence[Claim]) -> str:
        packet_id = view.packet.packet_id
        rows = [
            f"{claim.viewer_id},{share.index},{share.amount_fen},{share.edition},{share.request_id};"
            for claim in claims
            if (share := claim.share) is not None
        ]
        names = [keys.packet(packet_id), keys.claims(packet_id), keys.journal(view.packet.creator_id)]
        reply: Any = await self.store.run("record_claims", names, [packet_id, view.now_ms, "".join(rows), len(rows)])
        return str(reply.decode())


def window_refusal(packet: Packet, now_ms: int) -> ClaimStatus | None:
    """Return what the grab window alone says to somebody without a share at room time *now_ms*."""
    if packet.state is PacketState.VOIDED:
        return ClaimStatus.VOIDED
    if packet.state is PacketState.SETTLED:
        return ClaimStatus.TOO_LATE
    if packet.schedule is None or now_ms < packet.schedule.grab_at_ms:
        return ClaimStatus.TOO_EARLY
    return ClaimStatus.TOO_LATE if now_ms >= packet.schedule.claim_end_at_ms else None


def stored_claim(claim: Claim) -> str:
    """Return the value by which the books keep a claim that holds a share."""
    share = claim.share
    assert share is not None
    return f"{share.index}:{share.amount_fen}:{share.edition}:{share.request_id}"


def journal_fields(view: PacketView, claim: Claim) -> dict[Any, Any]:
    """Return the journal's entry of one claim that holds a share, for an allocator that writes the books itself."""
    packet_id, share = claim.packet_id, claim.share
    assert share is not None
    return {
        "kind": "claim",
        "transfer_id": f"claim:{packet_id}:{claim.viewer_id}",
        "packet_id": packet_id,
        "debit": f"escrow:{packet_id}",
        "credit": f"assets:{packet_id}",
        "amount_fen": share.amount_fen,
        "at_ms": view.now_ms,
        "claims": f"{claim.viewer_id},{share.index},{share.amount_fen},{share.request_id}",
        "edition": share.edition,
    }
