"""
Run every planted bug until the verdict finds it, one line each; what was found before is not run again.

``scripts/planted [PART OF A NAME]``. The outcomes stand in ``.redrain/planted.jsonl``; without it all run. With
``--record`` the runs in which the bugs were found are kept beside this file, for the tests to judge again.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from loadtest.engines.child_process import ChildProcess, ProcessFailed
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
from tests.planted.plant import Plant
from tests.planted.plants import PLANTS
from tests.planted.recorded import record

OUTCOMES = Path(".redrain/planted.jsonl")
SEEDS_MAX = 3


def violated(plant: Plant, seed: int, path: Path) -> set[str]:
    """Run a storm on a server with the bug in an empty folder, and return the invariants that do not hold."""
    start = ChildProcess.__init__

    def planted(self: ChildProcess, name: str, module: str, arguments: Sequence[str], *rest: Any, **more: Any) -> None:
        if name == "server":
            module, arguments = "tests.planted.server", [plant.name, *arguments]
        start(self, name, module, arguments, *rest, **more)

    ChildProcess.__init__ = planted  # type: ignore[method-assign]
    try:
        result = stormed(seed, RunFolder(path), SilentView(), plant.scenario)
    finally:
        ChildProcess.__init__ = start  # type: ignore[method-assign]
    return {violation["invariant"] for violation in result["violations"]}


def stormed(seed: int, folder: RunFolder, view: View, scenario: str = "crowd") -> dict[str, Any]:
    """Run a storm of the planted bugs in an empty folder, and return its result."""
    folder.path.mkdir(parents=True, exist_ok=True)
    path = Path(__file__).with_name(f"{scenario}.toml")
    folder.scenario.write_bytes(path.read_bytes())
    provisioned = provision(load_scenario(str(path)).before(seed=seed), engine="swarm", processes=1, target=None)
    plan = StormPlan(provisioned.scenario, folder, engine="swarm", processes=provisioned.processes)
    facts = facts_of(plan, datetime.now(UTC), name=path.stem, provisioned=provisioned)
    carry_out(plan, facts, view)
    return judge_run(folder)


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
            seen = sorted(violated(plant, seed, folder))
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
    parser.add_argument("--state", type=Path, default=OUTCOMES, help=f"one line a bug (default {OUTCOMES})")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
