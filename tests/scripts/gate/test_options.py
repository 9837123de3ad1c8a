"""Options of a gate that conflict are refused by name."""

import pytest

from loadtest.scenarios.target_scenario import read_scenario
from scripts.gate.options import GateOptions

SERVICE = "tests/examples/http.toml"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (GateOptions("smoke", base_command="a"), "base-command: needs head-command"),
        (GateOptions(SERVICE, head_url="http://127.0.0.1:1"), "head-url: needs base-url"),
        (GateOptions("smoke", base="main", base_url="a", head_url="b"), "base-url: conflicts with base"),
        (GateOptions("smoke", base_command="a", head_command="b"), "base-command: needs a scenario with [target]"),
        (GateOptions(SERVICE, base="main"), "base: builds this project"),
        (GateOptions("smoke", slower=0), "slower: must be above 0"),
        (GateOptions("smoke", budget=-1), "budget: must be 0 to"),
        (GateOptions("smoke", budget=float("nan")), "budget: must be 0 to"),
        (GateOptions("smoke", engine="gatling"), "engine: must be locust or swarm"),
        (GateOptions("smoke", allow=["nope"]), "allow: nope is no work counter; there are store_commands_per_grab"),
        (GateOptions("smoke", allow=["push_bytes"]), ""),
        (GateOptions("smoke", limit=["cpu < 5"]), "limit: 'cpu < 5': no such metric: cpu"),
        (GateOptions("smoke", limit=["cpu_us_per_grab <= 5 * yardstick_us"]), ""),
        (GateOptions("smoke", threshold=["granted"]), "threshold: 'granted': expected a number, a metric"),
        (GateOptions("smoke", base="main"), ""),
        (GateOptions(SERVICE, base_command="a", head_command="b"), ""),
        (GateOptions(SERVICE), ""),
        (GateOptions(SERVICE, head_command="b"), ""),
        (GateOptions("smoke", head_command="b"), "head-command: needs a scenario with [target]"),
        (GateOptions(SERVICE, base="main", head_command="b"), "head-command: conflicts with base"),
        (GateOptions(SERVICE, head_command="b", base_url="a", head_url="b"), "base-url: conflicts with head-command"),
    ],
)
def test_conflicts_are_named(options: GateOptions, named: str) -> None:
    """Each message names the option and what to do; sound options have none."""
    wrong = options.wrong(read_scenario(options.scenario))
    assert wrong.startswith(named)
    assert bool(wrong) == bool(named)
