"""The processes of a storm: they start in sessions of their own, tell how they ended, and stop when told."""

import os
import signal
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from loadtest.run import processes
from loadtest.run.processes import LOG_TAIL_LINES, ProcessFailed, ServerProcess, Subprocess, toml_of
from loadtest.verdict.weigh import Exit
from tests.api.caller import until


@contextmanager
def _program(folder: Path, text: str, patch: pytest.MonkeyPatch) -> Iterator[Subprocess]:
    """Run a little program as a process of a storm."""
    (folder / "program.py").write_text(text, "utf-8")
    patch.setenv("PYTHONPATH", str(folder))
    process = Subprocess("program", "program", [], folder / "program.log")
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
    monkeypatch.setattr("loadtest.run.processes.STOP_TIMEOUT_S", 0.2)
    text = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\n"
        "while True: time.sleep(1)"
    )
    with _program(tmp_path, text, monkeypatch) as program:
        until(lambda: "deaf" in program.tail())
        assert program.stop() == -signal.SIGKILL


def test_a_server_gets_ready_and_stops(tmp_path: Path) -> None:
    """It answers at the URL it gives, keeps its store in its folder, and ends with 0."""
    server = ServerProcess(tmp_path / "run", ["--durability", "relaxed"])
    try:
        url = server.wait_until_ready()
        assert requests.get(f"{url}/readyz", timeout=30).ok
        assert (tmp_path / "run/home/store").is_dir()
    finally:
        assert server.stop() == 0


def test_tables_are_written_as_they_are_read() -> None:
    """What a scenario says of rulebooks reaches the server's file unchanged, whatever its texts hold."""
    tables: dict[str, dict[str, object]] = {
        "lab": {"overlap_max": 3, "exact_lead_strict": False, "fee_mode": "on_top", "use_entrances": []},
        "douyin": {"channels": [{"name": 'a "b" \\ 红 \U0001f9e7 \n', "fee_bp": 1}, {"name": "c"}]},
    }
    assert tomllib.loads(toml_of(tables)) == tables


def test_a_server_that_cannot_serve_says_why(tmp_path: Path) -> None:
    """The message holds what the server said, and its exit code goes on."""
    server = ServerProcess(tmp_path, ["--host", "192.0.2.1"])
    try:
        with pytest.raises(ProcessFailed, match="not a loopback address") as failed:
            server.wait_until_ready()
    finally:
        server.stop()
    assert failed.value.exit_code is Exit.ENVIRONMENT


def test_an_audience_without_its_scenario_says_why(tmp_path: Path) -> None:
    """Locust ends with our code for wrong usage, and the log names the file."""
    locustfile = Path(processes.__file__).parents[1] / "locustfile.py"
    arguments = ["-f", str(locustfile), "--headless", "--scenario", str(tmp_path / "missing.toml")]
    audience = Subprocess("audience", "locust", arguments, tmp_path / "locust.log")
    try:
        until(lambda: not audience.alive())
        with pytest.raises(ProcessFailed, match=r"missing\.toml") as failed:
            audience.check()
    finally:
        audience.stop()
    assert failed.value.exit_code is Exit.USAGE
