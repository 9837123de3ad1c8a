"""Locust's users against a room: Locust itself runs, headless, in a process of its own."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from loadtest.record.history import History, read_history
from loadtest.verdict.audit.fanout import check_fanout
from loadtest.verdict.audit.violation import Findings
from tests.loadtest.engines.left_running import started
from tests.waiting import PATIENCE_S, until

LOCUSTFILE = Path(__file__).parents[3] / "loadtest" / "locustfile.py"


def start(host: str, folder: Path, *more: str, users: int = 50) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary"]
    command += ["-u", str(users), "-r", str(users), "--host", host, "--directed", "--history", str(folder), *more]
    return started(command, folder)


def progress_of(folder: Path) -> list[dict[str, Any]]:
    return [
        orjson.loads(line)
        for path in folder.glob("progress-*.jsonl")
        for line in path.read_bytes().splitlines(keepends=True)
        if line.endswith(b"\n")
    ]


def wait_for(folder: Path, answered: int) -> None:
    """Wait until the audience has got so many receipts in all."""
    until(lambda: sum(max(counts) for counts in _answered(folder).values()) >= answered, f"{answered} receipts")


def _answered(folder: Path) -> dict[str, list[int]]:
    return {
        path.name: [0]
        + [orjson.loads(line)["answered"] for line in path.read_bytes().splitlines(keepends=True) if line[-1:] == b"\n"]
        for path in folder.glob("progress-*.jsonl")
    }


def stop(locust: subprocess.Popen[bytes]) -> tuple[int, str]:
    locust.send_signal(signal.SIGTERM)
    output, _ = locust.communicate(timeout=PATIENCE_S)
    return locust.returncode, output.decode()


def history_of(folder: Path) -> History:
    return read_history(sorted(folder.glob("history-*.jsonl")))


def test_fifty_viewers_come_grab_and_leave_in_order(fake_room: str, tmp_path: Path) -> None:
    """SIGTERM ends a run with every connection closed properly, a whole history, and exit code 0."""
    locust = start(fake_room, tmp_path)
    wait_for(tmp_path, 60)
    code, output = stop(locust)
    assert code == 0, output
    history = history_of(tmp_path)
    assert len(history.conns) == 50
    assert {conn.code for conn in history.conns} == {1000}
    assert all(grab.t_reply is not None for grab in history.grabs)
    statuses = {grab.status for grab in history.grabs}
    assert "granted" in statuses
    assert len(statuses) > 1
    assert all(grab.t_sent >= grab.t_intended for grab in history.grabs)
    findings = Findings()
    check_fanout(findings, history)
    assert list(findings.violations()) == []
    told = progress_of(tmp_path)
    assert {line["phase"] for line in told} >= {"watching", "leaving"}
    assert told[-1]["connected"] == 0
    assert told[-1]["failed"] == 0


def test_the_same_seed_makes_the_same_grabs(fake_room: str, tmp_path: Path) -> None:
    """How many grabs each behaviour makes for a packet does not depend on the run."""
    counts = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        locust = start(fake_room, folder, "--seed", "7", users=30)
        _wait_for_a_whole_packet(folder, viewers=30)
        assert stop(locust)[0] == 0
        history = history_of(folder)
        opened = Counter(arrival.packet for arrival in history.arrivals)
        ended = {fact.packet for fact in history.facts if fact.type == "result"}
        whole = next(packet for packet in opened if packet in ended and _told_in_time(history, packet))
        counts.append(Counter(grab.behaviour for grab in history.grabs if grab.packet == whole))
    assert counts[0] == counts[1]


def _wait_for_a_whole_packet(folder: Path, viewers: int) -> None:
    """Wait until everybody is there, and until a packet that was announced after that has ended."""
    until(lambda: any(line["connected"] == viewers for line in progress_of(folder)), "everybody there")
    before = _opened(folder)
    until(lambda: len(_opened(folder) - before) >= 3, "a whole packet")


def _opened(folder: Path) -> set[str]:
    """Return the packets that the audience has seen open so far, by the history as it grows."""
    whole = b"".join(path.read_bytes() for path in folder.glob("history-*.jsonl")).splitlines(keepends=True)
    lines = [orjson.loads(line) for line in whole if line.endswith(b"\n")]
    return {line["packet"] for line in lines if line["kind"] == "arrival"}


def _told_in_time(history: History, packet: str) -> bool:
    """Tell whether everybody was there when this packet was announced."""
    warmups = [fact for fact in history.facts if fact.packet == packet and fact.type == "warmup"]
    return any(warmup.count == len(history.conns) for warmup in warmups)


def test_locust_hears_of_grabs_and_pushes(fake_room: str, tmp_path: Path) -> None:
    """Its statistics have a row per series, buckets finer than a millisecond, and no failures."""
    figures = tmp_path / "figures"
    locust = start(fake_room, tmp_path, "--json-file", str(figures))
    wait_for(tmp_path, 60)
    code, output = stop(locust)
    assert code == 0, output
    rows = {(row["method"], row["name"]): row for row in orjson.loads(figures.with_suffix(".json").read_bytes())}
    assert {("WS", "grab"), ("WS", "connect"), ("PUSH", "open"), ("PUSH", "warmup")} <= rows.keys()
    assert rows["WS", "grab"]["num_requests"] == len(history_of(tmp_path).grabs)
    assert {row["num_failures"] for row in rows.values()} == {0}
    assert any(float(bucket) % 1 for row in rows.values() for bucket in row["response_times"])


def test_workers_share_the_seats(fake_room: str, tmp_path: Path) -> None:
    """With two processes every seat is taken once, and each process has a history of its own."""
    port = 20_000 + int(fake_room.rpartition(":")[2]) % 10_000
    more = ("--processes", "2", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port))
    locust = start(fake_room, tmp_path, *more, "--master-host", "127.0.0.1", "--master-port", str(port), users=40)
    wait_for(tmp_path, 50)
    code, output = stop(locust)
    assert code == 0, output
    assert len(list(tmp_path.glob("history-*.jsonl"))) == 2
    seats = [conn.conn for conn in history_of(tmp_path).conns]
    assert sorted(seats) == sorted(f"{number:x}.0" for number in range(40))


def test_a_lost_server_is_a_failure(tmp_path: Path) -> None:
    """Viewers that cannot connect try again, and the run ends with a status that says so."""
    locust = start("http://127.0.0.1:9", tmp_path, users=3)
    until(lambda: any(line["failed"] for line in progress_of(tmp_path)))
    code, output = stop(locust)
    assert code == 1, output
    assert "refused" in output
    assert history_of(tmp_path).conns == []


@pytest.mark.parametrize("name", ["no-such-scenario", "nowhere/at-all.toml"])
def test_a_bad_scenario_is_refused_before_anything_starts(tmp_path: Path, name: str) -> None:
    """Usage errors end with 64 and a readable line."""
    locust = start("http://127.0.0.1:9", tmp_path, "--scenario", name, users=1)
    output, _ = locust.communicate(timeout=PATIENCE_S)
    assert locust.returncode == 64, output
    assert name in output.decode()
