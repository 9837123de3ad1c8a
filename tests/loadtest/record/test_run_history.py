"""The history of runs: it outlives torn lines, and does not grow for ever."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from loadtest.record import run_history
from loadtest.record.run_history import append, read
from tests.loadtest.run_summaries import a_summary


def test_runs_are_read_as_they_were_added(tmp_path: Path) -> None:
    """In order, each as it was; a history that is not there yet is empty."""
    path = tmp_path / "history.jsonl"
    assert read(path) == []
    runs = [a_summary("one"), a_summary("two", seed=2, figures={"grabs": None})]
    for run in runs:
        append(path, run)
    assert read(path) == runs
    assert path.read_bytes().count(b"\n") == 2


def test_a_torn_line_spoils_no_other(tmp_path: Path) -> None:
    """A storm was killed while writing, somebody wrote something else: the runs around it are still read."""
    path = tmp_path / "history.jsonl"
    append(path, a_summary("one"))
    with path.open("ab") as file:
        file.write(b'[]\n{"run": "to')
    append(path, a_summary("three"))
    assert [run.run for run in read(path)] == ["one", "three"]


def test_the_older_half_goes_when_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file stays below its limit, and keeps the newest."""
    monkeypatch.setattr(run_history, "BYTES_MAX", 3_000)
    path = tmp_path / "history.jsonl"
    for number in range(40):
        append(path, a_summary(f"run-{number}"))
    kept = [run.run for run in read(path)]
    assert path.stat().st_size <= 3_000
    assert kept == [f"run-{number}" for number in range(40 - len(kept), 40)]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("changed", [{"run": "\x1b[2J"}, {"scenario": "x" * 201}, {"figures": {"grabs": float("nan")}}])
def test_what_would_spoil_a_terminal_is_no_summary(changed: dict[str, Any]) -> None:
    """Control characters, endless names and figures that are no numbers."""
    with pytest.raises(ValidationError):
        a_summary(**changed)


def test_the_machine_is_what_makes_figures_comparable() -> None:
    """A new kernel is the same machine, more cores are not."""
    one = a_summary(environment={"system": "Linux 6.1", "machine": "x86_64", "cpus": 2})
    assert one.machine == a_summary(environment={"system": "Linux 6.2", "machine": "x86_64", "cpus": 2}).machine
    assert one.machine != a_summary(environment={"system": "Linux 6.1", "machine": "x86_64", "cpus": 4}).machine
    assert one.kind["machine"] == one.machine == "Linux x86_64, 2 cpus"
