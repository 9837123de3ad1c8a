"""The locks in an embedded store's folder, which say who is there; the kernel drops a lock with its holder."""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any

USERS = "users.lock"  # shared by the store's users
LOCK = "store.lock"  # of a store that runs; it holds the URL, the process id, and what keeps the store from running
ALIVE = "supervisor.lock"  # of the supervisor alone


def take(path: Path) -> int | None:
    """Take the lock that a running store and its supervisor hold (LOCK), or the supervisor alone (ALIVE), or None."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def in_use(directory: Path) -> bool:
    """Return whether a user holds the store. The supervisor, which may hold the lock alone to stop it, is not one."""
    users = os.open(directory / USERS, os.O_RDWR)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
    finally:
        os.close(users)
    return False


def noted(directory: Path) -> dict[str, Any]:
    """Return the lock file's data about the store that runs in *directory*."""
    said: dict[str, Any] = json.loads((directory / LOCK).read_bytes())
    return said


def is_supervised(directory: Path) -> bool:
    """Return whether a supervisor keeps the store in *directory*."""
    alive = take(directory / ALIVE)
    if alive is not None:
        os.close(alive)
    return alive is None


def trouble_in(directory: Path) -> str:
    """Return what keeps the store in *directory* from running, "" if that is nothing we know of."""
    try:
        return str(noted(directory).get("trouble", ""))
    except (OSError, ValueError):
        return ""
