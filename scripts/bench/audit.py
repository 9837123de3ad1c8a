"""``redrain bench audit``: the audit of runs of more and more packets, by operations per CPU second and by memory."""

import shutil
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

import loadtest.record
import loadtest.verdict
from scripts.bench.process import BenchFailed, bench_process
from scripts.bench.recorded_crowd import ALL_WIN, MIXED, SEATS, TapMix, write_run

OPERATIONS = (1_250_000, 2_500_000, 5_000_000)
CROWDS = {"mixed": MIXED, "all win": ALL_WIN}
PER_CPU_SECOND = 200_000
TIMES_PER_DOUBLING, MEMORY_PER_DOUBLING = 2.2, 1.1

Key = tuple[str, int]
"""A crowd, and the operations of its run."""


@dataclass(frozen=True, slots=True)
class Audited:
    """One measurement: CPU seconds of reading the files and of judging them, and the peak of the process's memory."""

    reading_s: float
    judging_s: float
    peak_mib: float

    @property
    def cpu_s(self) -> float:
        """Return the CPU seconds of both."""
        return self.reading_s + self.judging_s


class AuditBench:
    """
    Rounds of one process for each crowd and size: it reads a run from disk and judges every invariant.

    What was measured is kept in *kept*, and not measured again until the code of the audit changes.
    """

    def __init__(self, operations: Sequence[int] = OPERATIONS, kept: Path = Path(".redrain/bench/audit")) -> None:
        self._operations = sorted({max(1, each // SEATS) * SEATS for each in operations})
        self._kept = kept

    def run(self, rounds: int, say: Console) -> dict[str, Any]:
        """Measure what is not known yet, show a table, and return what ``--json`` gives."""
        code, found = _code(), defaultdict[Key, list[Audited]](list)
        for line in self._lines():
            if line["code"] == code:
                found[line["crowd"], line["operations"]].append(Audited(*(line[name] for name in Audited.__slots__)))
        for operations in self._operations:
            for name, crowd in CROWDS.items():
                figures = found[name, operations]
                with say.status(f"bench audit: {name}, {operations:,} operations"):
                    for audited in _measured(self._kept / "run", crowd, operations, rounds - len(figures)):
                        figures.append(audited)
                        self._keep({"code": code, "crowd": name, "operations": operations}, audited)
        medians = {key: _median(found[key]) for key in ((name, size) for name in CROWDS for size in self._operations)}
        targets = list(_targets(medians))
        _show(say, medians, targets)
        subjects = [
            {"name": f"{crowd} {size}", **{name: getattr(each, name) for name in Audited.__slots__}}
            for (crowd, size), each in medians.items()
        ]
        return {"benchmark": "audit", "rounds": rounds, "subjects": subjects, "targets": targets}

    def _lines(self) -> Iterator[dict[str, Any]]:
        file = self._kept / "measured.jsonl"
        yield from map(orjson.loads, file.read_bytes().splitlines() if file.exists() else ())

    def _keep(self, key: dict[str, Any], audited: Audited) -> None:
        self._kept.mkdir(parents=True, exist_ok=True)
        with (self._kept / "measured.jsonl").open("ab") as file:
            figures = {name: getattr(audited, name) for name in Audited.__slots__}
            file.write(orjson.dumps({**key, **figures}, option=orjson.OPT_APPEND_NEWLINE))


def _code() -> str:
    """Return a hash of the code that is measured."""
    folders = (path for package in (loadtest.record, loadtest.verdict) for path in package.__path__)
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def _measured(path: Path, crowd: TapMix, operations: int, times: int) -> Iterator[Audited]:
    """Write a run, and have so many processes judge it, one after another. Raises BenchFailed."""
    if times <= 0:
        return
    shutil.rmtree(path, ignore_errors=True)
    try:
        write_run(path, crowd, operations // SEATS)
        for _ in range(times):
            with bench_process("scripts.bench.audit_process", str(path)) as process:
                told = orjson.loads(process.line())
            if told["violations"] or told["operations"] != operations:
                raise BenchFailed(f"{path}: {told}")
            yield Audited(*(told[name] for name in Audited.__slots__))
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _median(figures: Sequence[Audited]) -> Audited:
    return Audited(*(statistics.median(getattr(each, name) for each in figures) for name in Audited.__slots__))


def _targets(medians: dict[Key, Audited]) -> Iterator[dict[str, Any]]:
    for (crowd, size), audited in medians.items():
        rate = size / audited.judging_s
        yield {
            "name": f"{crowd}, {size:,}: operations per CPU second of judging",
            "value": round(rate),
            "limit": PER_CPU_SECOND,
            "met": rate >= PER_CPU_SECOND,
        }
    for crowd in CROWDS:
        sizes = [size for name, size in medians if name == crowd]
        for less, more in pairwise(sizes):
            small, large = medians[crowd, less], medians[crowd, more]
            doublings = more / less / 2  # of sizes that are no doubling, the bound is in proportion
            name = f"{crowd}, {less:,} to {more:,}"
            yield _ratio(f"{name}: CPU", large.cpu_s / small.cpu_s / doublings, TIMES_PER_DOUBLING)
            yield _ratio(f"{name}: memory", large.peak_mib / small.peak_mib, MEMORY_PER_DOUBLING)


def _ratio(name: str, value: float, limit: float) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "limit": limit, "met": value <= limit}


def _show(say: Console, medians: dict[Key, Audited], targets: Sequence[dict[str, Any]]) -> None:
    table = Table(title="bench audit: medians", title_justify="left", box=None)
    for column in ("crowd", "operations", "reading s", "judging s", "judged per CPU s", "all per CPU s", "peak MiB"):
        table.add_column(column, justify="left" if column == "crowd" else "right")
    for (crowd, size), each in medians.items():
        rates = (f"{size / seconds:,.0f}" for seconds in (each.judging_s, each.cpu_s))
        times = (f"{each.reading_s:.1f}", f"{each.judging_s:.1f}")
        table.add_row(crowd, f"{size:,}", *times, *rates, f"{each.peak_mib:.0f}")
    say.print(table)
    for target in targets:
        colour, word = ("green", "met") if target["met"] else ("yellow", "missed")
        say.print(f"  {target['name']}: {target['value']:,} (target {target['limit']:,}) [{colour}]{word}[/]")


def benchmark() -> AuditBench:
    """Return the benchmark."""
    return AuditBench()
