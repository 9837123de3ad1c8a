"""The server of a storm: it gets ready, keeps its store in its folder, and says why when it cannot serve."""

import tomllib
from pathlib import Path

import pytest
import requests

from loadtest.engines.child_process import ProcessFailed
from loadtest.run.server_process import ServerProcess, toml_of
from loadtest.verdict.weigh import Exit


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
    """A scenario's rulebooks reach the server's file unchanged, whatever characters they contain."""
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
