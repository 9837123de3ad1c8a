"""Packets that ended long ago, for tests of retention: their journal entries get ids of an earlier time."""

from pathlib import Path
from typing import Any

from loadtest.record.books import Books, books_from
from loadtest.verdict.audit import Violation, audit
from server.core.ids import PacketId
from server.core.packets.packet import Denomination, Terms
from server.core.packets.split import commitment, split
from server.store import keys
from server.store.books import export
from server.store.retention import Retention
from server.store.reversals import Reversals
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, NOW_MS, SEED, Desk

RETENTION_MS = 3_600_000
USE_MS = 1_000  # what is claimed can be used for so long after the last claim
TERMS = Terms(Denomination.RANDOM, 5, 100, 5, 60)


def retention_of(desk: Desk, home: Path) -> Retention:
    return Retention(desk.store, desk.clock, home / "archive", RETENTION_MS)


def archive_of(home: Path) -> Path:
    return home / "archive" / "c1.jsonl"


async def open_rain(desk: Desk) -> PacketId:
    """Launch a packet whose shares are those of its seed, and go to its opening."""
    await desk.at(NOW_MS)
    await desk.recharge(TERMS.total_fen)
    packet = await desk.draft(
        split(TERMS, SEED), terms=TERMS, commitment=commitment(TERMS, SEED), use_end_at_ms=CLAIM_END_AT_MS + USE_MS
    )
    await desk.launch(packet.packet_id)
    await desk.at(GRAB_AT_MS)
    return packet.packet_id


async def settled_rain(desk: Desk, *viewers: str, expired: bool = True) -> PacketId:
    """Let a packet be grabbed by *viewers*, settle it, and unless told otherwise let what they hold of it expire."""
    packet_id = await open_rain(desk)
    for viewer in viewers:
        await desk.run_claim(packet_id, [viewer, "q"])
    await desk.at(CLAIM_END_AT_MS)
    await desk.packets.sweep(packet_id)
    if expired:
        await desk.at(CLAIM_END_AT_MS + USE_MS)
        await Reversals(desk.store, desk.clock).expire(packet_id)
    return packet_id


async def grow_old(desk: Desk, by_ms: int = 2 * RETENTION_MS) -> None:
    """Give all entries of the journal the ids that they would have if they had been made *by_ms* earlier."""
    redis: Any = desk.store.redis
    journal = keys.journal(desk.creator_id)
    entries = await redis.xrange(journal)
    await redis.delete(journal)
    for first in range(0, len(entries), 1_000):
        async with redis.pipeline(transaction=False) as together:
            for entry_id, fields in entries[first : first + 1_000]:
                ms, _, seq = entry_id.decode().partition("-")
                together.xadd(journal, fields, id=f"{int(ms) - by_ms}-{seq}")
            await together.execute()


async def multiply(desk: Desk, packet_id: PacketId, times: int) -> None:
    """Write a voided packet *times* more under other ids: record, wallet and journal, as the scripts would."""
    redis: Any = desk.store.redis
    record = await redis.hgetall(keys.packet(packet_id))
    entries = [fields for _, fields in await redis.xrange(keys.journal(desk.creator_id))]
    mine = [fields for fields in entries if fields[b"packet_id"] == packet_id.encode()]
    async with redis.pipeline(transaction=False) as together:
        for n in range(times):
            name = f"c1.copy{n}"
            together.hset(keys.packet(PacketId(name)), mapping=record | {b"packet_id": name})
            together.rpush(keys.returned(PacketId(name)), record[b"total_fen"])
            together.zadd(keys.packets(desk.creator_id), {name: NOW_MS})
            for number, fields in enumerate(mine):
                copied = {key: value.replace(packet_id.encode(), name.encode()) for key, value in fields.items()}
                copied[b"transfer_id"] = f"copy:{n}:{number}".encode()
                together.xadd(keys.journal(desk.creator_id), copied)
                together.hset(keys.transfers(desk.creator_id), copied[b"transfer_id"], "copied")
        for balance in ("spent_fen", "returned_fen"):
            together.hincrby(keys.wallet(desk.creator_id), balance, times * int(record[b"total_fen"]))
        await together.execute()


async def books_of(desk: Desk) -> Books:
    return books_from([line async for line in export(desk.store, desk.clock, final=True)])


async def violations(desk: Desk) -> list[Violation]:
    return audit(await books_of(desk), None)
