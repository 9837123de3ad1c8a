"""``scripts/false_alarms``: its selection, its outcomes, and counts that add up over sittings."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from loadtest.engines.engine_process import ENGINES
from scripts.commands import false_alarms
from scripts.commands.false_alarms import StormKey, StormOutcome, counts, outcome_of, pending, read_state, seeds_of
from server.core.ids import ViewerId


def line(key: StormKey, outcome: StormOutcome, says: list[str] | None = None) -> dict[str, Any]:
    return {**key._asdict(), "outcome": outcome, "says": says or [], "seconds": 20.0, "folder": None}


def written(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in lines))
    return path


def result(**changed: Any) -> dict[str, Any]:
    sound = {"verdict": "pass", "reasons": [], "violations": [], "sometimes": {"resumed": 3}, "server_errors": []}
    return sound | changed


def test_seeds_are_single_or_spans() -> None:
    """As one writes pages."""
    assert seeds_of("1-3,7") == [1, 2, 3, 7]
    with pytest.raises(SystemExit, match="64"):
        false_alarms.main(["--seeds", "all"])


def test_a_selection_is_by_scenario_engine_or_both() -> None:
    """The default is all: ten seeds, four scenarios, two engines."""
    everything = false_alarms._options([])
    assert len(pending(everything, {})) == 80
    chosen = false_alarms._options(["--seeds", "2", "--only", "evening/swarm,stampede"])
    assert pending(chosen, {}) == [
        StormKey("evening", "swarm", 2),
        *(StormKey("stampede", engine, 2) for engine in ENGINES),
    ]


def test_what_is_done_is_not_run_again(tmp_path: Path) -> None:
    """The last line of a run counts; a line cut off by a crash does not, and --again runs what did not pass."""
    first, second = StormKey("evening", "swarm", 1), StormKey("evening", "swarm", 2)
    state = written(tmp_path / "state", line(first, StormOutcome.ALARM), line(second, StormOutcome.PASS))
    with state.open("ab") as file:
        file.write(b'{"scenario": "eve')
    arguments = ["--seeds", "1-2", "--only", "evening/swarm"]
    done = read_state(state)
    assert pending(false_alarms._options(arguments), done) == []
    assert pending(false_alarms._options([*arguments, "--again"]), done) == [first]
    written(state, line(first, StormOutcome.ALARM), line(first, StormOutcome.PASS))
    assert read_state(state)[first]["outcome"] == StormOutcome.PASS


def test_only_a_violation_is_an_alarm() -> None:
    """A verdict that the run's own circumstances spoil is counted apart, with its reasons."""
    violation = {"invariant": "A7", "detail": f"{ViewerId('v1')} tapped first"}
    assert outcome_of(result())["outcome"] == StormOutcome.PASS
    alarm = outcome_of(result(verdict="fail", reasons=["invariant", "void"], violations=[violation]))
    assert (alarm["outcome"], alarm["says"]) == (StormOutcome.ALARM, ["A7: v1 tapped first"])
    vacuous = outcome_of(result(verdict="unknown", reasons=["vacuous"], sometimes={"resumed": 0, "voided": 1}))
    assert (vacuous["outcome"], vacuous["says"]) == (StormOutcome.UNKNOWN, ["vacuous", "resumed"])


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([StormOutcome.PASS, StormOutcome.PASS], 0),
        ([StormOutcome.PASS, StormOutcome.ALARM, StormOutcome.UNKNOWN], 10),
        ([StormOutcome.PASS, StormOutcome.UNKNOWN], 20),
        ([], 20),
    ],
)
def test_sittings_add_up(outcomes: list[StormOutcome], code: int, tmp_path: Path) -> None:
    """A sitting with nothing left to run prints the counts of those before, and ends with their exit code."""
    runs = [line(StormKey("evening", "swarm", seed), outcome) for seed, outcome in enumerate(outcomes, 1)]
    state = written(tmp_path / "state", *runs)
    assert false_alarms.main(["--state", str(state), "--seeds", "1", "--only", "nothing"]) == code
    say = Console(width=120)
    with say.capture() as printed:
        say.print(counts(read_state(state)))
    row = [str(outcomes.count(outcome)) for outcome in StormOutcome]
    assert not outcomes or [cell.strip() for cell in printed.get().splitlines()[3].strip("│").split("│")][2:] == row


def test_a_storm_that_cannot_run_is_broken(tmp_path: Path) -> None:
    """It has no verdict; its line says why, and its folder is named."""
    options = false_alarms._options(["--state", str(tmp_path / "state.jsonl")])
    found = false_alarms._run(StormKey("no-such-scenario", "swarm", 1), options)
    assert (found["outcome"], found["folder"]) == (
        StormOutcome.BROKEN,
        str(tmp_path / "state/no-such-scenario-swarm-1"),
    )
    assert "exit code 64" in found["says"][0]
