"""A written run in a folder, judged, as a storm leaves it."""

from pathlib import Path
from typing import Any

import orjson

from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.run.judge_run import judge_run
from tests.loadtest.written_run import Line, WrittenRun


def judged(run: WrittenRun, path: Path, *, happenings: list[Line] | None = None) -> tuple[RunFolder, dict[str, Any]]:
    """Write the run's files into a folder and judge them."""
    folder = RunFolder(path)
    folder.books.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in run.books))
    (path / "history-1.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in run.history))
    facts = RunFacts(
        scenario="written",
        seed=1,
        engine="none",
        durability="durable",
        speed=1,
        limits="load",
        allocator="default",
        viewers=12,
        seats=12,
        repeat_command="redrain storm written --seed 1",
        started_at="2023-08-05T11:10:00+00:00",
        environment={"python": "3.11", "cpus": 2, "libraries": {"locust": "2"}},
        happenings=happenings or [],
    )
    folder.write_facts(facts)
    return folder, judge_run(folder)
