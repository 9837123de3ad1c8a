"""The tail of a history: grabs and health samples of all processes, each once."""

from pathlib import Path

import orjson

from loadtest.record.history_tail import HistoryTail
from tests.loadtest.written_run import a_run


def test_grabs_of_all_processes_are_read_once_as_they_are_written(tmp_path: Path) -> None:
    run = a_run(packets=1)
    lines = [orjson.dumps(line) + b"\n" for line in run.history if line["kind"] != "end"]
    health = {"kind": "health", "t": 1, "lag_ms": 0.5, "cpu": 0.25, "steal": 0.0, "descriptors": 9}
    one, other = tmp_path / "history-1.jsonl", tmp_path / "history-2.jsonl"
    tail = HistoryTail(tmp_path)
    assert tail.new().grabs == []
    half = len(lines[0]) // 2
    one.write_bytes(lines[0][:half])
    assert tail.new().grabs == []
    with one.open("ab") as file:
        file.write(lines[0][half:] + b"".join(lines[1:]))
    other.write_bytes(orjson.dumps(health) + b"\n")
    new = tail.new()
    assert len(new.grabs) == len(run.of("grab"))
    assert [(each.cpu, each.process) for each in new.healths] == [(0.25, 1)]
    assert {grab.process for grab in new.grabs} == {0}
    again = tail.new()
    assert (list(again.grabs), again.healths) == ([], [])
