"""
Storms a sound server by scenario, engine and seed, and counts what the verdict holds against it: false alarms.

One line a run goes to the state file, and a run that is there is not run again, so that the counts of several sittings
add up. The folder of a run that did not pass is kept.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from rich.table import Table

from loadtest.engines.engine_process import ENGINES
from loadtest.record.run_folder import RunFolder
from loadtest.verdict.weigh import Exit
from scripts.checked import CheckedParser
from scripts.commands.storm import interruptible
from scripts.output import console, write_any_text

STATE = Path(".redrain/false_alarms.jsonl")
SCENARIOS = ("evening", "stampede", "store-dies", "worker-dies")
SEEDS = "1-10"
VIEWERS = {"stampede": 600}  # what two cores carry with the server beside the crowd
RUN_TIMEOUT_S = 900.0
SAID_CHARACTERS_MAX = 300


class StormOutcome(StrEnum):
    """The outcome of a run: an alarm is a violation, unknown any other verdict but a pass, broken none at all."""

    PASS = "pass"  # noqa: S105 - an outcome
    ALARM = "alarm"
    UNKNOWN = "unknown"
    BROKEN = "broken"


class StormKey(NamedTuple):
    """A run: the storm of a scenario under one engine with one seed."""

    scenario: str
    engine: str
    seed: int

    @property
    def kind(self) -> str:
        """Return the scenario and the engine, as ``--only`` names them."""
        return f"{self.scenario}/{self.engine}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for and not yet done, print a line each and the counts, and return the exit code."""
    write_any_text()
    options = _options(arguments)
    say = console(None)
    done = read_state(options.state)
    try:
        with interruptible():
            for key in pending(options, done):
                line = done[key] = _run(key, options)
                options.state.parent.mkdir(parents=True, exist_ok=True)
                with options.state.open("ab") as file:
                    file.write(orjson.dumps(line) + b"\n")
                say.print(f"{key.kind} {key.seed}: {said(line)}", markup=False, soft_wrap=True)
    except KeyboardInterrupt:
        say.print(counts(done))
        return Exit.INTERRUPTED
    say.print(counts(done))
    for key, line in sorted(done.items()):
        if line["outcome"] != StormOutcome.PASS:
            say.print(f"{key.kind} {key.seed}: {said(line)}", markup=False, soft_wrap=True)
    return exit_code(done.values())


def read_state(path: Path) -> dict[StormKey, dict[str, Any]]:
    """Return the last line of each run; one that a crash cut off is no line."""
    done: dict[StormKey, dict[str, Any]] = {}
    for text in path.read_bytes().splitlines() if path.exists() else ():
        try:
            line = orjson.loads(text)
        except orjson.JSONDecodeError:
            continue
        done[StormKey(line["scenario"], line["engine"], line["seed"])] = line
    return done


def pending(options: argparse.Namespace, done: Mapping[StormKey, Mapping[str, Any]]) -> list[StormKey]:
    """Return the selected runs that are not done, those of one seed together; ``--again`` adds those not passed."""
    selected = [
        StormKey(scenario, engine, seed)
        for seed in options.seeds
        for scenario in SCENARIOS
        for engine in ENGINES
        if options.only is None or any(_selects(part, scenario, engine) for part in options.only.split(","))
    ]
    over = {StormOutcome.PASS} if options.again else set(StormOutcome)
    return [key for key in selected if key not in done or done[key]["outcome"] not in over]


def _selects(part: str, scenario: str, engine: str) -> bool:
    return part in {scenario, engine} or fnmatch(f"{scenario}/{engine}", part)


