"""Books of a server of ours: whole or not at all, also when its store is away for a while."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loadtest.record.run_folder import RunFolder
from loadtest.run import books_reader
from loadtest.run.books_reader import BooksOutOfReach, BooksReader, Snapshots
from loadtest.targets.access import NOBODY, Access
from loadtest.targets.requester import SetUpFailed
from tests.loadtest.targets.free_port import free_port

BOOKS = b'{"kind":"end"}\n'


@dataclass
class Shelf:
    """A server whose answers are set: statuses in their order, the last of them for ever."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    cut_off: bool = False


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """Run the server."""
    shelf = Shelf()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            shelf.asked.append((self.path, self.headers.get("Authorization")))
            status = shelf.statuses.pop(0) if len(shelf.statuses) > 1 else shelf.statuses[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(BOOKS) + 99 * shelf.cut_off))
            self.end_headers()
            self.wfile.write(BOOKS)
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        shelf.url = f"http://127.0.0.1:{server.server_port}"
        yield shelf
        server.shutdown()
        thread.join()


def test_books_are_taken_with_the_credential(shelf: Shelf, tmp_path: Path) -> None:
    BooksReader(shelf.url, Access("secret")).take(tmp_path / "books.jsonl", final=True)
    assert (tmp_path / "books.jsonl").read_bytes() == BOOKS
    assert shelf.asked == [("/api/books?final=true", "Bearer secret")]
    assert "secret" not in repr(BooksReader(shelf.url, Access("secret")))


def test_the_last_books_wait_for_a_store_that_is_away(shelf: Shelf, tmp_path: Path) -> None:
    shelf.statuses = [503, 503, 200]
    BooksReader(shelf.url, NOBODY).take_at_last(tmp_path / "books.jsonl")
    assert len(shelf.asked) == 3
    assert (tmp_path / "books.jsonl").exists()


def test_a_refusal_is_not_waited_for(shelf: Shelf, tmp_path: Path) -> None:
    shelf.statuses = [403]
    with pytest.raises(SetUpFailed, match="the books cannot be had: 403"):
        BooksReader(shelf.url, NOBODY).take_at_last(tmp_path / "books.jsonl")
    assert len(shelf.asked) == 1


def test_books_that_are_cut_off_leave_nothing(shelf: Shelf, tmp_path: Path) -> None:
    shelf.cut_off = True
    with pytest.raises(BooksOutOfReach, match="cut off"):
        BooksReader(shelf.url, NOBODY).take(tmp_path / "books.jsonl", final=False)
    assert list(tmp_path.iterdir()) == []


def test_snapshots_are_taken_when_due_and_missed_when_the_server_is_away(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books_reader, "SNAPSHOT_EVERY_S", 0.0)
    folder = RunFolder(tmp_path)
    Snapshots(folder, BooksReader(f"http://127.0.0.1:{free_port()}", NOBODY)).take_if_due()
    assert folder.snapshots() == []
    snapshots = Snapshots(folder, BooksReader(shelf.url, NOBODY))
    snapshots.take_if_due()
    snapshots.take_if_due()
    assert len(folder.snapshots()) == 2
    monkeypatch.setattr(books_reader, "SNAPSHOT_EVERY_S", 60.0)
    later = Snapshots(folder, BooksReader(shelf.url, NOBODY))
    later.take_if_due()
    assert len(folder.snapshots()) == 2
