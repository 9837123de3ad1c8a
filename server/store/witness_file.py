"""The witness's file: the store's epoch and each creator's marks, a line each, synced to the disk."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from server.core.ids import CreatorId
from server.core.money.marks import Mark, WitnessedBooks, place

WITNESS = "witness"  # how the names begin, in the home folder, outside the store's own
LOCK = "witness.lock"
COMPACT_BYTES = 1 << 20  # a file of this size is written anew, unless it would be hardly shorter


class WitnessFile:
    """
    The file in *home* about the store at *address* ("": the embedded one), which several processes may append to.

    A later line about a creator counts if its mark is further. A line that a crash has torn counts for nothing, and the
    next begins on a line of its own.
    """

    def __init__(self, home: Path, address: str = "") -> None:
        of = f"-{hashlib.sha256(address.encode()).hexdigest()[:8]}" if address else ""
        self.path = home.resolve() / f"{WITNESS}{of}.jsonl"
        self._lock = self.path.with_name(LOCK)
        self._compact_at = COMPACT_BYTES

    def read(self) -> WitnessedBooks | None:
        """Return what is known, or None if there is no witness yet. Raises OSError."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        return _books_from(text)

    def read_elsewhere(self, epoch: str) -> WitnessedBooks | None:
        """Return what the home knows of a store of this epoch at another address, or None. Raises OSError."""
        for path in sorted(self.path.parent.glob(f"{WITNESS}*.jsonl")):
            books = _books_from(path.read_bytes())
            if path != self.path and books is not None and books.epoch == epoch:
                return books
        return None

    def append(self, books: WitnessedBooks) -> None:
        """Add *books* to what is known, and wait until the disk has it. Raises OSError."""
        with self._alone():
            is_new = not self.path.exists()
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                _write(file, b"\n" + _text_of(books, with_epoch=is_new))
                os.fdatasync(file)
                size = os.fstat(file).st_size
            finally:
                os.close(file)
            if is_new:
                self._sync_folder()
            elif size > self._compact_at and (known := self.read()) is not None:
                self._replace(known)
                self._compact_at = max(COMPACT_BYTES, 2 * self.path.stat().st_size)

    def replace(self, books: WitnessedBooks) -> None:
        """Know *books* alone from now on. Raises OSError."""
        with self._alone():
            self._replace(books)

    def adopt(self, books: WitnessedBooks) -> None:
        """Know *books*, and what another process may have added to them just now. Raises OSError."""
        with self._alone():
            known = self.read()
            if known is None or known.epoch != books.epoch:
                self._replace(books)

    def _replace(self, books: WitnessedBooks) -> None:
        draft = self.path.with_suffix(".draft")
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write(file, _text_of(books, with_epoch=True))
            os.fsync(file)
        finally:
            os.close(file)
        draft.rename(self.path)
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _write(file: int, text: bytes) -> None:
    while text:
        text = text[os.write(file, text) :]


def _text_of(books: WitnessedBooks, *, with_epoch: bool) -> bytes:
    lines = [orjson.dumps({"epoch": books.epoch})] if with_epoch else []
    lines += [orjson.dumps([creator_id, *mark]) for creator_id, mark in books.marks.items()]
    return b"".join(line + b"\n" for line in lines)


def _books_from(text: bytes) -> WitnessedBooks | None:
    epoch, marks = "", dict[CreatorId, Mark]()
    for line in text.splitlines():
        try:
            said = orjson.loads(line)
            if isinstance(said, dict):
                epoch = said["epoch"]
                continue
            mark = Mark(*said[1:])
            before = marks.get(said[0])
            if before is None or place(mark.journal) >= place(before.journal):
                marks[said[0]] = mark
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            continue  # torn
    return WitnessedBooks(epoch, marks) if epoch else None
