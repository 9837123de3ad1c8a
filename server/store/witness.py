"""
The witness: it keeps, outside the store, how far the store's books went when shares and money were acknowledged.

Within LAG_MAX_S of an acknowledgement it asks the store for the marks of the creators concerned and writes them to the
home's file. A store that is behind its marks shuts the gate before its books, and it opens again by itself once the
store has them, or the loss was accepted.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from server.core.ids import CreatorId, PacketId
from server.core.money.marks import NOTHING, CreatorFound, Mark, Shortfall, WitnessedBooks, mark_from, shortfall
from server.store import keys
from server.store.connection import Store
from server.store.supervision import SupervisedTask
from server.store.unavailable import StoreUnavailable, told_of
from server.store.witness_file import WitnessFile

LAG_MAX_S = 0.1  # between an acknowledgement and the disk's having its mark, while store and disk answer at once
_GATHER_S = 0.06  # of it: what is acknowledged meanwhile is written together
_IDLE_S = 1.0  # how long it takes to notice that a store was emptied while nothing moves
_CREATORS_PER_CALL = 100
_EPOCH_BYTES = 8
_log = logging.getLogger("redrain")


class StoreWitness:
    """One process's part of its home's witness over *store*."""

    def __init__(self, store: Store, file: WitnessFile) -> None:
        self._store = store
        self._apart = store.apart()
        self._gate = store.gate
        self._file = file
        self._known = WitnessedBooks("", {})
        self._comparing = asyncio.Lock()
        self._noted = asyncio.Event()
        self._task: SupervisedTask | None = None

    @classmethod
    async def over(cls, store: Store, home: Path, address: str = "") -> Self:
        """
        Compare the store at *address* with what *home* knows, or adopt it if that is nothing, and witness from now on.

        A store that is behind is an answer too: the gate before its books is shut. Raises StoreUnavailable.
        """
        witness = cls(store, WitnessFile(home, address))
        try:
            await witness.compare()
        except BaseException:
            await witness._apart.close()
            raise
        store.gate.compare, store.gate.on_note = witness._compare_run, witness._noted.set
        witness._task = store.supervisor.keep("the witness", witness._watch)
        return witness

    async def stop(self) -> None:
        """Write down what is not yet, if the store answers, and stop."""
        assert self._task is not None
        await self._task.stop()
        with suppress(StoreUnavailable):
            await self.look()
        self._gate.compare = None
        await self._apart.close()

    async def compare(self) -> None:
        """Compare the store with all that is known, and shut or open the gate. Raises StoreUnavailable."""
        async with self._comparing:
            await self._compare_all()

    async def look(self) -> None:
        """Write the marks of what moved since the last look. Raises StoreUnavailable, also for a full disk."""
        async with self._comparing:
            self._noted.clear()
            if self._gate.shut:
                await self._compare_all()
                return
            moved, self._gate.noted = self._gate.noted, {}
            try:
                await self._write_marks(moved)
            except BaseException:
                self._gate.noted = {**moved, **self._gate.noted}
                self._noted.set()
                raise

    async def _watch(self, achieved: Callable[[], None]) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_IDLE_S):
                    await self._noted.wait()
            if self._noted.is_set():
                await asyncio.sleep(_GATHER_S)
            await self.look()
            achieved()

    async def _write_marks(self, moved: Mapping[CreatorId, PacketId]) -> None:
        epoch, found = await found_in(self._apart, moved)
        marks = {creator_id: mark for creator_id in moved if (mark := self._known.marks.get(creator_id))}
        # A packet whose shares were not claimed before is not in the mark, so what is found is not about the mark's.
        same = {
            creator_id: found[creator_id]
            if mark.packet_id == moved[creator_id]
            else found[creator_id]._replace(retired=True, given=None)
            for creator_id, mark in marks.items()
        }
        if epoch != self._known.epoch or shortfall(WitnessedBooks(epoch, marks), epoch, same) is not None:
            self._gate.noted = {**moved, **self._gate.noted}
            await self._compare_all()
            return
        new = {
            creator_id: mark
            for creator_id, packet_id in moved.items()
            if (mark := mark_from(found[creator_id], packet_id, marks.get(creator_id))) != marks.get(creator_id)
        }
        if new:
            await self._written(self._file.append, WitnessedBooks(epoch, new))
            self._known = WitnessedBooks(epoch, {**self._known.marks, **new})

    async def _compare_run(self, run_id: str) -> None:
        """Compare the store's run *run_id*, if nobody has yet. Raises StoreUnavailable, or BooksBehind."""
        async with self._comparing:
            if self._gate.compared_run != run_id:
                await self._compare_all()
        self._gate.check()

    async def _compare_all(self) -> None:
        """Compare the store with all that the file knows, and shut or open the gate."""
        run_id = await self._run_id()
        known = await known_of(self._apart, self._file)
        behind: Shortfall | None = None
        if known is not None:
            epoch, behind = await lacking(self._apart, known)
        if behind is None and (known is None or epoch != known.epoch or not self._file.path.exists()):
            known = await self._adopt()
        assert known is not None
        if run_id != await self._run_id():
            raise StoreUnavailable("the store was restarted while its books were compared")
        self._known, self._gate.compared_run = known, run_id
        self._judge(behind)

    def _judge(self, behind: Shortfall | None) -> None:
        before, self._gate.shut = self._gate.shut, f"{behind}. {what_to_do(self._file)}" if behind else ""
        if self._gate.shut and self._gate.shut != before:
            _log.warning("no money moves and no window opens: %s", self._gate.shut)
        elif before and not self._gate.shut:
            _log.warning("the store has all that was acknowledged: its books are open again")

    async def _adopt(self) -> WitnessedBooks:
        """Know the store as it is. Its creators, if it has any, are told to the log."""
        books = await books_of(self._apart)
        await self._written(self._file.adopt, books)
        if books.marks:
            _log.warning(
                "%s knew no store: it adopts the one it finds, with the books of %d creators (epoch %s)",
                self._file.path,
                len(books.marks),
                books.epoch,
            )
        return books

    async def _written(self, write: Callable[[WitnessedBooks], None], books: WitnessedBooks) -> None:
        try:
            await asyncio.to_thread(write, books)
        except OSError as error:
            raise StoreUnavailable(f"{self._file.path} cannot be written: {told_of(str(error.strerror))}") from error

    async def _run_id(self) -> str:
        server: dict[str, Any] = await self._apart.redis.info("server")
        return str(server["run_id"])


