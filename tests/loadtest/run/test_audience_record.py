"""The record of an audience without a storm: what its facts say, and what a foreign service's packets count from."""

from pathlib import Path
from typing import cast

from loadtest.record.run_folder import RunFolder
from loadtest.run.audience_record import call_off, facts_of_audience, keep_foreign
from loadtest.run.director import Director
from loadtest.run.run_requests import RunRequests
from loadtest.scenarios.scenario import load_scenario
from loadtest.scenarios.target_scenario import TargetScenario, read_scenario

EXAMPLE = Path(__file__).parents[2] / "examples" / "http.toml"


def test_a_server_that_was_there_is_described_as_unknown(tmp_path: Path) -> None:
    """Of limits and durability only its own storm knows; a credential is recorded as set."""
    scenario = load_scenario("smoke").before(seed=9)
    facts = facts_of_audience(
        scenario, engine="swarm", viewers=7, seats=9, repeat_command="redrain swarm", processes=2, token=True
    )
    RunFolder(tmp_path).write_facts(facts)
    known = RunFolder(tmp_path).facts()
    assert known == facts
    assert (known.limits, known.durability, known.allocator) == ("unknown",) * 3
    assert (known.seed, known.speed, known.processes, known.target) == (9, 10, 2, "redrain")
    assert known.environment["variables"] == {"REDRAIN_TOKEN": "set"}


def test_the_packets_of_another_service_count_from_the_start(tmp_path: Path) -> None:
    """Without a start, when they open is not known."""
    scenario = read_scenario(str(EXAMPLE))
    assert isinstance(scenario, TargetScenario)
    run = RunRequests(scenario, base_url="http://127.0.0.1:9", folder=tmp_path)
    for start_ns, opens_ns in ((5_000, 5_000), (None, None)):
        facts = facts_of_audience(scenario, engine="locust", viewers=1, seats=1, repeat_command="locust")
        keep_foreign(RunFolder(tmp_path), facts, scenario, run, start_ns)
        (declared,) = RunFolder(tmp_path).facts().declared
        assert (declared["packet_id"], declared["closes_ns"]) == ("p1", None)
        assert declared["opens_ns"] in (opens_ns, None)


def test_a_programme_that_is_over_is_not_called_off() -> None:
    """Nothing is asked of its director."""
    call_off(cast(Director, None), print, over=True)
