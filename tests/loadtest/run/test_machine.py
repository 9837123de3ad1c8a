"""The machine of a run, as its record describes it; tests/loadtest/run/test_environment.py has what it holds."""

from loadtest.run.machine import SET, machine


def test_variables_are_those_that_took_part() -> None:
    """None unless they are given."""
    assert machine()["variables"] == {}
    assert machine({"REDRAIN_TOKEN": SET})["variables"] == {"REDRAIN_TOKEN": "set"}
