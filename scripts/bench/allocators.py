"""``redrain bench allocators``: the correctness of each by the audit of a small storm, and its cost per grab."""

import statistics
import tempfile
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtest.engines.crowd import SilentView
from loadtest.record.run_folder import RunFolder
from loadtest.run.judge_run import judge_run
from loadtest.run.provision import provision
from loadtest.run.storm import StormPlan, carry_out, facts_of
from loadtest.scenarios.scenario import load_scenario
from scripts.bench.grab import WARM_UP_VOLLEYS, cost_of
from scripts.bench.subjects import redrain
from server.store.allocators.registry import BUILT_IN, AllocatorEntry

SCENARIO = Path(__file__).with_name("allocators.toml")
CONNECTIONS = 200  # a volley of so many grabs, each with a share to win; watch-multi tries again for most of them
VOLLEYS = 6


@dataclass(slots=True)
class AllocatorFigures:
    """
    The figures of one allocator, one per round.

    ``violated`` has the invariants that its storms broke, ``p99_ms`` is from the planned tap to the receipt in them.
    """

    name: str
    correct_by_construction: bool | None
    violated: list[list[str]] = field(default_factory=list)
    cpu_us_per_unit: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)


class AllocatorBench:
    """Rounds of a storm and of volleys for each allocator, each with a fresh server and store."""

    def __init__(self, entries: list[AllocatorEntry]) -> None:
        self._entries = entries

    def run(self, rounds: int, say: Console) -> dict[str, Any]:
        """Measure, show a table, and return what ``--json`` gives."""
        found = {entry.name: AllocatorFigures(entry.name, entry.correct) for entry in self._entries}
        with say.status("") as status:
            for number in range(1, rounds + 1):
                for entry in self._entries:
                    status.update(f"bench allocators: round {number} of {rounds}, {entry.name}")
                    _measure(entry, found[entry.name])
        _show(say, list(found.values()))
        subjects = [asdict(figures) for figures in found.values()]
        return {"benchmark": "allocators", "rounds": rounds, "subjects": subjects, "targets": []}


def benchmark() -> AllocatorBench:
    """Return the benchmark of the built-in allocators."""
    return AllocatorBench(list(BUILT_IN.values()))


def _measure(entry: AllocatorEntry, figures: AllocatorFigures) -> None:
    result = _storm(entry)
    figures.violated.append(sorted({violation["invariant"] for violation in result["violations"]}))
    figures.p99_ms.append(round(result["grab_latency_ms"]["p99"], 1))
    with redrain(VOLLEYS + WARM_UP_VOLLEYS, CONNECTIONS, allocator=entry) as subject:
        figures.cpu_us_per_unit.append(round(cost_of(subject, CONNECTIONS), 2))


def _storm(entry: AllocatorEntry) -> dict[str, Any]:
    """Run the small storm and return its result."""
    with tempfile.TemporaryDirectory(prefix="redrain-") as place:
        folder = RunFolder(Path(place))
        folder.scenario.write_text(SCENARIO.read_text("utf-8"), "utf-8")
        provided = provision(load_scenario(str(SCENARIO)), engine="swarm", processes=1, target=None)
        plan = StormPlan(provided.scenario, folder, allocator=entry, durability="relaxed", engine="swarm")
        facts = facts_of(plan, datetime.now(UTC), name=str(SCENARIO), provisioned=provided)
        carry_out(plan, facts, SilentView())
        return judge_run(folder)


def _show(say: Console, found: list[AllocatorFigures]) -> None:
    table = Table(title="bench allocators", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("allocator", "by construction", "by the audit", "CPU us per grab", "p99 ms in the storm"):
        table.add_column(column, justify="right" if column.startswith(("CPU", "p99")) else "left")
    for figures in found:
        broken = sorted({invariant for violated in figures.violated for invariant in violated})
        times = f"{sum(map(bool, figures.violated))} of {len(figures.violated)}"
        audit = f"[red]violates {' '.join(broken)}[/] ({times})" if broken else "[green]correct[/]"
        table.add_row(
            figures.name,
            "correct" if figures.correct_by_construction else "not correct",
            audit,
            f"{statistics.median(figures.cpu_us_per_unit):.1f}",
            f"{statistics.median(figures.p99_ms):.1f}",
        )
    say.print(table)
