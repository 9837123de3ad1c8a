"""
Run every planted bug until the verdict finds it, one line each; what was found before is not run again.

``python -m tests.planted [PART OF A NAME]``. The outcomes stand in ``.redrain/planted.jsonl``; without it all run.
"""

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from loadtest.engines.child_process import ChildProcess
from loadtest.engines.crowd import SilentView, View
from loadtest.record.run_folder import RunFolder
from loadtest.run.judge_run import judge_run
from loadtest.run.provision import provision
from loadtest.run.storm import StormPlan, carry_out, facts_of
from loadtest.scenarios.scenario import load_scenario
from loadtest.verdict.weigh import Exit
from scripts.output import write_any_text
from tests.planted.plants import PLANTS, Plant

OUTCOMES = Path(".redrain/planted.jsonl")
SEEDS_MAX = 3
SCENARIO = str(Path(__file__).parent / "crowd.toml")


def violated(plant: Plant, seed: int, path: Path) -> set[str]:
    """Run a storm on a server with the bug in an empty folder, and return the invariants that do not hold."""
    start = ChildProcess.__init__

    def planted(self: ChildProcess, name: str, module: str, arguments: Sequence[str], *rest: Any, **more: Any) -> None:
        if name == "server":
            module, arguments = "tests.planted.server", [plant.name, *arguments]
        start(self, name, module, arguments, *rest, **more)

    ChildProcess.__init__ = planted  # type: ignore[method-assign]
    try:
        result = stormed(seed, RunFolder(path), SilentView())
    finally:
        ChildProcess.__init__ = start  # type: ignore[method-assign]
    return {violation["invariant"] for violation in result["violations"]}


def stormed(seed: int, folder: RunFolder, view: View) -> dict[str, Any]:
    """Run the storm of the planted bugs in an empty folder, and return its result."""
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.scenario.write_bytes(Path(SCENARIO).read_bytes())
    provisioned = provision(load_scenario(SCENARIO).before(seed=seed), engine="swarm", processes=1, target=None)
    plan = StormPlan(provisioned.scenario, folder, engine="swarm", processes=provisioned.processes)
    facts = facts_of(plan, datetime.now(UTC), name=SCENARIO, provisioned=provisioned)
    carry_out(plan, facts, view)
    return judge_run(folder)


def main(part: str = "") -> int:
    """Run the bugs whose names hold *part*, and return the exit code: 0 if every one is found."""
    write_any_text()
    OUTCOMES.parent.mkdir(exist_ok=True)
    lines = OUTCOMES.read_bytes().splitlines() if OUTCOMES.exists() else []
    done = {line["name"]: line for line in map(orjson.loads, lines) if line["found"]}
    for plant in PLANTS:
        if part not in plant.name:
            continue
        if plant.name not in done:
            done[plant.name] = _outcome(plant)
            with OUTCOMES.open("ab") as file:
                file.write(orjson.dumps(done[plant.name]) + b"\n")
        found = done[plant.name]
        seeds = f"{found['seeds']} seed{'s' * (found['seeds'] > 1)}" if found["found"] else "NOT FOUND"
        print(
            f"{plant.name:45} {', '.join(sorted(plant.found_by)):5} {seeds:10} {', '.join(found['violated'])}",
            flush=True,
        )
    return Exit.PASS if all(each["found"] for each in done.values()) else Exit.INVARIANT


def _outcome(plant: Plant) -> dict[str, Any]:
    broken: set[str] = set()
    for seed in range(1, SEEDS_MAX + 1):
        folder = OUTCOMES.parent / "planted"
        shutil.rmtree(folder, ignore_errors=True)
        broken = violated(plant, seed, folder)
        if broken & plant.found_by:
            return {"name": plant.name, "found": True, "seeds": seed, "violated": sorted(broken)}
    return {"name": plant.name, "found": False, "seeds": SEEDS_MAX, "violated": sorted(broken)}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
