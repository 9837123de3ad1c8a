"""The history of runs: one JSON line for each judged storm, in the folder of runs, which outlives the runs' folders."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

BYTES_MAX = 4 * 2**20  # some thousands of runs; past it the older half is dropped


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be printable text")
    return text


_Told = Annotated[str, Field(max_length=200), AfterValidator(_printable)]


class RunSummary(BaseModel):
    """
    A run in short; ``figures`` are its numbers by metric, or by metric and part, such as ``grab_latency_ms.p99``.

    A figure that is not known is None.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: _Told
    started_at: _Told
    scenario: _Told
    target: _Told
    seed: int
    engine: _Told
    durability: _Told
    speed: int
    limits: _Told
    viewers: int
    verdict: _Told
    reasons: list[_Told]
    environment: dict[str, Any]
    figures: dict[str, FiniteFloat | None]

    @property
    def machine(self) -> str:
        """Return what makes its machine comparable: system, processor and cores, not the versions."""
        told = self.environment
        system = str(told.get("system", "")).partition(" ")[0]
        return f"{system} {told.get('machine', '')}, {told.get('cpus', '?')} cpus"

    @property
    def kind(self) -> dict[str, Any]:
        """Return what two runs must have in common to be compared."""
        names = ("scenario", "target", "viewers", "speed", "seed", "engine", "machine")
        return {name: getattr(self, name) for name in names}


def append(path: Path, summary: RunSummary) -> None:
    """Add a run to the history at *path*, and keep the file bounded."""
    with path.open("ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            torn = file.read(1) != b"\n"  # the line of a storm that was killed while writing
            file.write(b"\n" * torn)
        file.write(summary.model_dump_json().encode() + b"\n")
        size = file.tell()
    if size > BYTES_MAX:
        lines = path.read_bytes().splitlines(keepends=True)
        shorter = path.with_suffix(".new")
        shorter.write_bytes(b"".join(lines[len(lines) // 2 :]))
        shorter.replace(path)


def read(path: Path) -> list[RunSummary]:
    """Return the runs of the history at *path*, the oldest first; a line that is not one is left out."""
    return list(_read(path)) if path.exists() else []


def _read(path: Path) -> Iterator[RunSummary]:
    with path.open("rb") as file:
        for line in file:
            try:
                yield RunSummary.model_validate_json(line)
            except ValidationError:
                continue
