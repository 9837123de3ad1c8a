"""
Locust's master with an ordinary worker and a swarm.

The swarm is as on another host: its clock is another one, and it does not see the master's folder.
"""

import csv
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from loadtest.record.run_folder import RunFolder
from loadtest.run.server_process import ServerProcess
from tests.e2e.conftest import Redrain
from tests.loadtest.targets.free_port import free_port

LOCUST = [sys.executable, "-P", "-m", "locust", "-f", str(Path(__file__).parents[2] / "loadtest" / "locustfile.py")]
ELSEWHERE = [
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "--time",
    "--monotonic",
    "100000",
    "--boottime",
    "100000",
]
TIMEOUT_S = 180.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server and return its URL."""
    options = ["--durability", "relaxed", "--limits", "load", "--speed", "10"]
    server = ServerProcess(tmp_path_factory.mktemp("server"), options)
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()


def _elsewhere(hidden: Path, command: list[str]) -> list[str]:
    """Return the command as another host would run it, where that is possible; else it runs here."""
    there = [*ELSEWHERE, "sh", "-c", f'mount -t tmpfs none {hidden} && exec "$@"', "sh"]
    if shutil.which("unshare") and subprocess.run([*there, "true"], capture_output=True, check=False).returncode == 0:
        return [*there, *command]
    print("no namespaces here: both workers are of one host")
    return command


@pytest.fixture(scope="module")
def recorded(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Carry out a run of a master with two workers, and return its folder."""
    folder = tmp_path_factory.mktemp("run")
    port = ["--master-port", str(free_port())]
    worker = [*LOCUST, "--worker", *port]
    swarm = [sys.executable, "-P", "-m", "scripts.cli", "swarm", "--master", f"127.0.0.1:{port[1]}", "--processes", "1"]
    master = [*LOCUST, "--master", "--master-bind-port", port[1], "--expect-workers", "2", "--headless"]
    master += ["--only-summary", "--csv", str(folder / "locust"), "--scenario", "smoke"]
    master += ["-u", "54", "-r", "100", "--host", server]
    workers = [subprocess.Popen(each) for each in (worker, _elsewhere(folder, swarm))]
    try:
        done = subprocess.run(
            [*master, "--history", str(folder / "run")], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        assert [done.returncode, *(each.wait(TIMEOUT_S) for each in workers)] == [0, 0, 0], done.stderr
    finally:
        for each in workers:
            each.kill()
    return folder / "run"


def test_a_run_of_two_hosts_is_judged_as_one(recorded: Path, redrain: Redrain) -> None:
    """The folder has both histories, books and run record; the error of the clocks is said and used."""
    done = redrain("audit", str(recorded), "--json", str(recorded / "told.json"))
    assert done.returncode == 0, done.stdout
    history = RunFolder(recorded).read_history()
    told = orjson.loads((recorded / "told.json").read_bytes())
    assert (told["processes"], {grab.process for grab in history.grabs}) == (2, {0, 1})
    if len({own.clock for own in history.own_clocks}) == 2:
        (relation,) = history.relations
        assert abs(relation.offset_ns) > 90_000 * 10**9
        assert told["clock_error_ms"] > 0
        assert "A7: the clocks of the audience's hosts are related to" in done.stdout
    assert "anna-live" in (recorded / "scenario.toml").read_text()


def test_the_statistics_of_the_master_are_the_sum_of_both(recorded: Path) -> None:
    """Locust counted as much as stands in the histories, of both kinds of workers."""
    with (recorded.parent / "locust_stats.csv").open() as file:
        counted = {row["Name"]: (int(row["Request Count"]), int(row["Failure Count"])) for row in csv.DictReader(file)}
    history = RunFolder(recorded).read_history()
    answered = Counter(grab.process for grab in history.grabs if grab.t_reply is not None and not grab.again)
    requests, failures = counted["grab"]
    assert (len(answered), requests - failures) == (2, answered.total())
    requests, failures = counted["connect"]
    assert requests - failures == len(history.conns)
    assert counted["open"][0] == sum(1 for arrival in history.arrivals)


def test_a_lost_acknowledgement_is_found(recorded: Path, tmp_path: Path, redrain: Redrain) -> None:
    """A share that a viewer was told of, and that the final claims have forgotten."""
    shutil.copytree(recorded, run := tmp_path / "run")
    lines = (run / "books.jsonl").read_bytes().splitlines(keepends=True)
    lost = next(at for at, line in enumerate(lines) if orjson.loads(line)["kind"] == "claim")
    (run / "books.jsonl").write_bytes(b"".join(lines[:lost] + lines[lost + 1 :]))
    done = redrain("audit", str(run))
    assert (done.returncode, "A5 nothing acknowledged is lost" in done.stdout) == (10, True), done.stdout


def test_a_history_that_is_not_there_is_missed(recorded: Path, tmp_path: Path, redrain: Redrain) -> None:
    """Taps of the other worker are not known: the rest is judged, and no pass is said."""
    shutil.copytree(recorded, run := tmp_path / "run")
    next(run.glob("history-*")).unlink()
    done = redrain("audit", str(run))
    assert (done.returncode, "not_verified" in done.stdout) == (20, True), done.stdout
    assert "A4, A7: who tapped for a share, and when: the histories of 1 of 2 processes are not in" in done.stdout
