"""Progress is read from files that grow while they are read."""

from pathlib import Path

import orjson

from loadtest.engines.progress import Progress, ProgressFiles

STATE = {
    "phase": "watching", "seats": 10, "connected": 8, "viewers": 9, "present": 7, "offered": 6, "answered": 5,
    "lost": 1, "failed": 1, "failures": {"connect: refused": 1}, "latencies": {"7.5": 5}, "max_ms": 7.54, "shares": [],
    "rooms": {"r1": 7}, "comments": 2, "likes": 9, "facts": [],
}  # fmt: skip


def _line(**changes: object) -> bytes:
    return orjson.dumps({**STATE, **changes}) + b"\n"


def test_nothing_written_is_nothing_done(tmp_path: Path) -> None:
    """Before an engine says something, all is zero."""
    files = ProgressFiles(tmp_path)
    assert files.look() == Progress()
    (tmp_path / "progress-1.jsonl").write_bytes(b"")
    assert files.look() == Progress()


def test_processes_are_one_audience(tmp_path: Path) -> None:
    """Counts are summed, and a percentile is that of all taps together, as in the result."""
    (tmp_path / "progress-1.jsonl").write_bytes(_line())
    (tmp_path / "progress-2.jsonl").write_bytes(_line(latencies={"7.5": 494, "9": 1}, max_ms=9.04))
    told = ProgressFiles(tmp_path).look()
    assert (told.seats, told.connected, told.viewers, told.present, told.came) == (20, 16, 18, 14, 14)
    assert (told.offered, told.answered, told.lost, told.failed) == (12, 10, 2, 2)
    assert told.failures == {"connect: refused": 2}
    assert (told.p99_ms, told.percentile_ms(1000), told.max_ms) == (7.5, 9.0, 9.04)


def test_a_share_of_two_devices_is_one(tmp_path: Path) -> None:
    """Two processes may each have one device of a viewer, and both are told of its share."""
    (tmp_path / "progress-1.jsonl").write_bytes(_line(shares=[["p", "v1", "0"]]) + _line(shares=[["p", "v2", "1"]]))
    (tmp_path / "progress-2.jsonl").write_bytes(_line(shares=[["p", "v1", "0"], ["q", "v1", "0"]]))
    told = ProgressFiles(tmp_path).look()
    assert (told.granted, told.granted_of) == (3, {"p": 2, "q": 1})


def test_the_most_viewers_there_have_been_are_kept(tmp_path: Path) -> None:
    """Viewers who have left have been there."""
    (tmp_path / "progress-1.jsonl").write_bytes(_line(present=3) + _line(present=9) + _line(present=0))
    assert (ProgressFiles(tmp_path).look().present, ProgressFiles(tmp_path).look().came) == (0, 9)


def test_the_newest_line_counts(tmp_path: Path) -> None:
    """The newest line of a process replaces earlier ones, within one read and between reads."""
    path, files = tmp_path / "progress-1.jsonl", ProgressFiles(tmp_path)
    path.write_bytes(_line() + _line(answered=3))
    assert files.look().answered == 3
    with path.open("ab") as file:
        file.write(_line(answered=4) + _line(answered=5))
    assert files.look().answered == 5
    assert files.look().answered == 5


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    """A line that is being written is not read until it is whole, and then it is."""
    path, files = tmp_path / "progress-1.jsonl", ProgressFiles(tmp_path)
    new = _line(answered=9)
    path.write_bytes(_line() + new[:20])
    assert files.look().answered == 5
    with path.open("ab") as file:
        file.write(new[20:])
    assert files.look().answered == 9


def test_a_process_that_has_not_measured_has_no_latency(tmp_path: Path) -> None:
    """A percentile of nothing is no number, and shows as 0."""
    (tmp_path / "progress-1.jsonl").write_bytes(_line(latencies={}))
    assert ProgressFiles(tmp_path).look().p99_ms == 0
