"""Tests of the supervisor, with an ordinary program in the store's place."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from server.store.embedded import supervisor
from tests.conftest import fill
from tests.waiting import until

PROGRAM = "import time; time.sleep(600)"


def supervise(tmp_path: Path, program: str = PROGRAM) -> tuple[int, int, int]:
    """Start the supervisor over a sleeping program; return our hold on it, the lock, and the program's pid."""
    users = os.open(tmp_path / "users", os.O_RDWR | os.O_CREAT)
    fcntl.flock(users, fcntl.LOCK_SH)
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.write(lock, b'{"url": "somewhere"}')
    alive = os.open(tmp_path / "alive", os.O_RDWR | os.O_CREAT)
    fcntl.flock(alive, fcntl.LOCK_EX)
    command = [sys.executable, "-I", "-S", str(supervisor.__file__), str(tmp_path / "users"), str(lock), str(alive)]
    with (tmp_path / "log").open("ab") as log:
        subprocess.run(
            [*command, sys.executable, "-c", program], pass_fds=[lock, alive], stdout=log, stderr=log, check=True
        )
    os.close(lock)
    os.close(alive)
    return users, os.open(tmp_path / "lock", os.O_RDWR), noted_pid(tmp_path)


def noted_pid(tmp_path: Path, other_than: int = 0) -> int:
    """Wait until the lock names a program other than *other_than*; return its process id."""

    def noted() -> int:
        pid: int = json.loads((tmp_path / "lock").read_text()).get("pid", 0)
        return pid

    until(lambda: noted() not in (0, other_than))
    return noted()


def test_the_program_runs_while_it_is_used_and_ends_after(tmp_path: Path) -> None:
    """The lock is free exactly when program and supervisor are gone."""
    users, lock, pid = supervise(tmp_path)
    assert psutil.pid_exists(pid)

    os.close(users)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert not psutil.pid_exists(pid)
    os.close(lock)


def test_a_second_user_keeps_the_program_running(tmp_path: Path) -> None:
    """The program runs until its last user leaves, whoever started it."""
    users, lock, pid = supervise(tmp_path)
    second = os.open(tmp_path / "users", os.O_RDWR)
    fcntl.flock(second, fcntl.LOCK_SH)
    os.close(users)
    time.sleep(0.1)  # in which it would end if it hung on the first
    assert psutil.pid_exists(pid)

    os.close(second)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert not psutil.pid_exists(pid)
    os.close(lock)


def test_a_program_that_died_is_started_again_and_noted(tmp_path: Path) -> None:
    """The lock stays taken, names the new process beside what stood there, and the log says what happened."""
    users, lock, pid = supervise(tmp_path)
    os.kill(pid, signal.SIGKILL)

    second = noted_pid(tmp_path, other_than=pid)
    assert psutil.pid_exists(second)
    assert json.loads((tmp_path / "lock").read_text()) == {"url": "somewhere", "pid": second}
    assert f"status -9 (process {pid}), and is started again" in (tmp_path / "log").read_text()

    os.close(users)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert not psutil.pid_exists(second)
    os.close(lock)


def test_a_program_that_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
    """The lock is freed, so that the next user may start it and be told why it does not work."""
    users, lock, _ = supervise(tmp_path, "raise SystemExit(3)")

    fcntl.flock(lock, fcntl.LOCK_EX)
    log = (tmp_path / "log").read_text()
    assert log.count("status 3") == supervisor.DEATHS_MAX
    assert log.endswith("died 11 times within 10 s, and is given up\n")
    os.close(users)
    os.close(lock)


def test_the_lock_of_the_living_is_the_supervisors_alone(tmp_path: Path) -> None:
    """A supervisor that was killed leaves the program running, which does not pass for it."""
    users, lock, pid = supervise(tmp_path)
    alive = os.open(tmp_path / "alive", os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
    psutil.Process(pid).parent().kill()  # type: ignore[union-attr]

    fcntl.flock(alive, fcntl.LOCK_EX)
    assert psutil.pid_exists(pid)
    os.kill(pid, signal.SIGKILL)
    for descriptor in (users, lock, alive):
        os.close(descriptor)


def test_a_program_on_a_full_disk_waits_for_room(small_disk: Path) -> None:
    """However often it died, it is started again when there is room; a log that takes nothing stops nobody."""
    users, lock, pid = supervise(small_disk, "import time; time.sleep(600)")
    filler = fill(small_disk)
    os.kill(pid, signal.SIGKILL)
    until(lambda: json.loads((small_disk / "lock").read_text()).get("trouble") == supervisor.DISK_FULL)
    assert not psutil.pid_exists(pid)

    filler.unlink()
    second = noted_pid(small_disk, other_than=pid)
    assert psutil.pid_exists(second)
    assert json.loads((small_disk / "lock").read_text()) == {"url": "somewhere", "pid": second}
    assert not (small_disk / "room.probe").exists()
    os.close(users)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.close(lock)


def test_a_second_supervisor_takes_over_a_program_that_lives_on(tmp_path: Path) -> None:
    """It waits for the end of the program, restarts it, and ends it with its last user."""
    users, lock, pid = supervise(tmp_path)
    former = psutil.Process(pid).parent()
    assert former is not None
    former.kill()
    fcntl.flock(alive := os.open(tmp_path / "alive", os.O_RDWR), fcntl.LOCK_EX)
    command = [sys.executable, "-I", "-S", str(supervisor.__file__), str(tmp_path / "users")]
    take_over = os.open(tmp_path / "lock", os.O_RDWR)
    with (tmp_path / "log").open("ab") as log:
        program = [sys.executable, "-c", PROGRAM]
        subprocess.run(
            [*command, str(take_over), str(alive), *program],
            pass_fds=[take_over, alive],
            stdout=log,
            stderr=log,
            check=True,
        )
    os.close(take_over)
    os.close(alive)
    until(lambda: "lost its supervisor, and has another now" in (tmp_path / "log").read_text())
    assert psutil.pid_exists(pid)
    os.kill(pid, signal.SIGKILL)
    second = noted_pid(tmp_path, other_than=pid)

    os.close(users)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert not psutil.pid_exists(second)
    os.close(lock)
