"""The hostile clients of a storm: a process beside the audience, whose outcomes are kept with the run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from loadtest.engines.child_process import ChildProcess
from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.scenarios.scenario import Scenario

LOOK_EVERY_S = 0.02


@contextmanager
def hostile_clients(scenario: Scenario, folder: RunFolder, facts: RunFacts, url: str) -> Iterator[None]:
    """Let the hostile clients of a scenario misbehave during the block, and add to *facts* what came of it."""
    if scenario.hostile is None:
        yield
        return
    outcomes = folder.path / "hostile.json"
    arguments = ["--host", url, "--scenario", str(folder.scenario), "--seed", str(scenario.seed)]
    arguments += ["--outcomes", str(outcomes)]
    process = ChildProcess(
        "hostile clients", "loadtest.engines.hostile_process", arguments, folder.path / "hostile.log"
    )
    try:
        while not outcomes.exists():  # it is written when they begin, and again when they end
            process.check()
            time.sleep(LOOK_EVERY_S)
        yield
        process.check()
    finally:
        process.stop()
    facts.hostile = orjson.loads(outcomes.read_bytes())
