"""Rounds: each round measures every subject in fresh processes; figures are ratios within one round."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

Measurement = Callable[[], float]


@dataclass(slots=True)
class Measured:
    """One subject's CPU microseconds per unit of work, one figure a round."""

    name: str
    cpu_us_per_unit: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Target:
    """A target ratio: the median over the rounds of ``ours / theirs`` must be at most ``limit``."""

    ours: str
    theirs: str
    limit: float


@dataclass(slots=True)
class Benchmark:
    """A benchmark: its subjects, its unit, and its targets."""

    name: str
    unit: str
    subjects: dict[str, Measurement]
    targets: list[Target]

    def run(self, rounds: int, say: Console) -> dict[str, Any]:
        """Measure, show a table, and return the ``--json`` object."""
        measured = {name: Measured(name) for name in self.subjects}
        with say.status("") as status:
            for number in range(1, rounds + 1):
                for name, measurement in self.subjects.items():
                    status.update(f"bench {self.name}: round {number} of {rounds}, {name}")
                    measured[name].cpu_us_per_unit.append(measurement())
        targets = [_met(target, measured) for target in self.targets if target.theirs in measured]
        _show(say, self, measured.values(), targets)
        return {
            "benchmark": self.name,
            "rounds": rounds,
            "subjects": [asdict(each) for each in measured.values()],
            "targets": targets,
        }


def _met(target: Target, measured: dict[str, Measured]) -> dict[str, Any]:
    ours, theirs = measured[target.ours].cpu_us_per_unit, measured[target.theirs].cpu_us_per_unit
    value = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
    name = f"{target.ours} / {target.theirs}"
    return {"name": name, "value": round(value, 3), "limit": target.limit, "met": value <= target.limit}


def _show(say: Console, benchmark: Benchmark, measured: Iterable[Measured], targets: list[dict[str, Any]]) -> None:
    table = Table(title=f"bench {benchmark.name}: CPU us per {benchmark.unit}", title_justify="left", box=None)
    for column in ("subject", "median", "from", "to"):
        table.add_column(column, justify="left" if column == "subject" else "right")
    for each in measured:
        figures = each.cpu_us_per_unit
        table.add_row(
            each.name, *(f"{value:.2f}" for value in (statistics.median(figures), min(figures), max(figures)))
        )
    say.print(table)
    for target in targets:
        colour, word = ("green", "met") if target["met"] else ("yellow", "missed")
        say.print(f"  {target['name']}: {target['value']:.2f} (target {target['limit']}) [{colour}]{word}[/]")
