"""
Run every planted bug until the verdict finds it, one line each; what was found before is not run again.

``scripts/planted [PART OF A NAME]``. The outcomes stand in ``.redrain/planted.jsonl``; without it all run. With
``--record`` the runs in which the bugs were found are kept beside this file, for the tests to judge again. With
``--gate`` each bug meets ``redrain gate`` (``.redrain/planted-gate.jsonl``), which must exit with 10 and name it.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.crowd import SilentView, View
from loadtest.record.run_folder import RunFolder
from loadtest.run.judge_run import judge_run
from loadtest.run.provision import provision
from loadtest.run.storm import StormPlan, carry_out, facts_of
from loadtest.scenarios.scenario import load_scenario
from loadtest.targets.requester import SetUpFailed
from loadtest.verdict.weigh import Exit
from scripts.checked import CheckedParser
from scripts.commands.storm import interruptible
from scripts.output import write_any_text
from tests.planted.gate import servers_with
from tests.planted.plant import Plant
from tests.planted.plants import PLANTS
from tests.planted.recorded import record

OUTCOMES = Path(".redrain/planted.jsonl")
OUTCOMES_OF_GATE = Path(".redrain/planted-gate.jsonl")
SEEDS_MAX = 3
_NAMED = re.compile(r"^(A\d+) ", re.MULTILINE)


def violated(plant: Plant, seed: int, path: Path) -> set[str]:
    """Run a storm on a server with the bug in an empty folder, and return the invariants that do not hold."""
    with servers_with(plant.name):
        result = stormed(seed, RunFolder(path), SilentView(), plant.scenario)
    return {violation["invariant"] for violation in result["violations"]}


def gated(plant: Plant, seed: int, path: Path) -> set[str]:
    """
    Run ``redrain gate`` over the bug in an empty folder, and return the invariants that it names.

    Raises ProcessFailed if it does not say by its exit code that one is violated.
    """
    command = [sys.executable, "-P", "-m", "tests.planted.gate", plant.name, str(_scenario(plant.scenario))]
    command += ["--seed", str(seed), "--budget", "0", "--out", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != Exit.INVARIANT:
        last = done.stderr.strip().splitlines()[-1:]
        raise ProcessFailed(" ".join([f"exit code {done.returncode}", *last]), Exit.ENVIRONMENT)
    return set(_NAMED.findall(done.stdout))


def stormed(seed: int, folder: RunFolder, view: View, scenario: str = "crowd") -> dict[str, Any]:
    """Run a storm of the planted bugs in an empty folder, and return its result."""
    folder.path.mkdir(parents=True, exist_ok=True)
    path = _scenario(scenario)
    folder.scenario.write_bytes(path.read_bytes())
    provisioned = provision(load_scenario(str(path)).before(seed=seed), engine="swarm", processes=1, target=None)
    plan = StormPlan(provisioned.scenario, folder, engine="swarm", processes=provisioned.processes)
    facts = facts_of(plan, datetime.now(UTC), name=path.stem, provisioned=provisioned)
    carry_out(plan, facts, view)
    return judge_run(folder)


def _scenario(name: str) -> Path:
    return Path(__file__).with_name(f"{name}.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the selected bugs that were not found before, and return the exit code: 0 if every one is found."""
    write_any_text()
    options = _options(arguments)
    options.state.parent.mkdir(parents=True, exist_ok=True)
    lines = options.state.read_bytes().splitlines() if options.state.exists() else []
    done = {line["name"]: line for line in map(orjson.loads, lines) if line["found"]}
    selected = [plant for plant in PLANTS if options.part in plant.name]
    try:
        with interruptible():
            for plant in selected:
                if plant.name not in done or options.again:
                    done[plant.name] = _outcome(plant, options)
                    with options.state.open("ab") as file:
                        file.write(orjson.dumps(done[plant.name]) + b"\n")
                print(_line(plant, done[plant.name]), flush=True)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.PASS if all(done[plant.name]["found"] for plant in selected) else Exit.INVARIANT


def _outcome(plant: Plant, options: argparse.Namespace) -> dict[str, Any]:
    """Storm a server with the bug, seed after seed, until it is found; the folder of the last run is kept if not."""
    seen: list[str] = []
    folder = options.state.with_suffix("") / plant.slug
    for seed in range(1, SEEDS_MAX + 1):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            seen = sorted((gated if options.gate else violated)(plant, seed, folder))
        except (ProcessFailed, SetUpFailed) as error:
            seen = [str(error)]
        if plant.found_by.intersection(seen):
            if options.record:
                record(plant, folder)
            shutil.rmtree(folder)
            return {"name": plant.name, "found": True, "seeds": seed, "violated": seen}
    return {"name": plant.name, "found": False, "seeds": SEEDS_MAX, "violated": seen}


def _line(plant: Plant, found: dict[str, Any]) -> str:
    seeds = f"{found['seeds']} seed{'s' * (found['seeds'] > 1)}" if found["found"] else "NOT FOUND"
    return f"{plant.name:60} {', '.join(sorted(plant.found_by)):8} {seeds:10} {', '.join(found['violated'])}"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = CheckedParser(
        prog="scripts/planted", description="Bugs planted into a server, until the verdict finds each."
    )
    parser.add_argument("part", nargs="?", default="", help="of the names of the bugs to run (default: all)")
    parser.add_argument("--again", action="store_true", help="also run what was found before")
    parser.add_argument("--record", action="store_true", help="keep the runs in which they were found for the tests")
    parser.add_argument("--gate", action="store_true", help="run redrain gate over each: it must exit with 10")
    parser.add_argument("--state", type=Path, help=f"one line a bug (default {OUTCOMES}, or {OUTCOMES_OF_GATE})")
    options = parser.parse_args(arguments)
    options.state = options.state or (OUTCOMES_OF_GATE if options.gate else OUTCOMES)
    return options


if __name__ == "__main__":
    sys.exit(main())
