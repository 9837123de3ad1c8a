"""Retention: old ended packets are archived, and dropped from the store only once the archive is safe on disk."""

import asyncio
import contextlib
import fcntl
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from redis.exceptions import ResponseError

from server.core.ids import CreatorId, PacketId, RoomId
from server.store import keys
from server.store.books import Line, claim_lines, journal_line, packet_line
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.packet_record import Record
from server.store.transfers import StoreBroken

ARCHIVE = "archive"  # the folder's name in the home folder
ENTRIES_PER_STEP = 100  # of the journal; each can list 500 claims, and one script reads them all
STEPS_PER_TURN = 20
HELD_PER_STEP = 100  # packets that were held back, and are looked at again
CLAIMS_PER_TURN = 20_000  # some 3 MB of archive; the packet with which they are passed is the turn's last

_OF_CREATOR = (keys.expiring, keys.packets, keys.transfers, keys.journal, keys.opening, keys.retired)
_OF_PACKET = [keys.packet, keys.shares, keys.claims, keys.returned, keys.added, keys.owners, keys.assets]
_OF_PACKET += [keys.effects_of]
_ENDINGS = (b"sweep", b"void", b"end")
_Entry = tuple[bytes, dict[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _RetireStep:
    """
    The data that one step drops of a creator: packets, and a prefix of its journal.

    ``next_id`` is where the next search starts; ``held`` are ended packets before it whose money can still move.
    """

    records: list[Record]
    entries: list[_Entry]
    next_id: str
    held: dict[bytes, None]
    more: bool


class Retention:
    """
    Drops packets that have been settled or voided for longer than *retention_ms* real ms, and the journal's prefix.

    A packet with a share that may still be used or returned stays until then: retire.lua decides. All dropped data are
    in ``<creator>.jsonl`` of the folder *archive* before; one process per folder works at a time. A packet's real age
    comes from the store's ids of its journal entries, independent of the speed of the room clock.
    """

    def __init__(self, store: Store, clock: StoreClock, archive: Path, retention_ms: int) -> None:
        self._store = store
        self._clock = clock
        self._archive = archive
        self._retention_ms = retention_ms
        self._waiting: deque[CreatorId] = deque()
        self._next_id: dict[CreatorId, str] = {}
        self._held: dict[CreatorId, dict[bytes, None]] = {}
        self._broken: set[CreatorId] = set()

    async def turn(self) -> int:
        """
        Do a bounded amount of work and return how many packets it dropped; the next turn continues there.

        A creator whose keys are broken stops no other and is left alone from then on; StoreBroken is raised when the
        turn is over. Raises StoreUnavailable, and OSError if the archive cannot be written.
        """
        with contextlib.ExitStack() as stack:
            if not stack.enter_context(_alone(self._archive)):
                return 0
            return await self._turn()

    async def _turn(self) -> int:
        if not self._waiting:
            creators: Any = await self._store.redis.smembers(keys.CREATORS)
            self._waiting.extend(sorted({CreatorId(name.decode()) for name in creators} - self._broken))
        seconds, micros = await self._store.redis.time()
        until_ms = seconds * 1_000 + micros // 1_000 - self._retention_ms - 1
        dropped = claims = steps = 0
        broken: StoreBroken | None = None
        while self._waiting and steps < STEPS_PER_TURN and claims < CLAIMS_PER_TURN:
            creator_id, steps = self._waiting.popleft(), steps + 1
            try:
                step = await self._step(creator_id, until_ms, CLAIMS_PER_TURN - claims)
            except (StoreBroken, ResponseError, KeyError, ValueError) as error:
                self._broken.add(creator_id)
                broken = StoreBroken(f"{creator_id}: {error}")
                continue
            claims += sum(int(record[b"given"]) for record in step.records)
            dropped += len(step.records)
            if step.more:
                self._waiting.append(creator_id)
        if broken is not None:
            raise broken
        return dropped

    async def _step(self, creator_id: CreatorId, until_ms: int, claims_max: int) -> _RetireStep:
        """Archive and drop the next piece of a creator."""
        step = await self._find(creator_id, until_ms, claims_max)
        if step.records or step.entries:
            await self._keep(creator_id, step)
            await self._drop(creator_id, step)
        self._next_id[creator_id], self._held[creator_id] = step.next_id, step.held
        return step

    async def _find(self, creator_id: CreatorId, until_ms: int, claims_max: int) -> _RetireStep:
        """Find packets that ended by *until_ms*, from where the last search ended, and a prefix that is not needed."""
        next_id = self._next_id.get(creator_id, "-")
        page = await self._entries(creator_id, next_id, until_ms)
        more = len(page) == ENTRIES_PER_STEP
        held = dict(self._held.get(creator_id, {}))
        again = list(held)[:HELD_PER_STEP]
        over = await self._records([*(_ended(fields) for _, fields in page), *again])
        moving = await self._moving(creator_id, list(over.values()))
        records: dict[bytes, Record] = {}

        for entry_id, fields in page:
            if claims_max <= 0:
                more = True
                break
            next_id = f"({entry_id.decode()}"
            packet_id = _ended(fields)
            if packet_id in moving:
                held[packet_id] = None
            elif packet_id in over and packet_id not in records:
                records[packet_id] = over[packet_id]
                claims_max -= int(over[packet_id][b"given"])
        for packet_id in again:
            del held[packet_id]
            if packet_id in moving or (packet_id in over and claims_max <= 0):
                held[packet_id] = None  # the last to be looked at again
            elif packet_id in over and packet_id not in records:
                records[packet_id] = over[packet_id]
                claims_max -= int(over[packet_id][b"given"])
        prefix = await self._prefix(creator_id, until_ms, set(records))
        return _RetireStep(list(records.values()), prefix, next_id, held, more or len(prefix) == ENTRIES_PER_STEP)

    async def _records(self, packet_ids: list[bytes]) -> dict[bytes, Record]:
        """Read the ended packets that still exist."""
        async with self._store.redis.pipeline(transaction=False) as together:
            for packet_id in filter(None, dict.fromkeys(packet_ids)):
                together.hgetall(keys.packet(PacketId(packet_id.decode())))
            records: list[Record] = await together.execute()
        return {record[b"packet_id"]: record for record in records if record.get(b"state") in (b"settled", b"voided")}

    async def _moving(self, creator_id: CreatorId, records: list[Record]) -> set[bytes]:
        """Return which of these packets hold money that can still move."""
        if not records:
            return set()
        _, _, _, *moving = await self._retire("look", creator_id, records, [])
        return set(moving)

    async def _prefix(self, creator_id: CreatorId, until_ms: int, going: set[bytes]) -> list[_Entry]:
        """Return the first entries of the journal, up to one that names a packet that stays."""
        page = [(entry, _owners(entry[1])) for entry in await self._entries(creator_id, "-", until_ms)]
        named = sorted({owner for _, owners in page for owner in owners} - going)
        scores: Any = (
            await self._store.redis.execute_command("ZMSCORE", keys.packets(creator_id), *named) if named else []
        )
        staying = {packet_id for packet_id, score in zip(named, scores, strict=True) if score is not None}
        stop = next((at for at, (_, owners) in enumerate(page) if owners & staying), len(page))
        return [entry for entry, _ in page[:stop]]

    async def _entries(self, creator_id: CreatorId, first: str, until_ms: int) -> list[_Entry]:
        entries: Any = await self._store.redis.xrange(
            keys.journal(creator_id), min=first, max=str(max(0, until_ms)), count=ENTRIES_PER_STEP
        )
        page: list[_Entry] = entries
        return page

    async def _keep(self, creator_id: CreatorId, step: _RetireStep) -> None:
        """Append a step to the creator's archive as one block, and return when it is safe on disk."""
        path = self._archive / f"{creator_id}.jsonl"
        with path.open("a+b") as file:
            if _is_torn(file):
                file.write(b"\n")
            count = 0
            async for line in self._lines(creator_id, step):
                file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
                count += 1
            await self._check_whole(step)
            file.write(orjson.dumps({"kind": "archived", "lines": count}, option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        await asyncio.to_thread(_sync_folder, self._archive)

    async def _lines(self, creator_id: CreatorId, step: _RetireStep) -> AsyncIterator[Line]:
        yield {"kind": "clock", **asdict(self._clock.record)}
        for record in step.records:
            yield packet_line(record, 0, self._clock.room_ms())
            async for line in claim_lines(self._store, record):
                yield line
        for entry_id, fields in step.entries:
            yield journal_line(creator_id, entry_id, fields)

    async def _check_whole(self, step: _RetireStep) -> None:
        """Raise StoreBroken if somebody else, with an archive elsewhere, dropped a packet while it was being read."""
        names = [keys.packet(PacketId(record[b"packet_id"].decode())) for record in step.records]
        if names and await self._store.redis.exists(*names) != len(names):
            raise StoreBroken("another server archives into another folder")

    async def _drop(self, creator_id: CreatorId, step: _RetireStep) -> None:
        outcome, *_ = await self._retire("drop", creator_id, step.records, step.entries)
        if outcome != b"done":
            raise StoreBroken(outcome.decode())

    async def _retire(self, what: str, creator_id: CreatorId, records: list[Record], entries: list[_Entry]) -> Any:
        names = [key_of(creator_id) for key_of in _OF_CREATOR]
        packet_ids = [PacketId(record[b"packet_id"].decode()) for record in records]
        for packet_id, record in zip(packet_ids, records, strict=True):
            names += [key_of(packet_id) for key_of in _OF_PACKET]
            names.append(keys.on_air(creator_id, RoomId(record.get(b"room_id", b"").decode())))
        through = entries[-1][0].decode() if entries else ""
        return await self._store.run("retire", names, [what, through, ENTRIES_PER_STEP, *packet_ids])


def _ended(fields: dict[bytes, bytes]) -> bytes:
    """Return the packet that an entry of the journal ended, or b""."""
    return fields[b"packet_id"] if fields[b"kind"] in _ENDINGS else b""


def _owners(fields: dict[bytes, bytes]) -> set[bytes]:
    """Return the owners of the accounts in an entry of the journal, packets among them."""
    accounts = {fields.get(b"debit", b""), fields.get(b"credit", b"")}
    for posting in fields.get(b"postings", b"").split(b";"):
        accounts.update(posting.split(b",")[:2])
    return ({account.partition(b":")[2] for account in accounts} | {fields[b"packet_id"]}) - {b""}


@contextlib.contextmanager
def _alone(archive: Path) -> Iterator[bool]:
    """Yield whether this process may write to the archive; if so, no other may meanwhile."""
    archive.mkdir(parents=True, exist_ok=True)
    lock = os.open(archive / "archive.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)


def _is_torn(file: BinaryIO) -> bool:
    """Return whether a crash has left half a line at the end of *file*."""
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


def _sync_folder(folder: Path) -> None:
    """Make sure that the names in *folder* are on disk, not only what is in the files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