def seeds_of(text: str) -> list[int]:
    """Return the seeds of ``1-3,7``. Raises ValueError."""
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def outcome_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outcome that a judged run has, and what it says of it."""
    violations = [f"{each['invariant']}: {each['detail']}" for each in result["violations"]]
    if violations:
        return {"outcome": StormOutcome.ALARM, "says": violations}
    if result["verdict"] == "pass":
        return {"outcome": StormOutcome.PASS, "says": []}
    missed = [name for name, count in result["sometimes"].items() if not count]
    return {"outcome": StormOutcome.UNKNOWN, "says": [*result["reasons"], *missed, *result["server_errors"][:2]]}


def said(line: Mapping[str, Any]) -> str:
    """Return the line of a run for a person."""
    says = "; ".join(line["says"])[:SAID_CHARACTERS_MAX]
    where = f", kept in {line['folder']}" if line.get("folder") else ""
    return f"{line['outcome']} in {line['seconds']:.0f} s{': ' * bool(says)}{says}{where}"


def counts(done: Mapping[StormKey, Mapping[str, Any]]) -> Table:
    """Return the table of how many runs of each scenario and engine had which outcome."""
    table = Table("scenario", "engine", *StormOutcome, caption="runs by outcome, all sittings together")
    found = Counter((key.scenario, key.engine, line["outcome"]) for key, line in done.items())
    for scenario, engine in sorted({(key.scenario, key.engine) for key in done}):
        table.add_row(scenario, engine, *(str(found[scenario, engine, outcome]) for outcome in StormOutcome))
    return table


def exit_code(lines: Iterable[Mapping[str, Any]]) -> Exit:
    """Return 10 after any alarm, 20 if a run has no verdict on its correctness or none was run, else 0."""
    outcomes = {line["outcome"] for line in lines}
    if StormOutcome.ALARM in outcomes:
        return Exit.INVARIANT
    return Exit.PASS if outcomes == {StormOutcome.PASS} else Exit.UNKNOWN


def _run(key: StormKey, options: argparse.Namespace) -> dict[str, Any]:
    """Run a storm in a process of its own, and return its line."""
    path = options.state.with_suffix("") / f"{key.scenario}-{key.engine}-{key.seed}"
    shutil.rmtree(path, ignore_errors=True)
    viewers = options.viewers or VIEWERS.get(key.scenario)
    command = [sys.executable, "-P", "-m", "scripts.cli", "storm", key.scenario, "--engine", key.engine]
    command += ["--seed", str(key.seed), "--out", str(path), *(["--viewers", str(viewers)] if viewers else [])]
    began, load = time.monotonic(), os.getloadavg()[0]
    found = _stormed(command, RunFolder(path))
    kept = options.keep or found["outcome"] != StormOutcome.PASS
    shutil.rmtree(RunFolder(path).home if kept else path, ignore_errors=True)  # no audit needs the store's own files
    seconds = round(time.monotonic() - began, 1)
    about = {**key._asdict(), "viewers": viewers, "seconds": seconds, "load": round(load, 1)}
    return {**about, **found, "folder": str(path) if kept else None}


def _stormed(command: Sequence[str], folder: RunFolder) -> dict[str, Any]:
    storm = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, errors = storm.communicate(timeout=RUN_TIMEOUT_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt) as reason:
        storm.terminate()  # it stops what it has started
        storm.communicate()
        if isinstance(reason, KeyboardInterrupt):
            raise
        return {"outcome": StormOutcome.BROKEN, "says": [f"not over after {RUN_TIMEOUT_S:.0f} s"]}
    if not folder.result.exists():
        return {"outcome": StormOutcome.BROKEN, "says": [f"exit code {storm.returncode}", *errors.splitlines()[-2:]]}
    return outcome_of(orjson.loads(folder.result.read_bytes()))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = CheckedParser(prog="scripts/false_alarms", description="Storms on a sound server, each judged.")
    parser.add_argument("--seeds", type=seeds_of, default=SEEDS, help=f"like 1-3,7 (default {SEEDS})")
    parser.add_argument("--only", help="like evening, swarm or store-dies/locust; several with commas")
    parser.add_argument("--viewers", type=int, help=f"in each run (default: the scenario's, but for {VIEWERS})")
    parser.add_argument("--again", action="store_true", help="also run again what did not pass")
    parser.add_argument("--keep", action="store_true", help="keep the folders of all runs, not only of those")
    parser.add_argument("--state", type=Path, default=STATE, help=f"one line a run (default {STATE})")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
