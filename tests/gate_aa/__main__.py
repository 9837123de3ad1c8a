"""
Gates whose end is known: a build against itself, with and without a hog, and planted slowdowns.

``scripts/gate_aa [EXPERIMENT]``. One line a run goes to the state file, and what is there is not run again, so that the
counts of several sittings add up; a table of them is printed at the end.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from loadtest.verdict.weigh import Exit
from scripts.checked import CheckedParser
from scripts.commands.storm import interruptible
from scripts.output import console, write_any_text
from server.settings import clean_environment
from tests.gate_aa.experiments import EXPERIMENTS, ROOT, Experiment, build
from tests.gate_aa.hog import hog

STATE = Path(".redrain/gate_aa.jsonl")
RUN_TIMEOUT_S = 1800.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for and not yet done, a line each, and return 0 if every count is as it must be, else 20."""
    write_any_text()
    options = _options(arguments)
    say = console(None)
    done = read_state(options.state)
    interrupted = False
    try:
        with interruptible():
            for name in selected(options):
                numbers = pending(name, options.runs, done)
                root = build(EXPERIMENTS[name], options.state.absolute().with_suffix("") / name) if numbers else ROOT
                for number in numbers:
                    line = _run(name, number, root, options)
                    done.append(line)
                    options.state.parent.mkdir(parents=True, exist_ok=True)
                    with options.state.open("ab") as file:
                        file.write(orjson.dumps(line) + b"\n")
                    say.print(said(line), markup=False, soft_wrap=True)
    except KeyboardInterrupt:
        interrupted = True
    say.print(counts(done))
    if interrupted:
        return Exit.INTERRUPTED
    return Exit.PASS if all(is_met(name, done) for name in selected(options)) else Exit.UNKNOWN


def read_state(path: Path) -> list[dict[str, Any]]:
    """Return the lines of all runs; one that a crash cut off is no line."""
    done = []
    for text in path.read_bytes().splitlines() if path.exists() else ():
        try:
            done.append(orjson.loads(text))
        except orjson.JSONDecodeError:
            continue
    return done


def selected(options: argparse.Namespace) -> list[str]:
    """Return the names of the experiments that are asked for."""
    services = [name for name, experiment in EXPERIMENTS.items() if experiment.services]
    return services if options.services else [options.experiment]


def pending(name: str, runs: int | None, done: Iterable[Mapping[str, Any]]) -> list[int]:
    """Return the numbers of the runs that are wanted and not done."""
    over = {line["number"] for line in done if line["experiment"] == name}
    return [number for number in range(1, (runs or EXPERIMENTS[name].runs) + 1) if number not in over]


def is_met(name: str, done: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether the experiment's runs are all done and have ended as they must, by their exit codes."""
    experiment = EXPERIMENTS[name]
    codes = Counter(line["exit_code"] for line in done if line["experiment"] == name)
    return (
        codes.total() >= experiment.runs
        and all(codes[code] >= least for code, least in experiment.least.items())
        and all(codes[code] <= most for code, most in experiment.most.items())
    )


def counts(done: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of how many runs of each experiment ended with which exit code, and whether that is enough."""
    codes = sorted({line["exit_code"] for line in done})
    table = Table("experiment", "runs", *map(str, codes), "longest", "", caption="runs by exit code, all sittings")
    for name in EXPERIMENTS:
        lines = [line for line in done if line["experiment"] == name]
        if lines:
            ended = Counter(line["exit_code"] for line in lines)
            longest = f"{max(line['seconds'] for line in lines):.0f} s"
            word = "met" if is_met(name, done) else f"not yet: {wanted(EXPERIMENTS[name])}"
            table.add_row(name, str(len(lines)), *(str(ended[code]) for code in codes), longest, word)
    return table


def wanted(experiment: Experiment) -> str:
    """Return how the experiment must end."""
    least = [f"at least {number} of {experiment.runs} with {code}" for code, number in experiment.least.items()]
    return ", ".join(least + [f"at most {number} with {code}" for code, number in experiment.most.items()])


def said(line: Mapping[str, Any]) -> str:
    """Return the line of a run for a person."""
    change = "" if line.get("change") is None else f", {line['change']:+.1%} by {line['pairs']} pairs"
    says = "; ".join(line["says"])
    return f"{line['experiment']} {line['number']}: {line['exit_code']} in {line['seconds']:.0f} s{change}  {says}"


def _run(name: str, number: int, root: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Run a gate in a process of its own, and return its line."""
    experiment = EXPERIMENTS[name]
    out = options.state.absolute().with_suffix("") / f"{name}-{number}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    budget = options.budget or experiment.budget
    command = [
        sys.executable,
        "-P",
        "-m",
        "scripts.cli",
        "gate",
        *(experiment.arguments or ("smoke", "--base", "HEAD")),
    ]
    command += ["--json", str(out), *(["--budget", f"{budget:g}"] if budget else [])]
    began_s, load = time.monotonic(), os.getloadavg()[0]
    with hog(experiment.hog, number) as spells:
        gate = subprocess.Popen(
            command, cwd=root, env={**clean_environment(), "PYTHONPATH": str(root)}, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            _, errors = gate.communicate(timeout=RUN_TIMEOUT_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            gate.terminate()  # it stops what it has started
            gate.communicate()
            raise
    told = outcome(orjson.loads(out.read_bytes())) if out.exists() else {"says": errors.splitlines()[-3:]}
    about = {"experiment": name, "number": number, "exit_code": gate.returncode, "load": round(load, 1)}
    seconds = {"seconds": round(time.monotonic() - began_s, 1), "hog_seconds": round(sum(spells), 1)}
    return {**about, **seconds, **told}


def outcome(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a gate's result says, in a few words and figures."""
    gate = result["gate"]
    says = [f"{each['invariant']}: {each['detail']}" for each in result["violations"][:1]] or list(result["reasons"])
    says += [counter["counter"] for counter in gate["counters"] if counter["met"] is False]
    compared = gate["comparison"]
    if compared is None:
        return {"says": says}
    says += filter(None, [compared["void"]])
    if not compared["metrics"]:
        return {"says": says, "taken": len(compared["legs"])}
    failed = [each["metric"] for each in compared["metrics"] if each["conclusion"] == "regression"]
    first = compared["metrics"][0]
    figures = {name: first[name] for name in ("conclusion", "change", "low", "high", "floor", "pairs")}
    figures["ratios"] = [
        round(leg["head"][first["metric"]] / leg["base"][first["metric"]], 4) for leg in compared["legs"]
    ]
    return {"says": says + failed, "taken": len(compared["legs"]), **figures}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = CheckedParser(prog="scripts/gate_aa", description="Gates whose end is known, one line a run.")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--experiment", choices=EXPERIMENTS, default="quiet", help="one by its name")
    for name in ("hog", "extra-command", "busy", "starved"):
        chosen.add_argument(
            f"--{name}", action="store_const", const=name, dest="experiment", help="the same as --experiment"
        )
    chosen.add_argument("--slower", choices=("10", "25"), help="percent of CPU that the head's server uses more")
    chosen.add_argument(
        "--services", action="store_true", help="the example services: good against bad, slower, and good"
    )
    parser.add_argument("--runs", type=int, help="of each experiment, those done included (default: as it must have)")
    parser.add_argument("--budget", type=float, help="of each gate, in minutes")
    parser.add_argument("--state", type=Path, default=STATE, help=f"one line a run (default {STATE})")
    options = parser.parse_args(arguments)
    if options.slower:
        options.experiment = f"slower-{options.slower}"
    return options


if __name__ == "__main__":
    sys.exit(main())
