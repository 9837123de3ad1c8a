"""The command of a gate: the run that it leaves says how to repeat the gate."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadtest.record.run_folder import RunFolder
from loadtest.scenarios.target_scenario import read_scenario
from scripts.commands import gate
from scripts.gate.options import GateOptions
from tests.loadtest.engines.test_crowd import Seen

SERVICE = "tests/examples/http.toml"


def test_the_run_is_repeated_by_the_gates_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The storm's own command would name the port of a service that the gate has stopped."""
    facts = SimpleNamespace(repeat_command=f"redrain storm {SERVICE} --target http://127.0.0.1:1", own_service=False)
    performed: list[Any] = []
    monkeypatch.setattr(gate, "plan_storm", lambda *_: (facts, performed.append))
    monkeypatch.setattr(gate, "judge_run", lambda folder: {"judged": folder.path})
    options = GateOptions(SERVICE, head_command="./serve", budget=0)
    judged = gate._storm(read_scenario(SERVICE), options, RunFolder(tmp_path), Seen(), "http://127.0.0.1:1")
    assert (judged, len(performed)) == ({"judged": tmp_path}, 1)
    assert facts.repeat_command.startswith(f"redrain gate {SERVICE} --head-command ./serve ")
