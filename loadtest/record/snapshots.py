"""Snapshots: the books as they were during a run, each kept as what is new since the one before."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from loadtest.record.books import Books, PacketRecord, read_books
from loadtest.record.given_file import Allowance
from loadtest.record.shape import Line
from server.core.ids import PacketId

_NAMED = {
    "creator": ("creator_id",),
    "opening": ("creator_id",),
    "packet": ("packet_id",),
    "journal": ("creator_id", "entry_id"),
}
"""By the kind of a line, the fields that name what it is about: a later line of the same name replaces it."""

_ALWAYS = frozenset({"clock", "end"})


class SnapshotWriter:
    """Keeps exports one after another: the first whole, of the others the lines that are new or have changed."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def keep(self, export: Path, path: Path) -> None:
        """
        Move an export to *path*, with the time of its file.

        If something is gone that was there before, because it was retired, it is kept whole.
        """
        before, now = self._known, _names_of(export)
        adds = bool(before) and before.keys() <= now.keys()
        partly = path.with_suffix(".part")
        with export.open("rb") as lines, partly.open("wb") as file:
            for raw in lines:
                line = orjson.loads(raw)
                if line["kind"] == "end":
                    file.write(orjson.dumps({**line, "adds": adds}, option=orjson.OPT_APPEND_NEWLINE))
                elif not adds or line["kind"] in _ALWAYS or before.get(_name(line)) != hash(raw):
                    file.write(raw)
        self._known = now
        times = export.stat()
        os.utime(partly, ns=(times.st_atime_ns, times.st_mtime_ns))
        partly.rename(path)
        export.unlink()


def _names_of(export: Path) -> dict[str, int]:
    with export.open("rb") as lines:
        return {_name(orjson.loads(raw)): hash(raw) for raw in lines}


def _name(line: Line) -> str:
    fields = _NAMED.get(line["kind"])
    if fields is None:
        return line["kind"] if line["kind"] in _ALWAYS else orjson.dumps(line).decode()
    return " ".join((line["kind"], *(line[field] for field in fields)))


def read_snapshots(paths: Sequence[Path], allowance: Allowance | None = None) -> Iterator[Books]:
    """
    Yield the books of each snapshot, with all its packets; their journals have only what was new.

    Raises BadRecord.
    """
    packets: dict[PacketId, PacketRecord] = {}
    for path in paths:
        books = read_books(path, allowance)
        packets = {**packets, **books.packets} if books.adds else books.packets
        yield replace(books, packets=packets)
