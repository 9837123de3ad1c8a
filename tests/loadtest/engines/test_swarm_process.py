"""One process of a swarm, as the storm starts it, before a fake room."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from loadtest.engines.progress import ProgressFiles
from loadtest.record.history import read_history
from loadtest.verdict.audit.fanout import check_fanout
from loadtest.verdict.audit.violation import Findings
from tests.loadtest.engines.left_running import started
from tests.waiting import PATIENCE_S, until


def start(host: str, folder: Path, *more: str, seats: int = 50) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "loadtest.engines.swarm_process", "--host", host, "--scenario", "locust"]
    command += ["--seats", str(seats), "--arrivals-per-second", "100", *more]
    return started(command, folder)


def wait_for(folder: Path, answered: int) -> None:
    """Wait until the audience has got so many receipts in all."""
    files = ProgressFiles(folder)
    until(lambda: files.look().answered >= answered, f"{answered} receipts")


def stop(swarm: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
    swarm.send_signal(number)
    output, _ = swarm.communicate(timeout=PATIENCE_S)
    return swarm.returncode, output.decode()


def test_fifty_viewers_come_grab_and_leave_in_order(fake_room: str, tmp_path: Path) -> None:
    """SIGTERM ends it with every connection closed properly, a whole history with its health, and exit code 0."""
    swarm = start(fake_room, tmp_path, "--history", str(tmp_path))
    wait_for(tmp_path, 60)
    assert stop(swarm) == (0, "")
    history = read_history(sorted(tmp_path.glob("history-*.jsonl")))
    assert len(history.conns) == 50
    assert {conn.code for conn in history.conns} == {1000}
    assert all(grab.t_reply is not None for grab in history.grabs)
    statuses = {grab.status for grab in history.grabs}
    assert "granted" in statuses
    assert len(statuses) > 1
    assert all(grab.t_sent >= grab.t_intended for grab in history.grabs)
    assert len(history.healths) > 2
    findings = Findings()
    check_fanout(findings, history)
    assert list(findings.violations()) == []


def test_without_a_history_only_progress_is_written(fake_room: str, tmp_path: Path) -> None:
    """With --watched only progress lines are written; Ctrl-C ends the process as well."""
    swarm = start(fake_room, tmp_path, "--watched", str(tmp_path), seats=5)
    wait_for(tmp_path, 1)
    assert stop(swarm, signal.SIGINT) == (0, "")
    assert [path.name.partition("-")[0] for path in tmp_path.iterdir()] == ["progress"]


def test_a_part_has_its_own_seats(fake_room: str, tmp_path: Path) -> None:
    """Part 1 of 3 sits in seats 1, 4, 7, ..."""
    swarm = start(fake_room, tmp_path, "--history", str(tmp_path), "--part", "1/3", seats=5)
    wait_for(tmp_path, 1)
    assert stop(swarm) == (0, "")
    conns = read_history(sorted(tmp_path.glob("history-*.jsonl"))).conns
    assert {int(str(conn.conn).partition(".")[0], 16) for conn in conns} <= {1, 4, 7, 10, 13}


def test_an_audience_that_is_told_to_end_at_the_door_ends(tmp_path: Path) -> None:
    """Nobody listens, and nobody gets in: SIGTERM ends it all the same, with an empty history."""
    swarm = start("http://127.0.0.1:9", tmp_path, "--history", str(tmp_path), seats=3)
    until(lambda: list(tmp_path.glob("progress-*")))
    time.sleep(0.3)  # it may be anywhere in its attempts
    assert stop(swarm)[0] == 0
    assert read_history(sorted(tmp_path.glob("history-*.jsonl"))).conns == []


def test_a_bad_scenario_is_64(tmp_path: Path) -> None:
    """Usage errors end with 64 and a readable line."""
    swarm = start("http://127.0.0.1:9", tmp_path, "--scenario", "no-such-scenario")
    output, _ = swarm.communicate(timeout=PATIENCE_S)
    assert swarm.returncode == 64
    assert b"no-such-scenario" in output
