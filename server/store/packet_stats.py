"""Effects in the store: running totals by packet, and the reads that compute a packet's metrics (KS-MON-1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import Any, TypeVar

import orjson

from server.core.ids import CreatorId, OrderId, PacketId, creator_of
from server.core.orders.order import OrderState
from server.core.packets.claim import ClaimStatus
from server.core.packets.lifecycle import BEST_LUCK_COUNT
from server.core.packets.packet import Packet, Surface
from server.core.packets.packet_stats import (
    Best,
    Brought,
    PacketStats,
    Seen,
    Stock,
    commission_expected,
    packet_stats,
    summed,
)
from server.store import keys
from server.store.connection import Store
from server.store.packet_record import Counts, Record, counts_from, packet_from
from server.store.packets import claims_of
from server.store.transfers import refusal

CLAIMS_LOOKED_THROUGH_MAX = 10_000  # while more may come; once none can, they are all read once
BEST_REMEMBERED_MAX = 1_000  # packets whose best claims a process keeps
ORDERS_COMPARED_MAX = 5_000  # of the time before a packet; a creator with more gets no increment
EXPOSED_EXACT_MAX = 20_000  # viewers of one packet that are told apart over all processes: 2 MB of the store
EXPOSED_KEPT_S = 86_400  # real seconds after the last one was added; a packet is hardly on air for a day
EXPOSED_AT_ONCE = 500  # half a millisecond of the store
_PAGE = 100  # packets, or orders, read at one instant: half a millisecond of the store
_PAID = (OrderState.PAID, OrderState.FINAL)  # of a refunded one nothing is left
_Kind = TypeVar("_Kind", Seen, Stock, Brought)


def grabs_field(status: ClaimStatus) -> str:
    """Name the total of the grabs with this answer."""
    return f"grabs_{status}"


@dataclass(frozen=True, slots=True)
class PacketRow:
    """A packet as its creator's list shows it, with its counters and the estimated commission in fen (DY-CRE-4)."""

    packet: Packet
    counts: Counts
    estimated_commission_fen: int


@dataclass(frozen=True, slots=True)
class _Read:
    """All stored data of one packet's effects."""

    packet: Packet
    record: Record
    counts: Counts
    totals: Record

    @property
    def seen(self) -> Seen:
        """Return the exposure counters; a packet on the asset widget is opened by a tap on it, which is the grab."""
        clicks = sum(self.grabs.values()) if self.packet.surface is Surface.ASSET_WIDGET else 0
        return replace(_counters(Seen, self.totals), widget_clicks=clicks)

    @property
    def stock(self) -> Stock:
        """Return the counters of shares."""
        return _counters(Stock, self.record)

    @property
    def grabs(self) -> dict[ClaimStatus, int]:
        """Return the number of grabs by answer, without zeros."""
        answers = {status: int(self.totals.get(grabs_field(status).encode(), 0)) for status in ClaimStatus}
        return {status: number for status, number in answers.items() if number}

    def ends_at_ms(self, now_ms: int) -> int:
        """Return the end of the time in which orders may use the packet: the end of its use validity, at most now."""
        schedule, use_for_ms = self.packet.schedule, self.record.get(b"use_for_ms")
        ends = [now_ms]
        if self.packet.use_end_at_ms is not None:
            ends.append(self.packet.use_end_at_ms)
        if schedule is not None and use_for_ms is not None:
            ends.append(schedule.claim_end_at_ms + int(use_for_ms))
        return min(ends)


