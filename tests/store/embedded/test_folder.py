"""Tests of an embedded store's folder: who may read it, and what a start would ignore."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from server.store.embedded.folder import APPENDED, MANIFEST, SNAPSHOT, StoreNotStarted
from server.store.embedded.process import EmbeddedStore
from server.store.fitness import Durability

AOF = (Durability.RELAXED, Durability.DURABLE)


@pytest.fixture(scope="module")
def with_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a store that has kept something."""
    directory = tmp_path_factory.mktemp("kept")
    directory.chmod(0o755)
    running = EmbeddedStore.start(directory)
    with Redis.from_url(running.url) as redis:
        redis.set("kept", "yes")
        assert {path.name: oct(path.stat().st_mode & 0o777) for path in _all(directory)} == {
            path.name: "0o700" if path.is_dir() or path.is_socket() else "0o600" for path in _all(directory)
        }
    running.stop()
    return directory


@pytest.fixture
def books(with_books: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder."""
    return Path(shutil.copytree(with_books, tmp_path / "store", ignore=shutil.ignore_patterns("*.sock")))


def _all(directory: Path) -> Iterator[Path]:
    yield directory
    yield from directory.rglob("*")


def test_a_folder_from_before_is_made_its_users_alone(books: Path) -> None:
    """The next start closes the files that an earlier version left readable, and leaves those of others alone."""
    for path in _all(books):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (books / "note.txt").touch(0o644)
    EmbeddedStore.start(books).stop()
    assert {path.name for path in _all(books) if path.stat().st_mode & 0o077} == {"note.txt"}


def test_a_store_without_durability_is_not_started_over_books(books: Path) -> None:
    """It would neither read nor continue the append-only file; the text says what to do instead."""
    with pytest.raises(StoreNotStarted, match=r"holds books.*--durability durable or relaxed, or another --home"):
        EmbeddedStore.start(books, durability=Durability.NONE)
    running = EmbeddedStore.join(books, Durability.DURABLE)
    EmbeddedStore.join(books, Durability.NONE).stop()  # one that runs keeps more than it needs to
    with Redis.from_url(running.url) as redis:
        assert redis.get("kept") == b"yes"
    running.stop()


@pytest.mark.parametrize("durability", list(Durability))
def test_books_without_their_manifest_are_not_ignored(books: Path, durability: Durability) -> None:
    """Valkey would begin an empty append-only file beside them."""
    (books / APPENDED / MANIFEST).unlink()
    with pytest.raises(StoreNotStarted, match=APPENDED):
        EmbeddedStore.join(books, durability)
    shutil.move(books / APPENDED, books / "aside")
    EmbeddedStore.join(books, durability).stop()


@pytest.mark.parametrize("durability", AOF)
def test_a_snapshot_alone_is_not_ignored(tmp_path: Path, durability: Durability) -> None:
    """A store with an append-only file reads no snapshot."""
    (tmp_path / SNAPSHOT).write_bytes(b"REDIS0011")
    with pytest.raises(StoreNotStarted, match=r"snapshot.*move it away"):
        EmbeddedStore.start(tmp_path, durability=durability)


def test_a_first_start_that_was_cut_short_is_no_books(tmp_path: Path) -> None:
    """Valkey writes an empty base before its manifest: a kill between the two may not shut the folder for good."""
    (tmp_path / APPENDED).mkdir()
    (tmp_path / APPENDED / "appendonly.aof.1.base.rdb").write_bytes(b"an empty base")
    (tmp_path / APPENDED / "appendonly.aof.1.incr.aof").touch()
    EmbeddedStore.start(tmp_path).stop()
