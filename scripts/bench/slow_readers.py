"""``redrain bench slow-readers``: the cost of 10% slow consumers in the others' latency, and in memory."""

import statistics
import time
from dataclasses import dataclass
from typing import Any

import orjson
import psutil
from rich.console import Console
from rich.table import Table

from scripts.bench.cpu import cpu_us
from scripts.bench.process import bench_process
from scripts.bench.subjects import Subject, redrain
from server.gateway.limits import LOAD

READERS, DEAF = 1_800, 200
VOLLEYS = 40
LETTING_FILL_S = 20.0  # talk before the volleys, until the slow consumers' buffers are full
RATIO = 1.2  # the others' p99, at most


@dataclass(frozen=True, slots=True)
class Figures:
    """One run: the readers' receipt latencies in ms, CPU us per grab, memory growth in KiB per slow consumer."""

    p50_ms: float
    p99_ms: float
    cpu_us_per_grab: float
    memory_kib: float


class SlowReaders:
    """Rounds of two runs each: without slow consumers, and with 10%."""

    def run(self, rounds: int, say: Console) -> dict[str, Any]:
        """Measure, show a table, and return the ``--json`` object."""
        found: dict[str, list[Figures]] = {"everybody reads": [], "a tenth stops reading": []}
        with say.status("") as status:
            for number in range(1, rounds + 1):
                for name, deaf in zip(found, (0, DEAF), strict=True):
                    status.update(f"bench slow-readers: round {number} of {rounds}, {name}")
                    found[name].append(measure(READERS, deaf))
        table = Table(title=f"bench slow-readers: {READERS} readers, {DEAF} slow consumers", box=None)
        for column in ("subject", "p50 ms", "p99 ms", "CPU us a grab", "memory MiB"):
            table.add_column(column, justify="left" if column == "subject" else "right")
        for name, figures in found.items():
            medians = [statistics.median(getattr(each, field) for each in figures) for field in Figures.__slots__]
            medians[-1] /= 1024
            table.add_row(name, *(f"{value:.2f}" for value in medians))
        say.print(table)
        ratios = [slow.p99_ms / none.p99_ms for none, slow in zip(*found.values(), strict=True)]
        more_kib = statistics.median(
            (slow.memory_kib - none.memory_kib) / DEAF for none, slow in zip(*found.values(), strict=True)
        )
        bound_kib = LOAD.outbox_bytes_max / 1024
        targets = [
            _target("the others' p99", statistics.median(ratios), RATIO),
            _target("memory per viewer who stops, KiB", more_kib, bound_kib),
        ]
        for target in targets:
            colour, word = ("green", "met") if target["met"] else ("yellow", "missed")
            say.print(f"  {target['name']}: {target['value']} (target {target['limit']}) [{colour}]{word}[/]")
        subjects = [
            {"name": name, **{field: [getattr(each, field) for each in figures] for field in Figures.__slots__}}
            for name, figures in found.items()
        ]
        return {"benchmark": "slow-readers", "rounds": rounds, "subjects": subjects, "targets": targets}


def benchmark() -> SlowReaders:
    """Return the benchmark of slow consumers."""
    return SlowReaders()


def measure(readers: int, deaf: int) -> Figures:
    """Measure one fresh server with *readers* viewers who read and *deaf* slow consumers."""
    with redrain(VOLLEYS, readers) as subject:
        before = _memory_kib(subject)
        asked = (subject.url, str(readers), str(deaf), ",".join(subject.packet_ids))
        with bench_process("scripts.bench.slow_crowd", *asked) as crowd:
            crowd.line("ready")
            time.sleep(LETTING_FILL_S)
            used_us = cpu_us(subject.pids)
            crowd.go()
            told = orjson.loads(crowd.line())
            used_us = cpu_us(subject.pids) - used_us
            grown_kib = _memory_kib(subject) - before
    return Figures(told["p50_ms"], told["p99_ms"], used_us / (readers * VOLLEYS), grown_kib)


def _memory_kib(subject: Subject) -> float:
    """Return the resident memory of the server, without its store's (the last of its processes)."""
    return sum(float(psutil.Process(pid).memory_info().rss) for pid in subject.pids[:-1]) / 1024


def _target(name: str, value: float, limit: float) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "limit": limit, "met": value <= limit}