class StatsCounters:
    """The running totals of all packets, and the metrics computed from them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._best: dict[PacketId, tuple[int, Sequence[Best]]] = {}

    async def add(
        self, counts: Mapping[PacketId, Mapping[str, int]], sold_out_after_ms: Mapping[PacketId, int]
    ) -> None:
        """
        Add *counts* to packets' totals, and set their time to sell-out in room ms unless it is set already.

        One pipeline for each creator. Raises StoreUnavailable; then some may have been added.
        """
        packet_ids = sorted(counts.keys() | sold_out_after_ms.keys())
        for _, of_creator in groupby(packet_ids, key=creator_of):
            async with self._store.redis.pipeline(transaction=False) as together:
                for packet_id in of_creator:
                    for name, number in counts.get(packet_id, {}).items():
                        together.hincrby(keys.effects_of(packet_id), name, number)
                    if packet_id in sold_out_after_ms:
                        after_ms = str(sold_out_after_ms[packet_id])
                        together.hsetnx(keys.effects_of(packet_id), "sold_out_after_ms", after_ms)
                await together.execute()

    async def expose(self, exposed: Mapping[PacketId, Sequence[str]]) -> None:
        """
        Add viewers who have seen a packet, each once, whichever processes it was connected to (AMB-51).

        Of more than EXPOSED_EXACT_MAX each process counts its own. Raises StoreUnavailable; then some may be missing.
        """
        for packet_id, viewer_ids in exposed.items():
            names = [keys.exposed(packet_id), keys.effects_of(packet_id)]
            for first in range(0, len(viewer_ids), EXPOSED_AT_ONCE):
                part = viewer_ids[first : first + EXPOSED_AT_ONCE]
                await self._store.run("expose", names, [EXPOSED_EXACT_MAX, EXPOSED_KEPT_S, *part])

    async def of_packet(self, packet_id: PacketId, now_ms: int) -> PacketStats:
        """Return a packet's metrics up to room time *now_ms*. Raises Refused if there is none."""
        (found,) = await self._read([packet_id])
        if found is None:
            raise refusal(b"not_found")
        sold_out = found.totals.get(b"sold_out_after_ms")
        return packet_stats(
            found.seen,
            found.grabs,
            found.stock,
            _counters(Brought, found.totals),
            sold_out_after_ms=None if sold_out is None else int(sold_out),
            best=await self._best_of(found, now_ms),
            baseline_fen=await self._baseline_fen([found], now_ms),
        )

    async def of_creator(self, creator_id: CreatorId, now_ms: int) -> PacketStats:
        """Return the metrics of all packets of a creator up to room time *now_ms*, each order counted once."""
        found: Any = await self._store.redis.zrange(keys.packets(creator_id), 0, -1)
        reads: list[_Read] = []
        for first in range(0, len(found), _PAGE):
            page = [PacketId(packet_id.decode()) for packet_id in found[first : first + _PAGE]]
            reads += [each for each in await self._read(page) if each is not None]
        totals: Any = await self._store.redis.hgetall(keys.effects(creator_id))
        answers = [each.grabs for each in reads]
        return packet_stats(
            summed(Seen, (each.seen for each in reads)),
            {s: number for s in ClaimStatus if (number := sum(each.get(s, 0) for each in answers))},
            summed(Stock, (each.stock for each in reads)),
            _counters(Brought, totals),
            baseline_fen=await self._baseline_fen(reads, now_ms),
        )

    async def rows(self, creator_id: CreatorId) -> list[PacketRow]:
        """Return a creator's packets as its list shows them, oldest first: one pipeline a page (DY-CRE-4, DY-SET-4)."""
        found: Any = await self._store.redis.zrange(keys.packets(creator_id), 0, -1)
        rows: list[PacketRow] = []
        for first in range(0, len(found), _PAGE):
            page = [PacketId(packet_id.decode()) for packet_id in found[first : first + _PAGE]]
            rows += await self.rows_of(page)
        return rows

    async def rows_of(self, packet_ids: Sequence[PacketId]) -> list[PacketRow]:
        """Return these packets of one creator as the list shows them; one that is gone is left out."""
        return [_row(each) for each in await self._read(packet_ids) if each is not None]

    async def row(self, packet_id: PacketId) -> PacketRow:
        """Return one packet as the list shows it. Raises Refused if there is none."""
        (found,) = await self._read([packet_id])
        if found is None:
            raise refusal(b"not_found")
        return _row(found)

    async def best_luck(self, packet_id: PacketId, now_ms: int) -> Best | None:
        """
        Return a packet's largest share once no more can be claimed; None before.

        Also None if there are more claims than anybody asking may have looked through, and nobody has yet.
        """
        (found,) = await self._read([packet_id])
        if found is None or not _is_over(found, now_ms):
            return None
        if found.counts.given > CLAIMS_LOOKED_THROUGH_MAX and packet_id not in self._best:
            return None
        best = await self._best_of(found, now_ms)
        return best[0] if best else None

    async def _read(self, packet_ids: Sequence[PacketId]) -> list[_Read | None]:
        """Read the data of packets of one creator in one round trip; None for a missing one."""
        async with self._store.redis.pipeline(transaction=True) as together:
            for packet_id in packet_ids:
                together.hgetall(keys.packet(packet_id))
                together.llen(keys.shares(packet_id))
                together.llen(keys.added(packet_id))
                together.hgetall(keys.effects_of(packet_id))
            answers = iter(await together.execute())
        return [
            _Read(packet_from(record), record, counts_from(record, in_list + in_added), totals) if record else None
            for record, in_list, in_added, totals in zip(answers, answers, answers, answers, strict=True)
        ]

    async def _best_of(self, found: _Read, now_ms: int) -> Sequence[Best] | None:
        """Return the best claims, as in ``result``, or None if there are too many and more may come."""
        packet_id, given = found.packet.packet_id, found.counts.given
        remembered = self._best.get(packet_id)
        if remembered is not None and remembered[0] == given:
            return remembered[1]
        if given > CLAIMS_LOOKED_THROUGH_MAX and not _is_over(found, now_ms):
            return None
        claims = {viewer_id: share async for viewer_id, share in claims_of(self._store, packet_id)}
        ranked = sorted(claims.items(), key=lambda claim: (-claim[1].amount_fen, claim[1].index))[:BEST_LUCK_COUNT]
        best = [Best(viewer_id, share.amount_fen, share.index) for viewer_id, share in ranked]
        if len(claims) == given:
            self._best[packet_id] = (given, best)
            if len(self._best) > BEST_REMEMBERED_MAX:
                del self._best[next(iter(self._best))]
        return best

    async def _baseline_fen(self, reads: Iterable[_Read], now_ms: int) -> int | None:
        """
        Return the sum of orders without packets in the period before the first warm-up, as long as the one since then.

        Return None if nothing has warmed up yet, or there are too many orders to read.
        """
        launched = [(each.packet.schedule.warmup_at_ms, each) for each in reads if each.packet.schedule is not None]
        if not launched:
            return None
        from_ms, creator_id = min(at_ms for at_ms, _ in launched), launched[0][1].packet.creator_id
        length_ms = max(each.ends_at_ms(now_ms) for _, each in launched) - from_ms
        if length_ms <= 0:
            return None
        found: Any = await self._store.redis.zrange(
            keys.orders(creator_id),
            str(from_ms - length_ms),
            f"({from_ms}",
            byscore=True,
            offset=0,
            num=ORDERS_COMPARED_MAX + 1,
        )
        if len(found) > ORDERS_COMPARED_MAX:
            return None
        brought_fen = 0
        for first in range(0, len(found), _PAGE):
            async with self._store.redis.pipeline(transaction=False) as together:
                for order_id in found[first : first + _PAGE]:
                    together.hmget(keys.order(creator_id, OrderId(order_id.decode())), "state", "doc", "progress")
                brought_fen += sum(_without_packets_fen(*fields_) for fields_ in await together.execute())
        return brought_fen


def _is_over(found: _Read, now_ms: int) -> bool:
    """Return whether no more shares can be claimed: none is left, or the window is over."""
    schedule = found.packet.schedule
    return not found.counts.remaining or (schedule is not None and now_ms >= schedule.claim_end_at_ms)


def _row(found: _Read) -> PacketRow:
    return PacketRow(found.packet, found.counts, commission_expected(_counters(Brought, found.totals)))


def _without_packets_fen(state: bytes | None, doc: bytes | None, progress: bytes | None) -> int:
    """Return the buyer's payment for the goods, less refunds, of an order that was paid and used no packet, else 0."""
    if doc is None or state not in {each.encode() for each in _PAID}:
        return 0
    deal = orjson.loads(doc)
    if deal["packets"]:
        return 0
    refunds = orjson.loads(progress)["refunds"] if progress else []
    paid_fen: int = sum(deal["quote"]["paid_by_line"])
    return paid_fen - sum(sum(refund["by_line"].values()) for refund in refunds)


def _counters(kind: type[_Kind], record: Record) -> _Kind:
    """Return the counters of one kind from a record, by name; a missing one is 0."""
    return kind(**{field.name: int(record.get(field.name.encode(), 0)) for field in fields(kind)})
