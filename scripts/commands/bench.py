"""Runs a benchmark by name and shows its figures. A missed target is shown, but is no failure."""

from collections.abc import Callable

from loadtest.verdict.weigh import Exit
from scripts.bench import allocators, grab, quotes, slow_readers, workers
from scripts.bench.allocators import AllocatorBench
from scripts.bench.quotes import QuoteBench
from scripts.bench.rounds import Benchmark
from scripts.bench.slow_readers import SlowReaders
from scripts.output import console, failed, write_json

BENCHMARKS: dict[str, Callable[[], Benchmark | SlowReaders | AllocatorBench | QuoteBench]] = {
    "grab": grab.benchmark,
    "workers": workers.benchmark,
    "slow-readers": slow_readers.benchmark,
    "allocators": allocators.benchmark,
    "quotes": quotes.benchmark,
}


def run_bench(what: str, rounds: int, json: str | None) -> int:
    """Run benchmark *what* and return the exit code."""
    if what not in BENCHMARKS:
        return failed(f"what: must be one of {', '.join(BENCHMARKS)}", Exit.USAGE)
    write_json(json, BENCHMARKS[what]().run(rounds, console(json)))
    return Exit.PASS
