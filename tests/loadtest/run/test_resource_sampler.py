"""Resource samples: of living processes, all of a role together, and never too many."""

import os

import pytest

from loadtest.record.run_folder import RESOURCE_SAMPLES_MAX
from loadtest.run import resource_sampler
from loadtest.run.resource_sampler import ResourceSampler
from tests.waiting import until

GONE = 2**22 + 1  # above every process id


def test_the_processes_of_a_role_are_added_up() -> None:
    """One that has ended is left out; a role without any has no sample."""
    me = os.getpid()
    sampler = ResourceSampler({"server": lambda: [me, GONE, me], "generator": lambda: [me], "store": lambda: [GONE]})
    sampler.look()
    ((_, two, _),), ((_, one, files),) = sampler.samples["server"], sampler.samples["generator"]
    assert two == pytest.approx(2 * one, rel=0.2)
    assert files > 0
    assert sampler.samples["store"] == []
    assert "probe" not in sampler.samples


def test_a_server_that_is_away_has_no_probe() -> None:
    """The others are timed."""
    answers = iter([None, ConnectionError("away"), None])

    def ask() -> None:
        if (answer := next(answers)) is not None:
            raise answer

    sampler = ResourceSampler({}, ask)
    for _ in range(3):
        sampler.look()
    assert len(sampler.samples["probe"]) == 2
    assert all(took_ns >= 0 for _, took_ns, _ in sampler.samples["probe"])


def test_a_long_run_keeps_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second sample is dropped, and the next ones are taken less often."""
    monkeypatch.setattr(resource_sampler, "EVERY_S", 0.5)
    sampler = ResourceSampler({"generator": lambda: [os.getpid()]})
    sampler.samples["generator"] = [[at, 0, 0] for at in range(RESOURCE_SAMPLES_MAX - 1)]
    sampler.start()
    try:
        until(lambda: len(sampler.samples["generator"]) <= RESOURCE_SAMPLES_MAX // 2 + 1)
    finally:
        sampler.stop()
    assert [each[0] for each in sampler.samples["generator"][:3]] == [0, 2, 4]
