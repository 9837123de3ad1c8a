"""The GitHub Action: its schema, and its steps in bash, as a job of somebody else's repository runs them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from server.settings import clean_environment
from tests.result_schema import faults_of

ROOT = Path(__file__).resolve().parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
INPUTS: dict[str, dict[str, str]] = ACTION["inputs"]
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
ASKED_OF_IT = {"scenario", "base", "base-command", "head-command", "base-url", "head-url", "slower", "budget", "args"}


def test_its_file_has_the_form_of_a_composite_action() -> None:
    """Each key is one that GitHub knows, each input has a description and a text as default, each step runs or uses."""
    assert set(ACTION) == {"name", "description", "inputs", "outputs", "runs"}
    assert set(INPUTS) >= ASKED_OF_IT
    for each in INPUTS.values():
        assert set(each) == {"description", "default"}
        assert {type(value) for value in each.values()} == {str}
    assert all(set(each) == {"description", "value"} for each in ACTION["outputs"].values())
    assert (set(ACTION["runs"]), ACTION["runs"]["using"]) == ({"using", "steps"}, "composite")
    for step in STEPS:
        assert set(step) <= {"id", "name", "if", "uses", "with", "shell", "env", "run"}
        assert ("run" in step) != ("uses" in step)
        assert ("run" in step) == (step.get("shell") == "bash")
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/none@v0"))


def test_every_input_is_used_and_none_becomes_text_of_a_script() -> None:
    """Inputs reach bash as variables; an expression in a script would run what a pull request's author writes."""
    named = set(re.findall(r"inputs\.([\w-]+)", json.dumps(STEPS)))
    assert named == set(INPUTS)
    assert [step for step in STEPS if "${{" in step.get("run", "")] == []
    known = {step["id"] for step in STEPS if "id" in step}
    assert set(re.findall(r"steps\.(\w+)\.outputs", json.dumps(ACTION))) <= known


RECORDER = """#!/bin/sh
printf '%s\\n' "$@" >arguments
exit "${CODE:-0}"
"""


class Job:
    """A job on a runner, in the empty folder of a repository that is not ours."""

    def __init__(self, folder: Path, action: Path = ROOT) -> None:
        self.action = action
        self.repository, self.temp = folder / "their work", folder / "temp"
        self.output, self.summary = folder / "output", folder / "summary"
        for each in (self.repository, self.temp):
            each.mkdir()
        for each in (self.output, self.summary):
            each.touch()

    def run(self, *, code: str = "0", **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run the steps that are scripts, until one fails, as GitHub does; return how the last one ended."""
        values = {f"inputs.{name}": each["default"] for name, each in INPUTS.items()}
        values |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        values["steps.python.outputs.python-path"] = sys.executable
        surroundings = {
            "GITHUB_ACTIONS": "true", "GITHUB_ACTION_PATH": str(self.action), "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary), "RUNNER_TEMP": str(self.temp),
            "CODE": code,
        }  # fmt: skip
        for step in filter(lambda each: "run" in each, STEPS):
            given = {
                name: EXPRESSION.sub(lambda found: values[found[1]], text) for name, text in step.get("env", {}).items()
            }
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.repository, env=clean_environment() | surroundings | given, capture_output=True, text=True,
                timeout=280, check=False,
            )  # fmt: skip
            if done.returncode:
                break
        return done

    def outputs(self) -> dict[str, str]:
        """Return what the steps have said in GITHUB_OUTPUT."""
        return dict(line.split("=", 1) for line in self.output.read_text("utf-8").splitlines())


def test_its_steps_gate_and_leave_what_is_uploaded(tmp_path: Path) -> None:
    """A gate runs in a folder that is not ours, and its code is the step's; result, JUnit and summary are written."""
    job = Job(tmp_path)
    done = job.run(scenario="smoke", budget="0", args="--viewers 10\n--seed 3")
    outputs = job.outputs()
    folder = Path(outputs["folder"])
    result = json.loads((folder / "gate.json").read_bytes())
    assert done.returncode == int(outputs["exit-code"]) == result["exit_code"], done.stderr
    assert (result["viewers"], result["seed"], result["violations"]) == (10, 3, [])
    assert faults_of(result) == []
    assert [each["counter"] for each in result["gate"]["counters"]]
    assert ET.parse(folder / "junit.xml").getroot().tag == "testsuites"  # noqa: S314 - written by us just now
    assert (folder / "run" / "report.html").exists()
    assert "Redrain" in job.summary.read_text("utf-8")
    assert list(job.repository.iterdir()) == []


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """The path of an action whose command writes its arguments down, and ends with the code in CODE."""
    path = tmp_path / "action"
    for file, text in (("scripts/bootstrap.sh", ""), (".venv/bin/redrain", RECORDER)):
        (path / file).parent.mkdir(parents=True)
        (path / file).write_text(text, "utf-8")
        (path / file).chmod(0o755)
    return path


def test_what_an_input_holds_is_not_run(recording: Path, tmp_path: Path) -> None:
    """Quotes, substitutions and options stay characters of one value; what is empty is not given."""
    job = Job(tmp_path, recording)
    hostile = '--json=x"; touch pwned; $(touch pwned) `touch pwned` #'
    assert job.run(scenario=hostile, args="--seed  1\n* $HOME", head_command=hostile).returncode == 0
    arguments = (job.repository / "arguments").read_text("utf-8").splitlines()
    folder = job.outputs()["folder"]
    assert arguments == [
        "gate", "--out", f"{folder}/run", "--junit", f"{folder}/junit.xml", "--json", f"{folder}/gate.json",
        f"--head-command={hostile}", "--slower=3", "--budget=5", "--seed", "1", "*", "$HOME", "--", hostile,
    ]  # fmt: skip
    assert [each.name for each in job.repository.iterdir()] == ["arguments"]


@pytest.mark.parametrize(("code", "unknown", "ends"), [(20, "fail", 20), (20, "pass", 0), (10, "pass", 10), (0, "", 0)])
def test_only_an_unknown_verdict_can_be_let_pass(
    code: int, unknown: str, ends: int, recording: Path, tmp_path: Path
) -> None:
    """It is a warning then; the gate's own code is an output all the same."""
    job = Job(tmp_path, recording)
    done = job.run(unknown=unknown, code=str(code))
    assert (done.returncode, job.outputs()["exit-code"]) == (ends, str(code))
    assert ("::warning" in done.stdout) == (code != ends)
