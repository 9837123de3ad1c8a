"""Locust as a storm runs it is not changed by what lies around."""

from pathlib import Path

import pytest

from loadtest.engines import engine_process
from loadtest.engines.child_process import ChildProcess, ProcessFailed
from loadtest.verdict.weigh import Exit
from tests.waiting import until


def test_no_configuration_file_and_no_variable_changes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets as far as its scenario, which is missing; with either it would have ended before."""
    (tmp_path / "locust.conf").write_text("spawn-rate = fast\n", "utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.locust]\nspawn-rate = 'fast'\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCUST_USERS", "many")
    locustfile = Path(engine_process.__file__).parents[1] / "locustfile.py"
    arguments = ["-f", str(locustfile), "--headless", "--scenario", "missing.toml"]
    audience = ChildProcess("audience", "loadtest.engines.locust_process", arguments, tmp_path / "locust.log")
    try:
        until(lambda: not audience.alive())
        with pytest.raises(ProcessFailed, match=r"missing\.toml") as failed:
            audience.check()
    finally:
        audience.stop()
    assert failed.value.exit_code is Exit.USAGE
