"""The benchmark ``witness``: CPU per grab with the witness of what was acknowledged, and without."""

from functools import partial

from scripts.bench.grab import CONNECTIONS, VOLLEYS, WARM_UP_VOLLEYS, cost_of
from scripts.bench.rounds import Benchmark, BenchTarget, Measurement
from scripts.bench.subjects import redrain

LIMIT = 1.05


def benchmark() -> Benchmark:
    """Return the benchmark of the witness (docs/durability.md)."""
    subjects: dict[str, Measurement] = {
        "with witness": partial(_measure, witness=True),
        "without": partial(_measure, witness=False),
    }
    return Benchmark("witness", "grab, server and store", subjects, [BenchTarget("with witness", "without", LIMIT)])


def _measure(*, witness: bool) -> float:
    with redrain(VOLLEYS + WARM_UP_VOLLEYS, CONNECTIONS, witness=witness) as subject:
        return cost_of(subject, CONNECTIONS)
