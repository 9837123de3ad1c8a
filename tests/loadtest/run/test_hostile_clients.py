"""Hostile clients of a storm: they are there during the programme, and what they got is kept."""

from pathlib import Path

import pytest

from loadtest.engines.child_process import ProcessFailed
from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.run.hostile_clients import hostile_clients
from loadtest.scenarios.scenario import Scenario, load_scenario
from tests.loadtest.scenarios.test_scenario import GOOD

HOSTILE = "\n[hostile]\nclients = 3\nmix = { malformed_messages = 1, foreign_origin = 1, flood = 0 }\n"


def facts() -> RunFacts:
    return RunFacts("s", 1, "none", "durable", 1, "load", "default", 1, 1, "again", "2023-08-05T11:10:00+00:00", {})


def scenario_in(folder: RunFolder, text: str) -> Scenario:
    folder.scenario.write_text(text, "utf-8")
    return load_scenario(str(folder.scenario))


def test_without_any_nothing_is_started(tmp_path: Path) -> None:
    run = facts()
    with hostile_clients(scenario_in(RunFolder(tmp_path), GOOD), RunFolder(tmp_path), run, "http://127.0.0.1:9"):
        pass
    assert run.hostile == {}
    assert not (tmp_path / "hostile.log").exists()


def test_what_they_get_is_kept(fake_room: str, tmp_path: Path) -> None:
    """By misdeed, also those that nobody got to; one whose weight is 0 is left out."""
    run = facts()
    with hostile_clients(scenario_in(RunFolder(tmp_path), GOOD + HOSTILE), RunFolder(tmp_path), run, fake_room):
        pass
    assert set(run.hostile) == {"malformed_messages", "foreign_origin"}


def test_clients_that_break_off_end_the_storm(tmp_path: Path) -> None:
    """A run whose hostile clients were not there would look like one that withstood them."""
    scenario = scenario_in(RunFolder(tmp_path), GOOD + HOSTILE)
    (tmp_path / "scenario.toml").write_text("nonsense", "utf-8")
    clients = hostile_clients(scenario, RunFolder(tmp_path), facts(), "http://127.0.0.1:9")
    with pytest.raises(ProcessFailed, match="hostile clients"):
        clients.__enter__()
