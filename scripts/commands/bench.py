"""Runs a benchmark by name and says what came of it. A benchmark never fails: its targets are met or missed."""

import sys
from collections.abc import Callable
from pathlib import Path

import orjson
from rich.console import Console

from loadtest.verdict.weigh import Exit
from scripts.bench import allocators, grab, slow_readers, workers
from scripts.bench.allocators import AllocatorBench
from scripts.bench.rounds import Benchmark
from scripts.bench.slow_readers import SlowReaders

BENCHMARKS: dict[str, Callable[[], Benchmark | SlowReaders | AllocatorBench]] = {
    "grab": grab.benchmark,
    "workers": workers.benchmark,
    "slow-readers": slow_readers.benchmark,
    "allocators": allocators.benchmark,
}


def run_bench(what: str, rounds: int, json: str | None) -> int:
    """Run benchmark *what* and return the exit code."""
    say = Console(stderr=json == "-", highlight=False)
    if what not in BENCHMARKS:
        Console(stderr=True).print(f"[red]redrain:[/] what: must be one of {', '.join(BENCHMARKS)}")
        return Exit.USAGE
    figures = BENCHMARKS[what]().run(rounds, say)
    text = orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if json == "-":
        sys.stdout.buffer.write(text)
    elif json is not None:
        Path(json).write_bytes(text)
    return Exit.PASS
