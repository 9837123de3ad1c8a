"""Resources: the most that was taken, and the slope after the warm-up."""

import pytest

from loadtest.verdict.metrics import METRICS
from loadtest.verdict.resources import WARM_UP, resource_measures, steady

S, MIB = 1_000_000_000, 1 << 20


def test_growth_is_the_slope_after_the_warm_up() -> None:
    """A process that fills its caches at first and then takes 1 MiB a minute grows by 60 MiB an hour."""
    warm = [[at * S, (50 + at * 3 // 10) * MIB, 10 + at] for at in range(100)]
    rest = [[at * S, 80 * MIB + at * MIB // 60, 110] for at in range(100, 341)]
    told = resource_measures({"server": warm + rest})
    assert told["server_memory_mib"] == pytest.approx(85.7, abs=0.1)
    assert told["server_memory_growth_mib_per_hour"] == pytest.approx(60, rel=0.01)
    assert (told["server_descriptors"], told["server_descriptors_growth_per_hour"]) == (110, 0)


def test_a_leak_shows_though_memory_comes_in_steps() -> None:
    """Files that are opened and never closed are a slope too."""
    samples = [[at * S, 80 * MIB, 10 + at // 10] for at in range(400)]
    assert resource_measures({"store": samples})["store_descriptors_growth_per_hour"] == pytest.approx(360, rel=0.05)


def test_a_short_run_tells_no_growth_and_an_unknown_process_nothing() -> None:
    """A threshold about it is then unknown, never met."""
    told = resource_measures({"generator": [[at * S, MIB, 5] for at in range(150)]})
    assert (told["generator_memory_mib"], told["generator_memory_growth_mib_per_hour"]) == (1, None)
    assert told["server_memory_mib"] is told["server_probe_ms"] is None
    assert set(told) <= set(METRICS)
    assert not any(value is not None for value in resource_measures({}).values())


def test_probes_are_told_by_their_slowest_hundredth() -> None:
    """Of a hundred answers one may be slower."""
    told = resource_measures({"probe": [[at * S, (at + 1) * 1_000_000, 0] for at in range(100)]})
    assert told["server_probe_ms"] == 99


def test_the_warm_up_is_a_part_of_the_run() -> None:
    assert steady([]) == []
    assert min(each[0] for each in steady([[at, 0, 0] for at in range(91)])) == WARM_UP * 90
