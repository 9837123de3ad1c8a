"""Progress is read from files that grow while they are read."""

from pathlib import Path

import orjson

from loadtest.engines.progress import Progress, ProgressFiles

STATE = {"seats": 10, "connected": 8, "offered": 6, "answered": 5, "granted": 2, "failed": 1, "p99_ms": 7.5}


def _line(**changes: object) -> bytes:
    return orjson.dumps({**STATE, **changes}) + b"\n"


def test_nothing_written_is_nothing_done(tmp_path: Path) -> None:
    """Before an engine says something, all is zero."""
    files = ProgressFiles(tmp_path)
    assert files.look() == Progress()
    (tmp_path / "progress-1.jsonl").write_bytes(b"")
    assert files.look() == Progress()


def test_processes_are_summed_and_the_worst_latency_counts(tmp_path: Path) -> None:
    """Two processes are one audience."""
    (tmp_path / "progress-1.jsonl").write_bytes(_line())
    (tmp_path / "progress-2.jsonl").write_bytes(_line(p99_ms=9.0))
    assert ProgressFiles(tmp_path).look() == Progress(20, 16, 12, 10, 4, 2, 9.0)


def test_the_newest_line_counts(tmp_path: Path) -> None:
    """The newest line of a process replaces earlier ones, within one read and between reads."""
    path, files = tmp_path / "progress-1.jsonl", ProgressFiles(tmp_path)
    path.write_bytes(_line() + _line(granted=3))
    assert files.look().granted == 3
    with path.open("ab") as file:
        file.write(_line(granted=4) + _line(granted=5))
    assert files.look().granted == 5
    assert files.look().granted == 5


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    """A line that is being written is not read until it is whole, and then it is."""
    path, files = tmp_path / "progress-1.jsonl", ProgressFiles(tmp_path)
    new = _line(granted=9)
    path.write_bytes(_line() + new[:20])
    assert files.look().granted == 2
    with path.open("ab") as file:
        file.write(new[20:])
    assert files.look().granted == 9


def test_a_process_that_has_not_measured_has_no_latency(tmp_path: Path) -> None:
    """A percentile of nothing is no number, and shows as 0."""
    (tmp_path / "progress-1.jsonl").write_bytes(_line(p99_ms=None))
    assert ProgressFiles(tmp_path).look().p99_ms == 0
