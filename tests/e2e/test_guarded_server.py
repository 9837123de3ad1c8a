"""A storm, a swarm and a Locust of one's own against a server that asks who one is."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from loadtest.record.run_folder import RunFolder
from loadtest.run.judge_run import judge_run
from loadtest.run.server_process import ServerProcess
from loadtest.targets.credential import VARIABLE
from scripts.cli import main
from server.api.credentials import Credentials
from server.core.credential import Caller, Role
from server.gateway.signing import Signer
from tests.e2e.storming import storm

SECRET = "a secret that is long enough for a test of doors"
TIMEOUT_S = 120.0


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server that takes nobody's word, and return its URL."""
    options = ["--durability", "relaxed", "--limits", "load", "--speed", "10"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDRAIN_SECRET", SECRET)
        server = ServerProcess(tmp_path_factory.mktemp("guarded"), options, insecure=False)
    try:
        yield server.wait_until_ready()
    finally:
        status = server.stop()
    assert status == 0, server.tail()


@pytest.fixture
def token() -> str:
    """Return an admin's credential."""
    caller = Caller(Role.ADMIN, "root")
    return Credentials(Signer(SECRET.encode())).mint(caller, lasts_ms=600_000, now_ms=time.time_ns() // 1_000_000)


def run(folder: Path, *arguments: str, token: str = "", module: str = "scripts.cli") -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, token)
        command = [sys.executable, "-P", "-m", module, *arguments]
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False
        )
    return done.returncode, done.stdout.decode()


@pytest.mark.parametrize("engine", ["locust", "swarm"])
def test_a_storm_with_a_credential_passes(guarded: str, token: str, tmp_path: Path, engine: str) -> None:
    """Rooms, packets and books by the credential, viewers by ticket; the run folder keeps nothing of either."""
    folder = tmp_path / "run"
    code, result = storm(folder, "smoke", "--target", guarded, "--engine", engine, "--token", token)
    assert (code, result["verdict"]) == (0, "pass"), result
    kept = [path for path in folder.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    assert kept == []
    assert not list(folder.glob("*.token"))


def test_a_dashboard_of_it_needs_the_credential_and_ends_well(guarded: str, token: str, tmp_path: Path) -> None:
    """Its books are for an administrator; with them the badge is green, and SIGINT is how one ends it."""
    command = [sys.executable, "-P", "-m", "scripts.cli", "watch", "--target", guarded, "--token", token]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown = re.search(r"http://[0-9.:]+/dashboard", process.stdout.readline())
        assert shown
        with connect(shown[0].replace("http", "ws").replace("dashboard", "watch"), proxy=None) as pictures:
            seen = [json.loads(pictures.recv(timeout=TIMEOUT_S))["badge"]["light"]]
            while seen[-1] != "green":
                seen.append(json.loads(pictures.recv(timeout=TIMEOUT_S))["badge"]["light"])
        assert set(seen) <= {"amber", "green"}
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_S) == 0
    code, told = run(tmp_path, "watch", "--target", guarded)
    assert (code, "--token" in told) == (30, True)


@pytest.mark.parametrize("command", [["storm", "smoke", "--out", "run"], ["swarm", "--scenario", "smoke"]])
def test_without_a_credential_one_is_told_what_to_do(
    guarded: str,
    tmp_path: Path,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is the environment that is wrong (30), and nothing was begun; a bad credential is none."""
    monkeypatch.chdir(tmp_path)
    for token in ("", "nonsense"):
        monkeypatch.setenv(VARIABLE, token)
        with pytest.raises(SystemExit) as ended:
            main([*command, "--target", guarded])
        told = " ".join("".join(capsys.readouterr()).split())
        assert ended.value.code == 30, told
        assert "--token or REDRAIN_TOKEN" in told
        assert "redrain token --role admin" in told
        for path in (tmp_path / "run").glob("*"):
            path.unlink()


def test_a_swarm_and_a_locust_of_ones_own_come_in_by_ticket(guarded: str, token: str, tmp_path: Path) -> None:
    """
    The variable does for both: they make rooms and packets, and stay until the programme is over.

    What each leaves is judged, and does not hold the credential.
    """
    swarm = ["swarm", "--scenario", "smoke", "--target", guarded, "--json", "figures.json", "--history", "swarm"]
    code, said = run(tmp_path, *swarm, token=token)
    assert (code, "0 failures" in said) == (0, True), said
    locustfile = str(Path(__file__).parent.parent.parent / "loadtest" / "locustfile.py")
    locust = ["-f", locustfile, "--headless", "--only-summary", "-u", "20", "-r", "50", "--host", guarded]
    code, said = run(tmp_path, *locust, "--scenario", "smoke", "--history", "locust", token=token, module="locust")
    assert code == 0, said
    for folder in ("swarm", "locust"):
        result = judge_run(RunFolder(tmp_path / folder))
        assert (result["violations"], result["packets"][0]["granted"]) == ([], result["packets"][0]["share_count"])
        assert token not in (tmp_path / folder / "run.json").read_text()


def test_a_storm_on_its_own_server_shows_no_credential(
    token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is meant for another server would be refused by it."""
    monkeypatch.setenv(VARIABLE, f"{token}x")
    code, result = storm(tmp_path / "run", "smoke", "--engine", "swarm")
    assert code == 0, result
