"""
Keep one embedded store running as long as somebody uses it.

Runs as a program of its own, from its path, with the standard library alone:
``supervisor.py USERS LOCK ALIVE COMMAND...``. USERS is a file on which every user holds a shared lock. The kernel drops
a lock with its holder, however that one ended, so the exclusive lock on USERS comes to us exactly when the last user is
gone; holding it while the store winds down keeps newcomers waiting until the address is free again. LOCK and ALIVE are
the numbers of inherited descriptors: LOCK's lock says "a store runs in this directory", and the store inherits it too;
ALIVE's lock says "it is supervised", and is ours alone.

A store that dies is started again at once, with the same command and so at the same address, until it dies too often.
"""

import collections
import fcntl
import json
import os
import subprocess
import sys
import threading
import time

STOP_TIMEOUT_S = 10.0
DEATHS_MAX = 10  # within DEATHS_WITHIN_S; a store that dies more often has a reason that no restart mends
DEATHS_WITHIN_S = 10.0
NOTE_BYTES = 1_024  # one write of a constant length: no reader ever sees an old note's tail


class _Watch:
    """The store's process, restarted until ``stop``."""

    def __init__(self, lock: int, command: list[str]) -> None:
        self._lock = lock
        self._command = command
        self._store: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._turn = threading.Lock()  # a store is not started while it is decided to stop it

    def keep(self) -> None:
        """Start the store and start it again whenever it dies; return when it was stopped, or dies too often."""
        deaths: collections.deque[float] = collections.deque(maxlen=DEATHS_MAX)
        while (store := self._start()) is not None:
            status = store.wait()
            if self._stopping:
                return
            now = time.monotonic()
            if len(deaths) == DEATHS_MAX and now - deaths[0] < DEATHS_WITHIN_S:
                _say(f"died {DEATHS_MAX + 1} times within {DEATHS_WITHIN_S:.0f} s, and is given up")
                return
            deaths.append(now)
            _say(f"died with status {status} (process {store.pid}), and is started again")

    def stop(self) -> None:
        """End the store and do not restart it."""
        with self._turn:
            self._stopping = True
        if self._store is None:
            return
        self._store.terminate()
        try:
            self._store.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._store.kill()

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
    watch = _Watch(lock, command)
    threading.Thread(target=_stop_when_unused, args=(users, watch), daemon=True).start()
    watch.keep()


def _stop_when_unused(users: int, watch: _Watch) -> None:
    fcntl.flock(users, fcntl.LOCK_EX)
    watch.stop()


def _note(lock: int, pid: int) -> None:
    """Write the store's process id into its lock file, in addition to the URL."""
    known = json.loads(os.pread(lock, NOTE_BYTES, 0) or b"{}")
    os.pwrite(lock, json.dumps({**known, "pid": pid}).encode().ljust(NOTE_BYTES), 0)


def _say(what: str) -> None:
    """Write a line into the store's log, which is our standard output."""
    print(f"supervisor: the store {what}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[4:])  # argument 3 needs only to be open
