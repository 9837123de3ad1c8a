"""The claims of a packet page by page, in the order in which its shares were given (领取列表)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from server.core.ids import PacketId, ViewerId
from server.core.refusal import Refused
from server.store import keys
from server.store.connection import Store
from server.store.packet_record import share_from
from server.store.packets import claims_of
from server.store.transfers import refusal

UNORDERED_MAX = 10_000  # claims of an allocator that keeps no owners, which must all be read for any page


class ClaimRow(NamedTuple):
    """A granted share and its owner; the instant of the claim is None if the allocator does not keep it."""

    viewer_id: ViewerId
    share: int
    amount_fen: int
    claimed_at_ms: int | None


class ClaimPage(NamedTuple):
    """A page of ``rows``; ``claimed`` counts all claims, ``next`` is the ``after`` of the page that follows, if any."""

    claimed: int
    rows: Sequence[ClaimRow]
    next: int | None


class ClaimLists:
    """The lists of claims of all packets."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, packet_id: PacketId, *, after: int | None, limit: int, newest: bool) -> ClaimPage:
        """
        Return up to *limit* claims after position *after* of the list, or before it if the *newest* come first.

        A page costs as much wherever it is. Raises Refused: not_found; too_many, if the allocator keeps no order and
        has given more than UNORDERED_MAX shares.
        """
        async with self._store.redis.pipeline(transaction=True) as together:
            together.exists(keys.packet(packet_id))
            together.llen(keys.owners(packet_id))
            together.hlen(keys.claims(packet_id))
            known, owned, claimed = await together.execute()
        if not known:
            raise refusal(b"not_found")
        if newest:
            last = claimed if after is None else min(after, claimed)
            first = max(0, last - limit)
        else:
            first = 0 if after is None else after + 1
            last = min(first + limit, claimed)
        if first >= last:
            return ClaimPage(claimed, [], None)
        read = self._owners if owned >= claimed else self._unordered
        rows = await read(packet_id, first, last)
        if newest:
            return ClaimPage(claimed, rows[::-1], first if first > 0 else None)
        return ClaimPage(claimed, rows, last - 1 if last < claimed else None)

    async def _owners(self, packet_id: PacketId, first: int, last: int) -> Sequence[ClaimRow]:
        owners: Any = await self._store.redis.lrange(keys.owners(packet_id), first, last - 1)
        split = [owner.decode().rpartition(":") for owner in owners]
        shares: Any = await self._store.redis.hmget(keys.claims(packet_id), [viewer_id for viewer_id, _, _ in split])
        return [
            ClaimRow(ViewerId(viewer_id), share.index, share.amount_fen, int(at_ms))
            for (viewer_id, _, at_ms), value in zip(split, shares, strict=True)
            if value is not None and (share := share_from(value))
        ]

    async def _unordered(self, packet_id: PacketId, first: int, last: int) -> Sequence[ClaimRow]:
        claims: dict[ViewerId, ClaimRow] = {}
        async for viewer_id, share in claims_of(self._store, packet_id):
            claims[viewer_id] = ClaimRow(viewer_id, share.index, share.amount_fen, None)
            if len(claims) > UNORDERED_MAX:
                raise Refused("too_many", f"the allocator keeps no order, and gave more than {UNORDERED_MAX} shares")
        return sorted(claims.values(), key=lambda row: (row.share, row.viewer_id))[first:last]
