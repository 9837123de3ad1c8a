"""Shelf: the records of a run by what they belong to; of more than a few, those that rest wait in a file on disk."""

import marshal
import os
import tempfile
import weakref
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Generic, NamedTuple, TypeVar, overload

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")

IN_MEMORY = 20_000
_PLAIN = 2  # the version of marshal that looks for no shared objects, which takes three times as long


class Packing(NamedTuple):
    """How records become values that ``marshal`` can write, and come back."""

    packed: Callable[[Any], Any]
    unpacked: Callable[[Any], Any]


class _Blocks:
    """Blocks of bytes in a file without a name, which is gone with this object."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
        weakref.finalize(self, self._file.close)

    def add(self, block: bytes) -> tuple[int, int]:
        """Add a block and return its place and its length."""
        return self._file.seek(0, os.SEEK_END), self._file.write(block)

    def read(self, place: int, length: int) -> bytes:
        """Return a block."""
        self._file.seek(place)
        return self._file.read(length)


class Shelf(Mapping[K, list[R]], Generic[K, R]):
    """
    Lists of records by key, each in the order in which its records came.

    Filled once and then only read. At most *in_memory* records are held in memory; a file without a name has the rest.
    """

    def __init__(self, key: Callable[[R], K], packing: Packing, *, in_memory: int = IN_MEMORY) -> None:
        self._key = key
        self._packing = packing
        self._in_memory = in_memory
        self._waiting: dict[K, list[R]] = {}
        self._kept: dict[K, list[tuple[int, int]]] = {}
        self._blocks: _Blocks | None = None
        self._held = 0

    def append(self, record: R) -> None:
        """Add a record."""
        key = self._key(record)
        try:
            self._waiting[key].append(record)
        except KeyError:
            self._waiting[key] = [record]
            self._kept.setdefault(key, [])
        self._held += 1
        if self._held >= self._in_memory:
            self._put_away()

    def _put_away(self) -> None:
        blocks = self._blocks = self._blocks or _Blocks()
        for key, records in self._waiting.items():
            block = marshal.dumps(list(map(self._packing.packed, records)), _PLAIN)
            self._kept[key].append(blocks.add(block))
        self._waiting.clear()
        self._held = 0

    def __getitem__(self, key: K) -> list[R]:
        if key not in self._kept:
            raise KeyError(key)
        return list(self.each(key))

    def each(self, key: K) -> Iterator[R]:
        """Yield the records of a key, with few of them in memory at a time."""
        return chain.from_iterable(self._read(key))

    def _read(self, key: K) -> Iterator[Iterable[R]]:
        for place, length in self._kept.get(key, ()):
            assert self._blocks is not None
            yield map(self._packing.unpacked, marshal.loads(self._blocks.read(place, length)))  # noqa: S302 - our own
        yield self._waiting.get(key, ())

    def __iter__(self) -> Iterator[K]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def without(self, keys: Collection[K]) -> "Shelf[K, R]":
        """Return the same records without those of some keys; nothing may be added to either any more."""
        shelf: Shelf[K, R] = Shelf(self._key, self._packing)
        shelf._blocks = self._blocks
        shelf._waiting = {key: records for key, records in self._waiting.items() if key not in keys}
        shelf._kept = {key: blocks for key, blocks in self._kept.items() if key not in keys}
        return shelf


class Shelved(Sequence[R], Generic[K, R]):
    """All records of a shelf, ``by`` key: key by key, in the order of the first records of each."""

    def __init__(self, by: Shelf[K, R], records: Iterable[R] = ()) -> None:
        self.by = by
        self._count = 0
        for record in records:
            self.append(record)

    def append(self, record: R) -> None:
        """Add a record."""
        self.by.append(record)
        self._count += 1

    def __iter__(self) -> Iterator[R]:
        return chain.from_iterable(map(self.by.each, self.by))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> R: ...
    @overload
    def __getitem__(self, place: slice) -> list[R]: ...
    def __getitem__(self, place: int | slice) -> R | list[R]:
        return next(islice(self, place, None)) if isinstance(place, int) and place >= 0 else list(self)[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as that of a list
