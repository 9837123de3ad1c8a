"""The folder of an embedded store: whose it is, the format of its data, and data that a start would ignore."""

import os
from pathlib import Path

from server.store.fitness import Durability

FORMAT = "format_version"
FORMAT_VERSION = 1  # of the data in a home folder; a folder without the file is of version 1
APPENDED = "appendonlydir"  # the folder that Valkey keeps its append-only file in
MANIFEST = "appendonly.aof.manifest"  # names the pieces of the append-only file; without it Valkey reads none of them
SNAPSHOT = "dump.rdb"
_FIRST_BASE = "appendonly.aof.1.base.rdb"  # an empty store writes it before its manifest, so it alone holds nothing
_OURS = ("*.lock", "*.rdb", "*.aof", "store.conf", "store.log", "port", FORMAT, f"{APPENDED}/*")


class StoreNotStarted(Exception):  # noqa: N818 - an answer about the store
    """The embedded store could not be started; the text says why and what to do."""


def prepare(directory: Path) -> None:
    """Make *directory* and what a store keeps there its user's alone. Raises OSError, or StoreNotStarted."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    appended = directory / APPENDED
    if appended.is_dir():
        appended.chmod(0o700)
    for pattern in _OURS:
        for path in directory.glob(pattern):
            if path.is_file() and not path.is_symlink():
                path.chmod(0o600)
    _check_format(directory)


def write_private(path: Path, text: bytes, *, append: bool = False) -> None:
    """Write a file that is its user's alone."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC), 0o600)
    with os.fdopen(file, "wb") as opened:
        opened.write(text)


def _check_format(directory: Path) -> None:
    """Refuse a folder whose data have a later format than ours; write ours into a folder without one."""
    path = directory / FORMAT
    try:
        version = path.read_text("utf-8").strip()
    except FileNotFoundError:
        draft = directory / f"{FORMAT}.{os.getpid()}"
        write_private(draft, b"%d\n" % FORMAT_VERSION)
        draft.replace(path)
        return
    if not version.isdecimal() or int(version) > FORMAT_VERSION:
        raise StoreNotStarted(
            f"{directory} holds data of format {version!r}, and this version of Redrain reads up to {FORMAT_VERSION}: "
            "use the version that wrote them, or another --home"
        )


def check_nothing_ignored(directory: Path, durability: Durability) -> None:
    """Raise StoreNotStarted if a store of *durability* that starts in *directory* would not read the books there."""
    appended, snapshot = directory / APPENDED, directory / SNAPSHOT
    pieces = [path for path in appended.glob("appendonly.aof.*") if path.name != MANIFEST]
    manifest = (appended / MANIFEST).exists()
    if durability is Durability.NONE:
        if manifest or _hold_data(pieces):
            raise StoreNotStarted(
                f"{appended} holds books, which --durability none would neither read nor continue: use --durability "
                "durable or relaxed, or another --home"
            )
        return
    if not manifest and _hold_data(pieces):
        raise StoreNotStarted(
            f"{appended} holds books without {MANIFEST}, so that the store would not read them: put that file back, "
            f"or move {appended} away to start without these books"
        )
    if not manifest and snapshot.exists():
        raise StoreNotStarted(
            f"{snapshot} is a snapshot, which a store with an append-only file would not read: move it away to start "
            "without it, or use another --home"
        )


def _hold_data(pieces: list[Path]) -> bool:
    return any(path.stat().st_size > 0 for path in pieces if path.name != _FIRST_BASE)
