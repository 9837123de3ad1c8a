"""A foreign run in a folder, judged, as a storm against somebody else's service leaves it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from loadtest.record.foreign_books import write_foreign_books
from loadtest.record.run_folder import RunFolder
from loadtest.run.judge_run import judge_run
from tests.loadtest.foreign_run import ForeignRun
from tests.loadtest.record.test_run_folder import FACTS

FOREIGN_FACTS = replace(
    FACTS, scenario="coupons", target="http", allocator="", durability="", packet_ids=[], happenings=[]
)


def kept_foreign(run: ForeignRun, path: Path) -> RunFolder:
    """Write the run's files into a folder."""
    folder = RunFolder(path)
    folder.write_facts(replace(FOREIGN_FACTS, declared=run.declared))
    lines = [*run.history, {"kind": "end", "grabs": len(run.of()), "conns": len(run.of("conn"))}]
    (path / "history-1.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    if run.claims is not None:
        write_foreign_books(folder.claims, run.claims)
    return folder


def judged_foreign(run: ForeignRun, path: Path) -> tuple[RunFolder, dict[str, Any]]:
    """Write the run's files into a folder and judge them."""
    folder = kept_foreign(run, path)
    return folder, judge_run(folder)
