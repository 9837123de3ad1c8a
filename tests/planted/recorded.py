"""Recorded runs of servers with a planted bug: one small archive each, which the verdict can judge again."""

import tarfile
from pathlib import Path

from loadtest.record.run_folder import RunFolder
from tests.planted.plant import Plant

RECORDED = Path(__file__).with_name("recorded")
KEPT = ("run.json", "scenario.toml", "books.jsonl", "orders.jsonl", "history-*", "snapshot-*")


def archive(plant: Plant) -> Path:
    """Return where the run of a planted bug is kept."""
    return RECORDED / f"{plant.slug}.tar.xz"


def record(plant: Plant, folder: Path) -> None:
    """Keep what the verdict reads of a run."""
    RECORDED.mkdir(exist_ok=True)
    with tarfile.open(archive(plant), "w:xz", preset=9) as packed:
        for path in sorted(path for pattern in KEPT for path in folder.glob(pattern)):
            packed.add(path, path.name)


def unpack(plant: Plant, folder: Path) -> RunFolder:
    """Return the recorded run of a planted bug in an empty folder."""
    with tarfile.open(archive(plant)) as packed:
        for member in packed:
            file = packed.extractfile(member)
            assert file is not None, member.name
            (folder / member.name).write_bytes(file.read())
    return RunFolder(folder)
