"""The lease on a folder's embedded store: all servers of the folder share it, and the last to leave stops it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from server.store.embedded.process import StoreNotStarted, address, await_answer, launch, let_go, noted_pid, use
from server.store.fitness import Durability


class StoreLease:
    """One server's share in the store of its folder. It ends with ``release``, or with the process."""

    def __init__(self, directory: Path, users: int, url: str) -> None:
        self._directory = directory
        self._users = users
        self._last_pid: int | None = None
        self.url = url

    @property
    def pid(self) -> int:
        """Return the store's process id, a new one after each restart; after ``release``, the last one."""
        return noted_pid(self._directory) if self._last_pid is None else self._last_pid

    @classmethod
    def take(cls, home: Path, durability: Durability) -> Self:
        """
        Join the store of the folder *home*, or start it there.

        Raises StoreNotStarted. Whether a running store keeps enough for *durability* shows on connecting.
        """
        directory = home.resolve() / "store"
        users = use(directory)
        try:
            with _one_at_a_time(directory):
                return cls(directory, users, _join_or_launch(directory, durability))
        except BaseException:
            os.close(users)
            raise

    def release(self) -> None:
        """Leave the store; if nobody else uses it, wait until it has ended."""
        self._last_pid = self.pid
        let_go(self._directory, self._users)


def _join_or_launch(directory: Path, durability: Durability) -> str:
    url = address(directory)
    if url is not None:
        with contextlib.suppress(StoreNotStarted):  # it ended in this moment, by its own fault
            await_answer(directory, url)
            return url
    return launch(directory, durability)


@contextlib.contextmanager
def _one_at_a_time(directory: Path) -> Iterator[None]:
    """Let one process at a time check whether a store runs, and start it if not."""
    starting = os.open(directory / "starting.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(starting, fcntl.LOCK_EX)
        yield
    finally:
        os.close(starting)
