"""Locust's figures: our tallies added to its statistics, with buckets fine enough for a fast server."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from client_sim.recorder import Failure, SeriesName
from client_sim.tally import Tally, bucket_ms


def refine_buckets(stats_module: Any) -> None:
    """
    Let Locust keep tenths of a millisecond below 10 ms, in master and workers alike.

    *stats_module* is ``locust.stats``; it is passed in because importing it patches the whole process.
    """
    stats_module.bucket_response_time = bucket_ms


def pour(series: Mapping[SeriesName, Tally], failures: Counter[Failure], stats: Any) -> None:
    """
    Add the counts since the last call to *stats* (a ``locust.stats.RequestStats``).

    The result is the same as a request event for each, at a cost per bucket instead of per message.
    """
    for (method, name), tally in series.items():
        # The first goes the usual way, which also stamps the time and keeps Locust's sliding windows.
        first_ms = next(iter(tally.buckets), None)
        stats.log_request(method, name, first_ms, 0)
        for entry in (stats.entries[name, method], stats.total):
            _add(entry, tally, first_ms)
    for (method, name, reason), count in failures.items():
        for _ in range(count):
            stats.log_error(method, name, reason)


def figures_line(series: Mapping[SeriesName, Tally], failures: Counter[Failure], *, all_connected: bool) -> bytes:
    """Return counts as a line for another process, which pours them, and whether every viewer is connected."""
    tallies = [[*key, {**asdict(tally), "buckets": [*tally.buckets.items()]}] for key, tally in series.items()]
    return orjson.dumps([tallies, [*failures.items()], all_connected]) + b"\n"


def figures_of(line: bytes) -> tuple[dict[SeriesName, Tally], Counter[Failure], bool]:
    """Return what stands in such a line."""
    tallies, failed, all_connected = orjson.loads(line)
    series: dict[SeriesName, Tally] = {
        (method, name): Tally(**{**tally, "buckets": dict(tally["buckets"])}) for method, name, tally in tallies
    }
    failures: Counter[Failure] = Counter({(method, name, why): count for (method, name, why), count in failed})
    return series, failures, all_connected


def _add(entry: Any, tally: Tally, first_ms: float | None) -> None:
    """Add all of *tally* to a ``StatsEntry`` that has counted one of its requests already, of *first_ms* if timed."""
    requests = tally.count + tally.untimed - 1
    entry.num_requests += requests
    entry.num_reqs_per_sec[int(entry.last_request_timestamp)] += requests
    entry.total_content_length += tally.total_bytes
    entry.num_none_requests += tally.untimed - (first_ms is None)
    if first_ms is None:
        return
    entry.total_response_time += tally.total_ms - first_ms
    entry.min_response_time = min(entry.min_response_time, tally.min_ms)
    entry.max_response_time = max(entry.max_response_time, tally.max_ms)
    for bucket, count in tally.buckets.items():
        entry.response_times[bucket] += count
    entry.response_times[first_ms] -= 1
