"""The folder of a run: what a storm leaves behind, and all that an offline audit needs."""

import gzip
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from loadtest.record.books import Books, ClockRecord, read_books
from loadtest.record.foreign_books import ForeignClaim, read_foreign_books
from loadtest.record.history import History, read_history
from loadtest.record.sales import Sales, read_sales
from loadtest.record.shape import BadRecord

FORMAT_VERSION = 1
"""Of the files of a run; ``run.json`` states it, and one without it is of version 1."""

REDRAIN = "redrain"
"""The kind of target that is a server of ours, and has books; every other kind is foreign."""


@dataclass(slots=True)
class RunFacts:
    """
    What was run, as ``run.json`` keeps it; ``viewers`` are people, ``seats`` their connections.

    ``processes`` and ``reaction_median_ms`` are the audience's, ``workers`` those of the storm's own server; ``notes``
    say what was done otherwise than asked, ``server_errors`` what the storm's own server said of a failing allocator.
    ``target`` is the kind of the service under test, ``declared`` the packets of a foreign one
    (``loadtest/record/declared.py``).
    """

    scenario: str
    seed: int
    engine: str
    durability: str
    speed: int
    limits: str
    allocator: str
    viewers: int
    seats: int
    repeat_command: str
    started_at: str
    environment: dict[str, Any]
    packet_ids: list[str] = field(default_factory=list)
    happenings: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    audience_status: int = 0
    processes: int = 1
    workers: int = 1
    reaction_median_ms: int | None = None
    notes: list[str] = field(default_factory=list)
    server_errors: list[str] = field(default_factory=list)
    target: str = REDRAIN
    declared: list[dict[str, Any]] = field(default_factory=list)

    @property
    def foreign(self) -> bool:
        """Tell whether somebody else's service was under test, whose books are optional."""
        return self.target != REDRAIN


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of one run by name."""

    path: Path

    @property
    def _facts(self) -> Path:
        return self.path / "run.json"

    @property
    def books(self) -> Path:
        """The final books."""
        return self.path / "books.jsonl"

    @property
    def claims(self) -> Path:
        """The claims by a foreign service's own books; there are none of a service that gives none."""
        return self.path / "claims.jsonl"

    @property
    def sales(self) -> Path:
        """What buyers were told; there is none of a run without a shop."""
        return self.path / "orders.jsonl"

    @property
    def result(self) -> Path:
        """The verdict as JSON."""
        return self.path / "result.json"

    @property
    def report(self) -> Path:
        """The verdict as a page."""
        return self.path / "report.html"

    @property
    def scenario(self) -> Path:
        """The scenario as it was run."""
        return self.path / "scenario.toml"

    @property
    def home(self) -> Path:
        """The folder of the run's own server and its store."""
        return self.path / "home"

    @property
    def server_log(self) -> Path:
        """What the run's own server has said."""
        return self.path / "server.log"

    def snapshot(self, number: int) -> Path:
        """Return the place of the books taken during the run as number *number*."""
        return self.path / f"snapshot-{number:03}.jsonl"

    def snapshots(self) -> list[Path]:
        """Return the books taken during the run, in order."""
        return sorted(self.path.glob("snapshot-*.jsonl"))

    def write_facts(self, facts: RunFacts) -> None:
        """Keep what was run."""
        recorded = {"format_version": FORMAT_VERSION, **asdict(facts)}
        self._facts.write_bytes(orjson.dumps(recorded, option=orjson.OPT_INDENT_2))

    def facts(self) -> RunFacts:
        """Return what was run. Raises BadRecord if the folder holds no run, or one of a newer format."""
        try:
            recorded = orjson.loads(self._facts.read_bytes())
            if not isinstance(recorded, dict):
                raise TypeError("it is no JSON object")
            version = recorded.pop("format_version", 1)
            if not isinstance(version, int) or version > FORMAT_VERSION:
                raise BadRecord(
                    f"{self._facts}: is of format {version!r}, and this version of Redrain reads up to "
                    f"{FORMAT_VERSION}: use the version that recorded the run"
                )
            return RunFacts(**recorded)
        except (OSError, orjson.JSONDecodeError, TypeError) as error:
            raise BadRecord(f"{self._facts}: is not the record of a run: {error}") from None

    def read_books(self) -> Books:
        """Return the final books. Raises BadRecord, also if there are none: a run against a foreign target has none."""
        if self._facts.exists():
            self.facts()  # a newer format is refused before its lines are misread
        if not self.books.exists():
            raise BadRecord(f"{self.books}: is missing; only a run against a redrain server has it")
        return read_books(self.books)

    def books_or_none(self) -> Books:
        """Return the final books, or of a foreign run, which has none of ours, books in which nothing stands."""
        facts = self.facts()
        return Books(ClockRecord(0, 0, facts.speed), final=True) if facts.foreign else self.read_books()

    def read_snapshots(self) -> list[Books]:
        """Return the books taken during the run, in order. Raises BadRecord."""
        return [read_books(path) for path in self.snapshots()]

    def read_history(self, *, foreign: bool = False) -> History:
        """Return what the audience wrote down, of a *foreign* service or of ours. Raises BadRecord."""
        return read_history(sorted(self.path.glob("history-*.jsonl*")), foreign=foreign)

    def read_claims(self) -> list[ForeignClaim] | None:
        """Return what a foreign service's books say, or None if it gave none. Raises BadRecord."""
        return read_foreign_books(self.claims) if self.claims.exists() else None

    def read_sales(self) -> Sales:
        """Return what buyers were told. Raises BadRecord."""
        return read_sales(self.sales)

    def compress(self) -> None:
        """Replace the plain history files by compressed ones."""
        for path in self.path.glob("history-*.jsonl"):
            with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb", compresslevel=3) as packed:
                shutil.copyfileobj(plain, packed)
            path.unlink()
