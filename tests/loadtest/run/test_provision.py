"""A crowd is provided for before anything starts, or refused with the number that would do."""

import resource

import pytest

from loadtest.engines.child_process import ProcessFailed
from loadtest.run.provision import provision, wrong_engine
from loadtest.scenarios.scenario import load_scenario
from loadtest.verdict.weigh import Exit


def test_options_that_do_not_fit_an_engine_are_named() -> None:
    """Each message begins with the option that is wrong."""
    assert wrong_engine("k6", None).startswith("engine: ")
    assert wrong_engine("locust", 2).startswith("processes: ")
    assert wrong_engine("swarm", 0).startswith("processes: ")
    assert wrong_engine("swarm", 2) == ""


def test_a_crowd_that_fits_is_left_as_it_is() -> None:
    """A small scenario needs no change and gives no note."""
    provisioned = provision(load_scenario("smoke"), engine="swarm", processes=1, target=None)
    assert (provisioned.scenario, provisioned.notes) == (load_scenario("smoke"), [])
    assert provisioned.seats >= provisioned.scenario.audience.viewers


def test_too_few_file_descriptors_end_the_run_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how many connections there are and which limit is in the way."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    with pytest.raises(ProcessFailed, match=r"connections need \d+ file descriptors") as failed:
        provision(load_scenario("smoke"), engine="swarm", processes=1, target=None)
    assert failed.value.exit_code is Exit.ENVIRONMENT
