"""Snapshots: each file has what is new, and all together are the books of every cut."""

from pathlib import Path

import orjson

from loadtest.record.books import Books, books_from, read_books
from loadtest.record.snapshots import SnapshotWriter, read_snapshots
from tests.loadtest.written_run import Line, a_run


def cuts() -> list[list[Line]]:
    """Return exports of a run that goes on: more entries, a packet that changes, and one that is new."""
    lines = [line for line in a_run(packets=2).books if line["kind"] not in ("claim", "left", "end")]
    packets = [line for line in lines if line["kind"] == "packet"]
    journal = [line for line in lines if line["kind"] == "journal"]
    begin = [line for line in lines if line not in packets and line not in journal]
    early, end = [{**packets[0], "given": 0}], {"kind": "end", "final": False}
    return [
        [*begin, *early, *journal[:2], end],
        [*begin, *early, *journal[:2], end],
        [*begin, *packets, *journal, end],
    ]


def kept(exports: list[list[Line]], folder: Path) -> list[Path]:
    writer, paths = SnapshotWriter(), []
    for number, lines in enumerate(exports):
        export = folder / "export"
        export.write_bytes(b"".join(map(orjson.dumps, lines)).replace(b"}{", b"}\n{") + b"\n")
        paths.append(folder / f"snapshot-{number}.jsonl")
        writer.keep(export, paths[-1])
    assert sorted(folder.iterdir()) == paths
    return paths


def together(paths: list[Path]) -> list[Books]:
    """Return the whole books of each cut, as who watches a run puts them together."""
    found: list[Books] = []
    for path in paths:
        books = read_books(path)
        found.append(books.after(found[-1]) if found else books)
    return found


def test_a_snapshot_has_what_is_new_and_all_are_the_books(tmp_path: Path) -> None:
    """A cut in which nothing happened is two lines, and no entry is kept twice."""
    exports = cuts()
    paths = kept(exports, tmp_path)
    kinds = [[orjson.loads(line)["kind"] for line in path.read_bytes().splitlines()] for path in paths]

    assert kinds[1] == ["clock", "end"]
    assert sum(each.count("journal") for each in kinds) == kinds[0].count("journal") + kinds[2].count("journal")
    assert kinds[0].count("journal") + kinds[2].count("journal") == sum(
        line["kind"] == "journal" for line in exports[2]
    )
    assert together(paths) == [books_from(lines) for lines in exports]
    assert [each.packets for each in read_snapshots(paths)] == [books_from(lines).packets for lines in exports]


def test_what_was_retired_is_gone(tmp_path: Path) -> None:
    """The next snapshot is whole; so are those of folders from before."""
    exports = cuts()
    exports.append([line for line in exports[2] if line != exports[2][-2]])
    paths = kept(exports, tmp_path)

    assert together(paths) == [books_from(lines) for lines in exports]
    assert [read_books(path).adds for path in paths] == [False, True, True, False]
    assert not books_from(exports[0]).adds
