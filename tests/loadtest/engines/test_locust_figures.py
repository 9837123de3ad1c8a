"""Locust's figures, against the real Locust, which patches whatever process imports it: so in one of its own."""

import subprocess
import sys
from typing import Any

import orjson

TRIAL = """
from collections import Counter
from random import Random
import json
from locust import stats as locust_stats
from client_sim.tally import Tally
from loadtest.engines.locust_figures import pour, refine_buckets

if refine:
    refine_buckets(locust_stats)
poured, fired = locust_stats.RequestStats(), locust_stats.RequestStats()
rng = Random(1)
for _ in range(3):
    tally = Tally()
    for _ in range(200):
        latency_ms = rng.uniform(0.2, 30)
        tally.add(latency_ms, 100)
        fired.log_request("WS", "grab", latency_ms, 100)
    pour({("WS", "grab"): tally}, Counter({("WS", "grab", "no receipt in time"): 2}), poured)
    for _ in range(2):
        fired.log_error("WS", "grab", "no receipt in time")

for _ in range(2):
    lost = Tally()
    lost.untimed = 3
    pour({("WS", "connect"): lost}, Counter({("WS", "connect", "lost: 1006"): 3}), poured)
    for _ in range(3):
        fired.log_request("WS", "connect", None, 0)
        fired.log_error("WS", "connect", "lost: 1006")

def seen(stats):
    out = []
    for entry in (stats.get("grab", "WS"), stats.get("connect", "WS"), stats.total):
        out.append({
            "untimed": entry.num_none_requests,
            "requests": entry.num_requests, "failures": entry.num_failures, "bytes": entry.total_content_length,
            "min": entry.min_response_time, "max": entry.max_response_time, "sum": round(entry.total_response_time, 3),
            "per_second": sum(entry.num_reqs_per_sec.values()),
            "buckets": sorted((key, count) for key, count in entry.response_times.items() if count),
            "p50": entry.get_response_time_percentile(0.5),
        })
    return out

print(json.dumps({
    "poured": seen(poured), "fired": seen(fired), "errors": [error.occurrences for error in poured.errors.values()],
}))
"""


def trial(*, refine: bool) -> Any:
    code = f"refine = {refine}\n{TRIAL}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return orjson.loads(done.stdout)


def test_pouring_is_like_firing_an_event_for_each() -> None:
    """Counts, extremes, buckets and failures are the same as if Locust had heard of every message."""
    figures = trial(refine=True)
    assert figures["poured"] == figures["fired"]
    assert figures["errors"] == [6, 6]


def test_every_failure_is_that_of_a_request() -> None:
    """A lost connection, of which nobody knows how long it took, is a request that failed, and no time of 0."""
    _, lost, _ = trial(refine=True)["poured"]
    assert (lost["requests"], lost["failures"], lost["untimed"], lost["buckets"]) == (6, 6, 6, [])


def test_percentiles_show_tenths_of_a_millisecond() -> None:
    """Locust's own buckets are whole milliseconds; ours are finer where a fast server lives."""
    fine = {bucket for bucket, _ in trial(refine=True)["fired"][0]["buckets"]}
    coarse = {bucket for bucket, _ in trial(refine=False)["fired"][0]["buckets"]}
    assert any(bucket != int(bucket) for bucket in fine)
    assert all(bucket == int(bucket) for bucket in coarse)
