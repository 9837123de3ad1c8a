"""The books: what the store says about all money, one cut per creator, for an audit that need not trust us."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from server.core.ids import CreatorId, PacketId
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.packet_record import Record, counts_from, editions_shown, packet_from, record_from, seed_of
from server.store.packets import claims_of
from server.store.wallet import movement_from

JOURNAL_PAGE = 1_000  # entries; a claim entry can list 500 shares
_LEFT_PAGE = 10_000
_BALANCES = ("available_fen", "recharged_fen", "returned_fen", "withdrawn_fen", "spent_fen", "reversing_fen")
_NOT_EVERYWHERE = dict.fromkeys(("claims", "edition", "fee_fen", "balance_fen", "withdrawal_id", "shares", "reversals"))
Line = dict[str, Any]


async def export(store: Store, clock: StoreClock, *, final: bool) -> AsyncIterator[Line]:
    """
    Yield the lines of ``books.jsonl`` in order (ARCHITECTURE.md names their fields).

    Each creator's wallet, packets and last journal entry are of one instant; the journal follows up to there. With
    *final*, when nothing moves any more, the claims and the shares that went back come too. Shares and seeds of packets
    that may still be grabbed never do.
    """
    record = clock.record
    yield {
        "kind": "clock",
        "origin_ms": record.origin_ms,
        "started_ms": record.started_ms,
        "speed": record.speed,
    }
    creators: Any = await store.redis.smembers(keys.CREATORS)
    for creator_id in sorted(CreatorId(name.decode()) for name in creators):
        async for line in _creator(store, creator_id, final=final):
            yield line
    yield {"kind": "end", "final": final}


async def _creator(store: Store, creator_id: CreatorId, *, final: bool) -> AsyncIterator[Line]:
    cut_ms, last_id, balances, packets = await _cut(store, creator_id)
    yield {
        "kind": "creator",
        "creator_id": creator_id,
        "cut_ms": cut_ms,
        "journal_last_id": last_id,
        "wallet": dict(zip(_BALANCES, balances, strict=True)),
    }
    for record, in_list in packets:
        yield _packet(record, in_list, cut_ms)
    async for line in _journal(store, creator_id, last_id):
        yield line
    if not final:
        return
    for record, _ in packets:
        packet_id = PacketId(record[b"packet_id"].decode())
        async for line in _claims(store, packet_id):
            yield line
        if record[b"state"] in (b"settled", b"voided"):
            yield {"kind": "left", "packet_id": packet_id, "amounts": await _left(store, packet_id)}


async def _cut(store: Store, creator_id: CreatorId) -> tuple[int, str, list[int], list[tuple[Record, int]]]:
    """Read wallet, packets and the journal's end at one instant; a packet made while we looked makes us look again."""
    while True:
        found: Any = await store.redis.zrange(keys.packets(creator_id), 0, -1)
        names = [
            keys.clock_of(creator_id),
            keys.wallet(creator_id),
            keys.journal(creator_id),
            keys.packets(creator_id),
        ]
        for name in found:
            packet_id = PacketId(name.decode())
            names += [keys.packet(packet_id), keys.shares(packet_id), keys.added(packet_id)]
        cut_ms, *rest = await store.run("books", names, [])
        if cut_ms < 0:
            continue
        last_id, balances, *packets = rest
        return (
            cut_ms,
            last_id.decode(),
            balances,
            [(record_from(flat), left) for flat, left in zip(packets[::2], packets[1::2], strict=True)],
        )


def _packet(record: Record, in_list: int, cut_ms: int) -> Line:
    packet, counts, seed = packet_from(record), counts_from(record, in_list), seed_of(record, cut_ms)
    schedule = packet.schedule
    return {
        "kind": "packet",
        "packet_id": packet.packet_id,
        "creator_id": packet.creator_id,
        "room_id": packet.room_id,
        "name": packet.name,
        "platform": packet.platform,
        "state": str(packet.state),
        "allocator": packet.allocator,
        "denomination": str(packet.terms.denomination),
        "share_count": packet.terms.share_count,
        "total_fen": packet.terms.total_fen,
        "min_share_fen": packet.terms.min_share_fen,
        "max_share_fen": packet.terms.max_share_fen,
        "warmup_at_ms": schedule.warmup_at_ms if schedule else None,
        "grab_at_ms": schedule.grab_at_ms if schedule else None,
        "claim_end_at_ms": schedule.claim_end_at_ms if schedule else None,
        "surface": str(packet.surface) if schedule else None,
        "edition": packet.edition,
        "commitment": packet.commitment,
        "seed": seed.hex() if seed else None,
        "editions": editions_shown(record, revealed=seed is not None),
        "ended_at_ms": packet.ended_at_ms,
        "use_start_at_ms": packet.use_start_at_ms,
        "use_end_at_ms": packet.use_end_at_ms,
        "use_for_ms": packet.use_for_ms,
        "product_ids": None if packet.product_ids is None else list(packet.product_ids),
        "reversal_delay_ms": packet.reversal_delay_ms,
        **asdict(counts),
    }


async def _journal(store: Store, creator_id: CreatorId, last_id: str) -> AsyncIterator[Line]:
    after = "-"
    while True:
        page: Any = await store.redis.xrange(keys.journal(creator_id), min=after, max=last_id, count=JOURNAL_PAGE)
        for entry_id, fields in page:
            movement = movement_from(entry_id, fields)
            movement["movement"] = movement.pop("kind")  # the line's own kind is journal
            yield {"kind": "journal", "creator_id": creator_id, **_NOT_EVERYWHERE, **movement}
        if len(page) < JOURNAL_PAGE:
            return
        after = f"({page[-1][0].decode()}"


async def _claims(store: Store, packet_id: PacketId) -> AsyncIterator[Line]:
    claims = {viewer_id: share async for viewer_id, share in claims_of(store, packet_id)}
    for viewer_id, share in sorted(claims.items(), key=lambda claim: claim[1].index):
        yield {
            "kind": "claim",
            "packet_id": packet_id,
            "viewer_id": viewer_id,
            "index": share.index,
            "amount_fen": share.amount_fen,
            "edition": share.edition,
            "request_id": share.request_id,
        }


async def _left(store: Store, packet_id: PacketId) -> list[int]:
    amounts: list[int] = []
    while True:
        page: Any = await store.redis.lrange(keys.returned(packet_id), len(amounts), len(amounts) + _LEFT_PAGE - 1)
        amounts.extend(map(int, page))
        if len(page) < _LEFT_PAGE:
            return amounts
