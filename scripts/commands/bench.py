"""Runs a benchmark by name and shows its figures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loadtest.engines.child_process import ProcessFailed
from loadtest.targets.requester import SetUpFailed
from loadtest.verdict.weigh import Exit
from scripts.bench import allocators, audit, grab, quotes, slow_readers, watched_storm, witness, workers
from scripts.bench.allocators import AllocatorBench
from scripts.bench.audit import AuditBench
from scripts.bench.process import BenchFailed
from scripts.bench.quotes import QuoteBench
from scripts.bench.rounds import Benchmark
from scripts.bench.slow_readers import SlowReaders
from scripts.output import console, failed, write_json
from server.store.embedded.folder import StoreNotStarted

BENCHMARKS: dict[str, Callable[[], Benchmark | SlowReaders | AllocatorBench | QuoteBench | AuditBench]] = {
    "grab": grab.benchmark,
    "workers": workers.benchmark,
    "slow-readers": slow_readers.benchmark,
    "allocators": allocators.benchmark,
    "quotes": quotes.benchmark,
    "audit": audit.benchmark,
    "watch": watched_storm.benchmark,
    "witness": witness.benchmark,
}


def run_bench(
    what: str, rounds: int, json: str | None, *, no_targets: bool = False, operations: Sequence[int] = ()
) -> int:
    """
    Run benchmark *what* and return the exit code: 12 if a target is missed, unless *no_targets* asks for figures.

    *operations* are the sizes of the audit's runs.
    """
    if what not in BENCHMARKS:
        return failed(f"what: must be one of {', '.join(BENCHMARKS)}", Exit.USAGE)
    if operations and what != "audit":
        return failed("operations: are those of the runs of bench audit", Exit.USAGE)
    try:
        figures = (AuditBench(operations) if operations else BENCHMARKS[what]()).run(rounds, console(json))
    except (BenchFailed, ProcessFailed, SetUpFailed, StoreNotStarted) as error:
        return failed(error, Exit.ENVIRONMENT)
    write_json(json, figures)
    return Exit.PASS if no_targets else exit_of(figures)


def exit_of(figures: Mapping[str, Any]) -> Exit:
    """Return the exit code for the figures of a benchmark: 12 if a target is missed."""
    return Exit.PASS if all(target["met"] for target in figures["targets"]) else Exit.THRESHOLD
