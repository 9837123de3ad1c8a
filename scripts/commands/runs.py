"""Removes the folders of old runs, which nothing else does."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from loadtest.record.run_folder import RunFolder
from loadtest.verdict.weigh import Exit
from scripts.commands.storm import RUNS
from scripts.output import console, write_json

GOING_ON_S = 600.0  # a run that wrote something so lately, and has no result yet, may still go on


def run_prune(keep: int, json: str | None) -> int:
    """Remove all but the newest *keep* runs of the default folder, say what that frees, and return the exit code."""
    runs = [path for path in RUNS.glob("*") if not path.is_symlink() and RunFolder(path).scenario.exists()]
    runs.sort(reverse=True)
    old = [path for path in runs[keep:] if not _goes_on(path)]
    freed = {path: _size(path) for path in old}
    for path in old:
        shutil.rmtree(path)
    left = [path for path in runs if path not in freed]
    left_bytes = sum(map(_size, left))
    console(json).print(
        f"removed {len(old)} runs of {RUNS}, {_megabytes(sum(freed.values()))}; "
        f"{len(left)} are left, {_megabytes(left_bytes)}"
    )
    removed = [{"run": str(path), "bytes": size} for path, size in freed.items()]
    write_json(json, {"removed": removed, "left": [str(path) for path in left], "left_bytes": left_bytes})
    return Exit.PASS


def _goes_on(path: Path) -> bool:
    newest = max((each.lstat().st_mtime for each in path.rglob("*")), default=0.0)
    return not RunFolder(path).result.exists() and datetime.now(UTC).timestamp() - newest < GOING_ON_S


def _size(path: Path) -> int:
    return sum(each.lstat().st_size for each in path.rglob("*") if each.is_file())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
