"""The tail of a history: the grabs and health samples of a run that goes on, as its processes write them down."""

from pathlib import Path

import orjson

from loadtest.record.growing_file import GrowingFile
from loadtest.record.history import GrabRecord, HealthRecord, History
from loadtest.record.shape import Shape

_GRAB, _HEALTH = b'{"kind":"grab"', b'{"kind":"health"'  # the kind comes first (loadtest/record/history_writer.py)


class HistoryTail:
    """Reads ``history-*.jsonl`` of a folder, each time only what is new. Other kinds of lines are for the judge."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[Path, GrowingFile] = {}
        self._grab, self._health = Shape(GrabRecord), Shape(HealthRecord)

    def new(self) -> History:
        """Return the grabs and health samples written since the last call."""
        for path in sorted(self._folder.glob("history-*.jsonl")):
            self._files.setdefault(path, GrowingFile(path))
        history = History()
        for process, file in enumerate(self._files.values()):
            for line in file.new_lines():
                if line.startswith(_GRAB):
                    history.grabs.append(self._grab.read(orjson.loads(line) | {"process": process}))
                elif line.startswith(_HEALTH):
                    history.healths.append(self._health.read(orjson.loads(line) | {"process": process}))
        return history
