"""Creators against a stampede: every kind of race passes, and one with a bug planted in it does not."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from loadtest.engines.child_process import ChildProcess
from loadtest.record.run_folder import RunFolder
from loadtest.scenarios.race import RaceKind
from scripts.commands.races import RaceOutcome, main, run_race

SEED = 9  # of a round: in the burst, with half of it to come
VIEWERS = 600  # enough of them tap around any instant of the burst


@pytest.mark.rule("KS-EDT-1")
@pytest.mark.rule("KS-END-1")
@pytest.mark.parametrize("kind", RaceKind)
def test_a_race_passes(kind: RaceKind, tmp_path: Path) -> None:
    """Nothing is given twice or lost, no fen is astray, and the creator's step fell among the taps."""
    raced = run_race(kind, SEED, RunFolder(tmp_path), viewers=VIEWERS)
    assert (raced.verdict, raced.reasons, raced.problem) == ("pass", [], "")
    assert any(step.raced for step in raced.steps)
    assert _taps_of(raced) <= VIEWERS


def _taps_of(raced: RaceOutcome) -> int:
    """Return the most viewers that got a share, by any of the race's steps."""
    return max(step.before + step.after for step in raced.steps)


@pytest.mark.parametrize(
    ("kind", "invariants"),
    [(RaceKind.END, {"A7", "A10"}), (RaceKind.DOWN, {"A1", "A8"})],
)
def test_shares_that_stay_behind_are_found(
    kind: RaceKind,
    invariants: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A script that gives the money back and leaves the shares to be claimed breaks the right invariants."""
    monkeypatch.chdir(tmp_path)
    _plant(monkeypatch, "end" if kind is RaceKind.END else "edit")
    seed = 1 if kind is RaceKind.DOWN else SEED  # a decrease before the opening is carried out for sure
    code = main(["--kind", kind, "--seed", str(seed), "--viewers", "300", "--json", "races.json"])
    assert code == 10
    told = json.loads(Path("races.json").read_text("utf-8"))
    (race,) = told["races"]
    assert (told["verdict"], race["verdict"], race["reasons"][0]) == ("fail", "fail", "invariant")
    assert race["steps"][0]["after"] > 0
    assert invariants <= set(race["violated"])
    said = capsys.readouterr().out
    assert f"again: scripts/races --kind {kind} --seed {seed} --viewers 300" in said
    assert len(list(Path(".redrain/races").glob(f"*/{kind}-{seed}/books.jsonl"))) == 1


@pytest.mark.parametrize("wrong", [["--kind", "sideways"], ["--seeds", "0"], ["--seed", "x"], ["--viewers", "-1"]])
def test_wrong_usage_is_told(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is begun, and the option is named."""
    with pytest.raises(SystemExit) as ended:
        main(wrong)
    assert ended.value.code == 64
    assert wrong[0] in capsys.readouterr().err


def _plant(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Have the race's server run with a bug in one of its scripts."""
    start = ChildProcess.__init__

    def planted(self: ChildProcess, name: str, module: str, arguments: Sequence[str], *rest: Any, **more: Any) -> None:
        if name == "server":
            module, arguments = "tests.e2e.planted_server", [script, *arguments]
        start(self, name, module, arguments, *rest, **more)

    monkeypatch.setattr(ChildProcess, "__init__", planted)
