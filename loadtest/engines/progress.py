"""The audience's progress, read from the lines that every engine process appends while it runs."""

from dataclasses import dataclass, field, fields
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True)
class Progress:
    """The audience's state at one moment, summed over its processes; latencies are the worst process's."""

    seats: int = 0
    connected: int = 0
    offered: int = 0
    answered: int = 0
    granted: int = 0
    failed: int = 0
    p99_ms: float = 0.0


_SUMMED = [each.name for each in fields(Progress) if each.name != "p99_ms"]


@dataclass(slots=True)
class ProgressFiles:
    """Reads ``progress-*.jsonl`` of a folder, each time only the new lines."""

    folder: Path
    _places: dict[Path, int] = field(default_factory=dict)
    _latest: dict[Path, dict[str, float]] = field(default_factory=dict)

    def look(self) -> Progress:
        """Return the newest state."""
        for path in self.folder.glob("progress-*.jsonl"):
            self._read(path)
        states = list(self._latest.values())
        sums = {name: sum(int(state[name]) for state in states) for name in _SUMMED}
        return Progress(**sums, p99_ms=max((float(state["p99_ms"] or 0) for state in states), default=0.0))

    def _read(self, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self._places.get(path, 0))
            new = file.read()
        whole, _, _ = new.rpartition(b"\n")
        if whole:
            self._places[path] = self._places.get(path, 0) + len(whole) + 1
            self._latest[path] = orjson.loads(whole.rpartition(b"\n")[2])
