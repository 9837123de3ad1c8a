"""Processes of a run start in sessions of their own, tell how they ended, and stop when told."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadtest.engines.child_process import LOG_TAIL_LINES, ChildProcess, ProcessFailed
from loadtest.verdict.weigh import Exit
from tests.waiting import until


@contextmanager
def _program(folder: Path, text: str, patch: pytest.MonkeyPatch) -> Iterator[ChildProcess]:
    """Run a little program as a process of a storm."""
    (folder / "program.py").write_text(text, "utf-8")
    patch.setenv("PYTHONPATH", str(folder))
    process = ChildProcess("program", "program", [], folder / "program.log")
    try:
        yield process
    finally:
        process.stop()


@pytest.mark.parametrize(
    ("status", "exit_code"), [(0, Exit.ENVIRONMENT), (1, Exit.ENVIRONMENT), (30, Exit.ENVIRONMENT), (64, Exit.USAGE)]
)
def test_an_end_that_was_not_asked_for_is_told(
    status: int, exit_code: Exit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status, the last lines of the log, and our own exit code if it was one of ours."""
    text = f"for n in range(100): print('line', n)\nraise SystemExit({status})"
    with _program(tmp_path, text, monkeypatch) as program:
        until(lambda: not program.alive())
        with pytest.raises(ProcessFailed) as failed:
            program.check()
    assert failed.value.exit_code is exit_code
    assert f"the program ended with status {status}:" in str(failed.value)
    lines = [f"line {number}" for number in range(100)]
    assert program.tail().splitlines() == lines[-LOG_TAIL_LINES:]


def test_a_process_is_not_changed_by_what_it_inherits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither settings nor Locust's options nor an encoding come along; its log holds every character."""
    for name, value in {"REDRAIN_SPEED": "7", "LOCUST_USERS": "7", "PYTHONIOENCODING": "ascii", "MINE": "7"}.items():
        monkeypatch.setenv(name, value)
    text = "import os\nprint('红包', sorted(name for name, value in os.environ.items() if value == '7'))"
    with _program(tmp_path, text, monkeypatch) as program:
        until(lambda: not program.alive())
        assert program.tail() == "红包 ['MINE']"


def test_a_process_lives_until_it_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a session of its own, so that Ctrl-C does not reach it, and ends on SIGTERM."""
    text = "import time\nprint('up', flush=True)\nwhile True: time.sleep(1)"
    with _program(tmp_path, text, monkeypatch) as program:
        assert program.alive()
        assert os.getsid(program.pid) == program.pid != os.getsid(0)
        program.check()
        until(lambda: "up" in program.tail())
        assert program.stop() == -signal.SIGTERM
        assert not program.alive()
        assert program.stop() == -signal.SIGTERM


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping comes to an end."""
    monkeypatch.setattr("loadtest.engines.child_process.STOP_TIMEOUT_S", 0.2)
    text = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\n"
        "while True: time.sleep(1)"
    )
    with _program(tmp_path, text, monkeypatch) as program:
        until(lambda: "deaf" in program.tail())
        assert program.stop() == -signal.SIGKILL
