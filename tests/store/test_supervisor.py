"""Tests of the supervisor, with an ordinary program in the store's place."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from server.store import supervisor

PROGRAM = "import os, sys, time; print(os.getpid(), file=open(sys.argv[1], 'w'), flush=True); time.sleep(600)"


def supervise(tmp_path: Path) -> tuple[int, int, int]:
    """Start the supervisor over a sleeping program; return our hold on it, the lock, and the program's pid."""
    users = os.open(tmp_path / "users", os.O_RDWR | os.O_CREAT)
    fcntl.flock(users, fcntl.LOCK_SH)
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    pid_file = tmp_path / "pid"
    program = [sys.executable, "-c", PROGRAM, str(pid_file)]
    subprocess.run(
        [sys.executable, "-I", "-S", str(supervisor.__file__), str(tmp_path / "users"), str(lock), *program],
        pass_fds=[lock],
        check=True,
    )
    os.close(lock)
    while not (pid_file.exists() and pid_file.read_text().endswith("\n")):
        time.sleep(0.01)
    return users, os.open(tmp_path / "lock", os.O_RDWR), int(pid_file.read_text())


def test_the_program_runs_while_it_is_used_and_ends_after(tmp_path: Path) -> None:
    """The lock is free exactly when program and supervisor are gone."""
    users, lock, pid = supervise(tmp_path)
    assert psutil.pid_exists(pid)

    os.close(users)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert not psutil.pid_exists(pid)
    os.close(lock)


def test_a_second_user_keeps_the_program_running(tmp_path: Path) -> None:
    """Who started it is of no matter; the last one counts."""
    users, lock, pid = supervise(tmp_path)
    second = os.open(tmp_path / "users", os.O_RDWR)
    fcntl.flock(second, fcntl.LOCK_SH)
    os.close(users)
    time.sleep(0.1)
    assert psutil.pid_exists(pid)

    os.close(second)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert not psutil.pid_exists(pid)
    os.close(lock)


def test_the_supervisor_ends_with_the_program(tmp_path: Path) -> None:
    """A store that died leaves no watcher behind, and its users do not hold the next start up."""
    users, lock, pid = supervise(tmp_path)
    os.kill(pid, signal.SIGKILL)

    fcntl.flock(lock, fcntl.LOCK_EX)
    assert not psutil.pid_exists(pid)
    os.close(users)
    os.close(lock)
