"""Resources: how much memory and how many files server, store and generator took, and how these grew."""

import statistics
from collections.abc import Sequence

from loadtest.record.run_folder import Resources
from loadtest.verdict.metrics import METRICS, MeasureValues

ROLES = ("server", "store", "generator")
WARM_UP = 1 / 3  # part of a run that is left out of growth: caches fill, and memory is asked for in steps
STEADY_S_MIN = 120.0  # in a shorter rest a few files look like hundreds an hour, so no growth is told
_NS_PER_S, _NS_PER_MS, _BYTES_PER_MIB = 1_000_000_000, 1_000_000, 1 << 20
_SECONDS_PER_HOUR = 3_600


def resource_measures(resources: Resources) -> MeasureValues:
    """Return the metrics of resources; None of processes that the run does not know, and of growth in a short run."""
    values: MeasureValues = {}
    for role in ROLES:
        samples = resources.get(role, [])
        for name, column, unit in (("memory", 1, _BYTES_PER_MIB), ("descriptors", 2, 1)):
            mib = "_mib" if name == "memory" else ""
            values[f"{role}_{name}{mib}"] = _most(samples, column, unit)
            values[f"{role}_{name}_growth{mib}_per_hour"] = _growth(samples, column, unit)
    probes = sorted(sample[1] for sample in resources.get("probe", []))
    values["server_probe_ms"] = round(probes[-(-len(probes) * 99 // 100) - 1] / _NS_PER_MS, 3) if probes else None
    return {name: values[name] for name in METRICS if name in values}


def steady(samples: Sequence[Sequence[int]]) -> Sequence[Sequence[int]]:
    """Return the samples after the warm-up."""
    if not samples:
        return []
    first, last = samples[0][0], samples[-1][0]
    return [sample for sample in samples if sample[0] >= first + (last - first) * WARM_UP]


def _most(samples: Sequence[Sequence[int]], column: int, unit: int) -> float | None:
    if not samples:
        return None
    most = max(sample[column] for sample in samples)
    return most if unit == 1 else round(most / unit, 2)


def _growth(samples: Sequence[Sequence[int]], column: int, unit: int) -> float | None:
    """Return how much it grows in an hour: the slope of the straight line that is closest to the steady samples."""
    rest = steady(samples)
    if not rest or (rest[-1][0] - rest[0][0]) / _NS_PER_S < STEADY_S_MIN:
        return None
    seconds = [(sample[0] - rest[0][0]) / _NS_PER_S for sample in rest]
    line = statistics.linear_regression(seconds, [sample[column] / unit for sample in rest])
    return round(line.slope * _SECONDS_PER_HOUR, 2)
