"""The probe of an embedded store: asked now and then by itself, whether it answers and how much it does."""

import re
import time
from pathlib import Path

from loadtest.run.nemesis import StoreOfRun
from loadtest.watch.picture import StorePicture

_FIGURE = re.compile(rb"^(instantaneous_ops_per_sec|aof_delayed_fsync|loading):(\d+)", re.MULTILINE)


class StoreProbe:
    """Asks the store of the server folder *home*. Where that folder has none, its state is unknown."""

    def __init__(self, home: Path, durability: str = "") -> None:
        self._store = StoreOfRun(home)
        self._durability = durability
        self._was_up = False
        self._away_since_ms: int | None = None
        self._recovered_in_ms: int | None = None

    def ask(self) -> StorePicture:
        """Return how the store is now, and how long it was away the last time."""
        if not self._store.exists():
            return StorePicture(durability=self._durability)
        answer = self._store.ask(b"INFO persistence stats")
        told = {name: int(value) for name, value in _FIGURE.findall(answer or b"")}
        now_ms = time.time_ns() // 1_000_000
        is_up = b"loading" in told and not told[b"loading"]
        self._was_up = self._was_up or is_up
        if is_up and self._away_since_ms is not None:
            self._recovered_in_ms, self._away_since_ms = now_ms - self._away_since_ms, None
        elif self._was_up and not is_up and self._away_since_ms is None:
            self._away_since_ms = now_ms
        return StorePicture(
            state="up" if is_up else "away",
            durability=self._durability,
            commands_per_second=told.get(b"instantaneous_ops_per_sec"),
            delayed_syncs=told.get(b"aof_delayed_fsync"),
            away_since_ms=self._away_since_ms,
            recovered_in_ms=self._recovered_in_ms,
        )
