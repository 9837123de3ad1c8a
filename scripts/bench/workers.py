"""``redrain bench workers``: CPU per grab of two workers on one port, with the store, against one process."""

from functools import partial

from scripts.bench.grab import WARM_UP_VOLLEYS, cost_of
from scripts.bench.rounds import Benchmark, Measurement, Target
from scripts.bench.subjects import redrain

CONNECTIONS = 2_000  # enough to keep both workers busy; with a few, the loop's fixed cost would dominate
VOLLEYS = 20
LIMIT = 1.1


def benchmark() -> Benchmark:
    """Return the benchmark of the workers."""
    subjects: dict[str, Measurement] = {"one process": partial(_measure, 1), "two workers": partial(_measure, 2)}
    return Benchmark("workers", "grab, server and store", subjects, [Target("two workers", "one process", LIMIT)])


def _measure(workers: int) -> float:
    with redrain(VOLLEYS + WARM_UP_VOLLEYS, CONNECTIONS, workers=workers) as subject:
        return cost_of(subject, CONNECTIONS)
