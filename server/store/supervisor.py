"""
Keep one embedded store running as long as somebody uses it, and not a moment longer.

Runs as a program of its own, from its path, with the standard library alone: ``supervisor.py USERS LOCK COMMAND...``.
USERS is a file on which every user holds a shared lock. The kernel drops a lock with its holder, however that one
ended, so the exclusive lock on USERS comes to us exactly when the last user is gone; holding it while the store winds
down keeps newcomers waiting until the address is free again. LOCK is the number of an inherited descriptor whose lock
says "a store runs in this directory"; the store inherits it too.
"""

import fcntl
import os
import subprocess
import sys
import threading

STOP_TIMEOUT_S = 10.0


def main(users_path: str, lock: int, command: list[str]) -> None:
    """Start *command*, end it when nobody uses it any more, and return when it has ended."""
    if os.fork() > 0:
        os._exit(0)  # whoever started us may end, or live on, without a child to wait for
    users = os.open(users_path, os.O_RDWR)
    store = subprocess.Popen(command, pass_fds=[lock], stdin=subprocess.DEVNULL)  # noqa: S603 - our own binary
    threading.Thread(target=_stop_when_unused, args=(users, store), daemon=True).start()
    store.wait()


def _stop_when_unused(users: int, store: "subprocess.Popen[bytes]") -> None:
    fcntl.flock(users, fcntl.LOCK_EX)
    store.terminate()
    try:
        store.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        store.kill()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
