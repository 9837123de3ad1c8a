"""The process that leads a Locust run. Whole runs are in tests/e2e/test_distributed.py; here, one that cannot begin."""

import subprocess
import sys
from pathlib import Path

LOCUSTFILE = Path(__file__).parents[3] / "loadtest" / "locustfile.py"


def locust(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_run_that_cannot_be_set_up_leaves_no_record(tmp_path: Path) -> None:
    """No server answers: exit code 30, and no folder that would look like a run."""
    done = locust("--host", "http://127.0.0.1:9", "--history", str(tmp_path / "run"), "-u", "1")
    assert done.returncode == 30, done.stderr
    assert not (tmp_path / "run" / "run.json").exists()
    assert not (tmp_path / "run" / "scenario.toml").exists()


def test_a_folder_with_a_run_is_not_written_into(tmp_path: Path) -> None:
    """Two histories of different runs in one folder could not be told apart."""
    (tmp_path / "run.json").touch()
    done = locust("--host", "http://127.0.0.1:9", "--history", str(tmp_path), "-u", "1")
    assert (done.returncode, "is not empty; give an empty or new folder" in done.stderr) == (64, True), done.stderr
