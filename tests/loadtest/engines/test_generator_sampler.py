"""Health: what a process says of itself."""

import os
import time

from loadtest.engines.generator_sampler import GeneratorSampler, open_descriptors
from tests.loadtest.in_memory import history_from


def test_a_sample_is_a_line_of_the_history() -> None:
    """It has every field that the reader wants, in the units that are promised."""
    line = GeneratorSampler().sample(3.25)
    history = history_from([{"kind": "health", **line}, {"kind": "end", "grabs": 0, "conns": 0}])
    assert history.healths[0].lag_ms == 3.25
    assert 0.0 <= line["steal"] <= 1.0


def test_work_shows_as_cores() -> None:
    """A process that computed since the last look used more than one that slept, never negative."""
    health = GeneratorSampler()
    time.sleep(0.1)
    asleep = health.sample(0.0)["cpu"]
    spent = time.process_time() + 0.1
    while time.process_time() < spent:
        pass
    assert 0.0 <= asleep < health.sample(0.0)["cpu"]


def test_open_descriptors_are_counted() -> None:
    """One more file is one more descriptor, where the kernel counts them at all."""
    before = open_descriptors()
    with open(os.devnull, "rb"):
        assert open_descriptors() == (before + 1 if before else 0)
