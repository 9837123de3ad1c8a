"""
Keep one embedded store running as long as somebody uses it.

Runs as a program of its own, from its path, with the standard library alone:
``supervisor.py USERS LOCK ALIVE COMMAND...``. USERS is a file on which every user holds a shared lock. The kernel drops
a lock with its holder, however that one ended, so the exclusive lock on USERS comes to us exactly when the last user is
gone; holding it while the store winds down keeps newcomers waiting until the address is free again. LOCK and ALIVE are
the numbers of inherited descriptors: LOCK's lock says "a store runs in this directory", and the store inherits it too;
ALIVE's lock says "it is supervised", and is ours alone.

A store that dies is started again at once, with the same command and so at the same address, until it dies too often,
or once its disk has room again. If LOCK is held when we begin, a supervisor before us was killed and its store lives
on: we wait for the store's end, and restart it then.
"""

import collections
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

STOP_TIMEOUT_S = 10.0
DEATHS_MAX = 10  # within DEATHS_WITHIN_S; a store that dies more often has a reason that no restart mends
DEATHS_WITHIN_S = 10.0
NOTE_BYTES = 1_024  # one write of a constant length: no reader ever sees an old note's tail
ROOM_BYTES = 1_048_576  # a disk that does not take this much is full: a store on it would die again at its next write
ROOM_EVERY_S = 0.5
DISK_FULL = "disk full"
GIVEN_UP = "died too often"


class _Watch:
    """The store's process, restarted until ``stop``."""

    def __init__(self, directory: str, lock: int, command: list[str]) -> None:
        self._directory = directory
        self._lock = lock
        self._command = command
        self._store: subprocess.Popen[bytes] | None = None
        self._adopted: int | None = None
        self._adopted_ended = threading.Event()
        self._stopping = False
        self._stopped = threading.Event()
        self._turn = threading.Lock()  # a store is not started while it is decided to stop it

    def keep(self) -> None:
        """Start the store and start it again whenever it dies; return when it was stopped, or dies too often."""
        self._outlive_former()
        deaths: collections.deque[float] = collections.deque(maxlen=DEATHS_MAX)
        while (store := self._start()) is not None:
            status = store.wait()
            if self._stopping:
                return
            now = time.monotonic()
            if len(deaths) == DEATHS_MAX and now - deaths[0] < DEATHS_WITHIN_S:
                _say(f"died {DEATHS_MAX + 1} times within {DEATHS_WITHIN_S:.0f} s, and is given up")
                _note(self._lock, store.pid, GIVEN_UP)
                return
            deaths.append(now)
            _say(f"died with status {status} (process {store.pid}), and is started again")
            if not self._has_room():
                self._await_room(store.pid)
                deaths.clear()

    def stop(self) -> None:
        """End the store and do not restart it."""
        with self._turn:
            self._stopping = True
            self._stopped.set()
        if self._adopted is not None:
            self._end_adopted(self._adopted)
        if self._store is None:
            return
        self._store.terminate()
        try:
            self._store.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._store.kill()

    def _outlive_former(self) -> None:
        """Wait for the end of the store that a former supervisor started, if one runs."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._adopted = _noted(self._lock).get("pid")
            _say(f"lost its supervisor, and has another now (process {os.getpid()})")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._adopted = None
            self._adopted_ended.set()

    def _end_adopted(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            if not self._adopted_ended.wait(STOP_TIMEOUT_S):
                os.kill(pid, signal.SIGKILL)

    def _has_room(self) -> bool:
        """Return whether the store's disk takes what a store that starts would write soon."""
        probe = os.path.join(self._directory, "room.probe")
        try:
            file = os.open(probe, os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError:
            return False
        try:
            os.posix_fallocate(file, 0, ROOM_BYTES)
        except OSError:
            return False
        finally:
            os.close(file)
            os.unlink(probe)
        return True

    def _await_room(self, pid: int) -> None:
        _say(f"waits for room on its disk ({DISK_FULL})")
        _note(self._lock, pid, DISK_FULL)
        while not self._stopped.wait(ROOM_EVERY_S) and not self._has_room():
            pass

    def _start(self) -> "subprocess.Popen[bytes] | None":
        with self._turn:
            if self._stopping:
                return None
            self._store = subprocess.Popen(  # noqa: S603 - our own binary
                self._command, pass_fds=[self._lock], stdin=subprocess.DEVNULL
            )
            _note(self._lock, self._store.pid)
            return self._store


def main(users_path: str, lock: int, command: list[str]) -> None:
    """Keep *command* running, end it when nobody uses it, and return when it has ended."""
    if os.fork() > 0:
        os._exit(0)  # our parent may end, or live on, without a child to wait for
    users = os.open(users_path, os.O_RDWR)
    watch = _Watch(os.path.dirname(users_path), lock, command)
    threading.Thread(target=_stop_when_unused, args=(users, watch), daemon=True).start()
    watch.keep()


def _stop_when_unused(users: int, watch: _Watch) -> None:
    fcntl.flock(users, fcntl.LOCK_EX)
    watch.stop()


def _note(lock: int, pid: int, trouble: str = "") -> None:
    """Write the store's process id, and the trouble that keeps it from running, into its lock file beside the URL."""
    known = {**_noted(lock), "pid": pid, "trouble": trouble}
    if not trouble:
        del known["trouble"]
    with contextlib.suppress(OSError):  # a full disk
        os.pwrite(lock, json.dumps(known).encode().ljust(NOTE_BYTES), 0)


def _noted(lock: int) -> "dict[str, Any]":
    noted: dict[str, Any] = json.loads(os.pread(lock, NOTE_BYTES, 0) or b"{}")
    return noted


def _say(what: str) -> None:
    """Write a line into the store's log, which is our standard output, if its disk takes it."""
    with contextlib.suppress(OSError):
        os.write(1, f"supervisor: the store {what}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[4:])  # argument 3 needs only to be open
