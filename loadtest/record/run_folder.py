"""The folder of a run: the files of a storm, which are all that an offline audit needs."""

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from loadtest.record.books import Books, ClockRecord, read_books
from loadtest.record.foreign_books import ForeignClaim, read_foreign_books
from loadtest.record.given_file import Allowance, NotTaken, read_given, replace_file
from loadtest.record.history import History, read_history
from loadtest.record.one_timeline import bring_together
from loadtest.record.sales import Sales, read_sales
from loadtest.record.shape import BadRecord
from loadtest.record.snapshots import read_snapshots

FORMAT_VERSION = 1
"""The format of a run's files, stated in ``run.json``; without it the version is 1."""

CHECKED = "checked"
"""The value of ``server_log`` for a run whose server's log was read."""

FAULT_RECORDS_MAX = 1_000
HAPPENINGS_MAX = 10_000
WAITS_MAX = 100_000  # of an hour and more
LOADS_MAX = 10_000
Span = Annotated[list[int | None], Field(min_length=2, max_length=2)]
"""From and to, by the history's clock; null if it is not known."""

Wait = Annotated[list[int], Field(min_length=3, max_length=3)]
"""From and to, by the history's clock, and how long in between, in nanoseconds."""

Load = Annotated[list[int | None], Field(min_length=7, max_length=7)]
"""From and to, by the history's clock; in nanoseconds the processor time of the run, of others, idle, stolen; waits."""

RESOURCE_SAMPLES_MAX = 2_000  # of each role; then every second one is dropped
Resources = dict[
    str,
    Annotated[list[Annotated[list[int], Field(min_length=3, max_length=3)]], Field(max_length=RESOURCE_SAMPLES_MAX)],
]
"""
By role (server, store, generator): when, by the history's clock, resident bytes, open files; all processes together.

Of the role ``probe``: when the server was asked, how many nanoseconds it took to answer, 0.
"""

REDRAIN = "redrain"
"""The kind of target that is a Redrain server and has books; every other kind is foreign."""


