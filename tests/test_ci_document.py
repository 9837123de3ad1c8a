"""docs/ci.md is true: its workflows are YAML, its commands and options exist, its thresholds and codes ours."""

import re
import shlex
import tomllib

import pytest
import typer
import yaml

from loadtest.verdict.threshold_grammar import parse
from loadtest.verdict.weigh import Exit, Reason
from scripts import cli
from tests.test_action import INPUTS, ROOT

PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
GITHUB, GITLAB = (yaml.safe_load(text) for language, text in BLOCKS if language == "yaml")
JOINED = re.sub(r"\n\s+--", " --", PAGE)  # a command of GitLab's goes on in the next line
COMMANDS = sorted(
    {
        re.split(r" {2,}#| \|\| ", found)[0]
        for found in re.findall(r"(?<=[`/ ])redrain ((?:gate|storm|audit) [^`\n]+|metrics)", JOINED)
    }
)


def test_there_are_commands() -> None:
    assert {each.split()[0] for each in COMMANDS} == {"gate", "storm", "metrics"}
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_is_understood(words: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line's own parser takes it."""
    monkeypatch.chdir(str(tmp_path))
    name, *arguments = shlex.split(words)
    command = typer.main.get_command(cli.app).commands[name]  # type: ignore[attr-defined]
    command.make_context(name, arguments)


def test_every_option_that_is_named_exists() -> None:
    options = {
        name
        for command in typer.main.get_command(cli.app).commands.values()  # type: ignore[attr-defined]
        for parameter in command.params
        for name in parameter.opts
    }
    assert set(re.findall(r"`(--[a-z-]+)", PAGE)) <= options


def test_the_workflows_have_what_their_services_want() -> None:
    """GitHub's step gives inputs that the action has; GitLab's job lets pass and keeps what the page says."""
    *checkouts, step = GITHUB["jobs"]["gate"]["steps"]
    assert [each["uses"] for each in checkouts] == ["actions/checkout@v4"] * 2
    assert checkouts[1]["with"]["path"] == ".base"
    assert set(step["with"]) <= set(INPUTS)
    job = GITLAB["redrain"]
    assert job["allow_failure"]["exit_codes"] == Exit.UNKNOWN
    assert f"--junit {job['artifacts']['reports']['junit']}" in job["script"][-1]
    assert all(path in job["script"][-1] for path in job["artifacts"]["paths"])


def test_the_table_has_every_exit_code_and_the_text_real_reasons() -> None:
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)] == list(Exit)
    assert set(re.findall(r"^- `(\w+)`", PAGE, re.MULTILINE)) <= set(Reason)


def test_the_thresholds_are_understood() -> None:
    [toml] = (text for language, text in BLOCKS if language == "toml")
    for metric, expressions in tomllib.loads(toml)["thresholds"].items():
        for each in expressions:
            parse(metric, each)