async def known_of(store: Store, file: WitnessFile) -> WitnessedBooks | None:
    """Return what a home knows of a store, at its address or, by its epoch, at another. Raises StoreUnavailable."""
    known = await asyncio.to_thread(file.read)
    if known is None:
        epoch, _ = await found_in(store, {})
        known = await asyncio.to_thread(file.read_elsewhere, epoch)
    return known


async def lacking(store: Store, known: WitnessedBooks) -> tuple[str, Shortfall | None]:
    """Return a store's epoch, and what it lacks of what is known. Raises StoreUnavailable."""
    packets = {creator_id: PacketId(mark.packet_id) for creator_id, mark in known.marks.items()}
    epoch, found = await found_in(store, packets)
    return epoch, shortfall(known, epoch, found)


def what_to_do(file: WitnessFile) -> str:
    """Return what an operator of the home whose file this is may do about a store that is behind."""
    return (
        "Give the store its data back and start it again, or look at the loss and accept it: "
        f"redrain store accept-loss --home {file.path.parent}"
    )


async def books_of(store: Store) -> WitnessedBooks:
    """Return all the books that a store has. One without an epoch gets one. Raises StoreUnavailable."""
    await store.redis.set(keys.EPOCH, secrets.token_hex(_EPOCH_BYTES), nx=True)
    names: Any = await store.redis.smembers(keys.CREATORS)
    epoch, found = await found_in(store, {CreatorId(name.decode()): PacketId("") for name in names})
    marks = {creator_id: mark_from(each, "", None) for creator_id, each in found.items()}
    return WitnessedBooks(epoch, {creator_id: mark for creator_id, mark in marks.items() if mark != Mark(NOTHING)})


async def found_in(store: Store, packets: Mapping[CreatorId, PacketId]) -> tuple[str, dict[CreatorId, CreatorFound]]:
    """Return a store's epoch ("" if it has none), and what it has of creators, each with a packet or "" for none."""
    creators, found = list(packets), dict[CreatorId, CreatorFound]()
    epoch = b""
    for first in range(0, max(1, len(creators)), _CREATORS_PER_CALL):
        part = creators[first : first + _CREATORS_PER_CALL]
        names = [keys.EPOCH]
        for creator_id in part:
            names += [keys.journal(creator_id), keys.opening(creator_id), keys.retired(creator_id)]
            names.append(keys.record_of(creator_id, packets[creator_id]))
        epoch, *rows = await store.run("marks", names, [packets[creator_id] for creator_id in part])
        for creator_id, last, through, given, retired in zip(
            part, rows[::4], rows[1::4], rows[2::4], rows[3::4], strict=True
        ):
            found[creator_id] = CreatorFound(
                last.decode() or NOTHING, through.decode() or NOTHING, int(given) if given else None, bool(retired)
            )
    return epoch.decode(), found