@dataclass(slots=True)
class RunFacts:
    """
    The facts of a run, as ``run.json`` keeps them; ``seats`` are the viewers' connections.

    ``processes`` and ``reaction_median_ms`` are the audience's, ``workers`` those of the storm's own server; ``notes``
    list deviations from the request, ``server_errors`` the errors in the log of the storm's own server, and
    ``server_log`` says whether it could be checked, ``store_absences`` when the store was away by it: from and to, by
    the history's clock, null if it did not come back; ``machine_waits`` from when to when, and how long, its processes
    waited for a processor or the disk, ``machine_load`` who used the processors (``loadtest/run/machine_load.py``),
    ``resources`` what server, store and generator took, ``hostile`` what came of the misdeeds of hostile clients.
    ``own_service`` says that the run, or the gate around it, started the service under test.
    ``thresholds`` are those of the command line, ``broken_off`` says of each threshold that ended the programme early
    when and why.
    ``alone`` is false if others may have tapped of whom this folder has no history.
    ``target`` is the kind of the service under test, ``declared`` the packets of a foreign one
    (``loadtest/record/declared.py``), with times of ``clock``, if that is not the audience's by necessity.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

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
    happenings: Annotated[list[dict[str, Any]], Field(max_length=HAPPENINGS_MAX)] = field(default_factory=list)
    faults: Annotated[list[dict[str, Any]], Field(max_length=FAULT_RECORDS_MAX)] = field(default_factory=list)
    audience_status: int = 0
    processes: int = 1
    workers: int = 1
    reaction_median_ms: int | None = None
    notes: list[str] = field(default_factory=list)
    server_errors: list[str] = field(default_factory=list)
    server_log: str = "not checkable"
    allow_server_errors: bool = False
    store_absences: Annotated[list[Span], Field(max_length=FAULT_RECORDS_MAX)] = field(default_factory=list)
    machine_waits: Annotated[list[Wait], Field(max_length=WAITS_MAX)] = field(default_factory=list)
    machine_load: Annotated[list[Load], Field(max_length=LOADS_MAX)] = field(default_factory=list)
    own_service: bool = False
    resources: Resources = field(default_factory=dict)
    hostile: dict[str, dict[str, int]] = field(default_factory=dict)
    thresholds: list[str] = field(default_factory=list)
    broken_off: dict[str, str] = field(default_factory=dict)
    alone: bool = True
    clock: str = ""
    target: str = REDRAIN
    declared: list[dict[str, Any]] = field(default_factory=list)

    @property
    def foreign(self) -> bool:
        """Tell whether the target was a foreign service, whose books are optional."""
        return self.target != REDRAIN


@dataclass(frozen=True, slots=True)
class FileOfRun:
    """An attribute of a run's folder: the path of the file of this name."""

    name: str

    def __get__(self, folder: "RunFolder", _: type) -> Path:
        return folder.path / self.name


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of one run by name."""

    path: Path
    allowance: Allowance = field(default_factory=Allowance, compare=False, repr=False)

    _facts = FileOfRun("run.json")
    books = FileOfRun("books.jsonl")
    claims = FileOfRun("claims.jsonl")  # by a foreign service's own books; absent if it gave none
    sales = FileOfRun("orders.jsonl")  # the answers to buyers; absent in a run without a shop
    result = FileOfRun("result.json")
    report = FileOfRun("report.html")
    scenario = FileOfRun("scenario.toml")  # as it was run
    ended = FileOfRun("ended")  # of a run that has no result and never will: why it ended
    home = FileOfRun("home")  # of the run's own server and its store
    server_log = FileOfRun("server.log")

    def snapshot(self, number: int) -> Path:
        """Return the path of snapshot *number* of the books taken during the run."""
        return self.path / f"snapshot-{number:03}.jsonl"

    def snapshots(self) -> list[Path]:
        """Return the paths of the snapshots taken during the run, in order."""
        return sorted(self.path.glob("snapshot-*.jsonl"))

    def write_facts(self, facts: RunFacts) -> None:
        """Write ``run.json``."""
        recorded = {"format_version": FORMAT_VERSION, **asdict(facts)}
        replace_file(self._facts, orjson.dumps(recorded, option=orjson.OPT_INDENT_2))

    def facts(self) -> RunFacts:
        """Read ``run.json``. Raises BadRecord if the folder holds no run, or one of a newer format."""
        try:
            recorded = orjson.loads(read_given(self._facts))
            if not isinstance(recorded, dict):
                raise TypeError("it is not a JSON object")
            version = recorded.pop("format_version", 1)
            if not isinstance(version, int) or version > FORMAT_VERSION:
                raise BadRecord(
                    f"{self._facts}: is of format {version!r}, and this version of Redrain reads up to "
                    f"{FORMAT_VERSION}: use the version that recorded the run"
                )
            return _FACTS.validate_json(orjson.dumps(recorded))
        except ValidationError as invalid:
            first = invalid.errors()[0]
            wrong = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise BadRecord(f"{self._facts}: is not the record of a run: {wrong}") from None
        except NotTaken as error:
            raise BadRecord(str(error)) from None
        except (OSError, orjson.JSONDecodeError, TypeError) as error:
            raise BadRecord(f"{self._facts}: is not the record of a run: {error}") from None

    def read_books(self) -> Books:
        """Return the final books. Raises BadRecord, also if there are none: a run against a foreign target has none."""
        if self._facts.exists():
            self.facts()  # a newer format is refused before its lines are misread
        if not self.books.exists():
            raise BadRecord(f"{self.books}: is missing; only a run against a redrain server has it")
        return read_books(self.books, self.allowance)

    def books_or_none(self) -> Books:
        """Return the final books, or empty books for a foreign run, which has none of ours."""
        facts = self.facts()
        return Books(ClockRecord(0, 0, facts.speed), final=True) if facts.foreign else self.read_books()

    def read_snapshots(self) -> Iterator[Books]:
        """Yield the snapshots taken during the run, in order, one at a time. Raises BadRecord."""
        return read_snapshots(self.snapshots(), self.allowance)

    def histories_missing(self, facts: RunFacts) -> int:
        """Return of how many processes of the audience the history is not in the folder."""
        return max(0, facts.processes - len([*self.path.glob("history-*.jsonl*")]))

    def read_history(self, *, foreign: bool = False) -> History:
        """Read the audience's history, of a *foreign* service or of ours, in one timeline. Raises BadRecord."""
        paths = sorted(self.path.glob("history-*.jsonl*"))
        history = read_history(paths, foreign=foreign, allowance=self.allowance)
        bring_together(history, len(paths))
        return history

    def read_claims(self) -> list[ForeignClaim] | None:
        """Read the claims of a foreign service's books, or return None if it gave none. Raises BadRecord."""
        return read_foreign_books(self.claims, self.allowance) if self.claims.exists() else None

    def read_sales(self) -> Sales:
        """Read the answers to buyers. Raises BadRecord."""
        return read_sales(self.sales, self.allowance)

    def scenario_text(self) -> str:
        """Return the scenario as it was run. Raises BadRecord."""
        try:
            return read_given(self.scenario).decode()
        except NotTaken as error:
            raise BadRecord(str(error)) from None
        except (OSError, UnicodeDecodeError) as error:
            raise BadRecord(f"{self.scenario}: cannot be read: {error}") from None

    def compress(self) -> None:
        """Replace the plain history files by compressed ones."""
        for path in self.path.glob("history-*.jsonl"):
            with path.open("rb") as plain, gzip.open(f"{path}.gz", "xb", compresslevel=3) as packed:
                shutil.copyfileobj(plain, packed)
            path.unlink()


_FACTS = TypeAdapter(RunFacts)
