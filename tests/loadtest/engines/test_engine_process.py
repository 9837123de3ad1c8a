"""Engines are processes that say why they cannot bring an audience."""

from pathlib import Path

import pytest

from loadtest.engines import engine_process
from loadtest.engines.child_process import ChildProcess, ProcessFailed
from loadtest.verdict.weigh import Exit
from tests.waiting import until


def test_an_audience_without_its_scenario_says_why(tmp_path: Path) -> None:
    """Locust ends with our code for wrong usage, and the log names the file."""
    locustfile = Path(engine_process.__file__).parents[1] / "locustfile.py"
    arguments = ["-f", str(locustfile), "--headless", "--scenario", str(tmp_path / "missing.toml")]
    audience = ChildProcess("audience", "locust", arguments, tmp_path / "locust.log")
    try:
        until(lambda: not audience.alive())
        with pytest.raises(ProcessFailed, match=r"missing\.toml") as failed:
            audience.check()
    finally:
        audience.stop()
    assert failed.value.exit_code is Exit.USAGE
