"""The options of ``redrain storm``, named as on the command line."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.run.environment import unfit_for_a_storm
from loadtest.scenarios.scenario import WORKERS_MAX, Scenario
from loadtest.scenarios.target_scenario import TargetScenario
from loadtest.verdict.threshold_grammar import parse_line
from loadtest.verdict.threshold_terms import BadThreshold


def wrong_threshold(lines: Sequence[str] | None) -> str:
    """Return the error of the first ``--threshold`` that cannot be read, or ""."""
    try:
        for line in lines or ():
            parse_line(line)
    except BadThreshold as bad:
        return f"threshold: {bad}"
    return ""


@dataclass(frozen=True, slots=True)
class StormOptions:
    """The options of a storm; None means the scenario's value, or the default."""

    scenario: str
    viewers: int | None
    allocator: str | None
    seed: int | None
    speed: int | None
    durability: str
    target: Sequence[str] | None
    workers: int | None
    engine: str
    processes: int | None
    out: Path | None
    json: str | None
    target_adapter: str = ""
    allow_remote: bool = False
    max_rate: float | None = None
    allow_server_errors: bool = False
    token: str = field(default="", repr=False)
    ca_file: str | None = None
    watch: bool = False
    watch_port: int = 0
    watch_stay: float = 0.0
    threshold: Sequence[str] | None = None
    duration: str | None = None

    def wrong(self, scenario: Scenario | TargetScenario) -> str:
        """Return the error of options that conflict with each other or with the scenario, or ""."""
        if self.durability not in ("none", "relaxed", "durable"):
            return "durability: must be none, relaxed or durable"
        if self.workers is not None and not 1 <= self.workers <= WORKERS_MAX:
            return f"workers: must be 1 to {WORKERS_MAX}"
        if self.max_rate is not None and not self.max_rate > 0:  # nor is it a NaN
            return "max-rate: must be above 0 requests a second"
        if wrong := wrong_threshold(self.threshold):
            return wrong
        if unfit := unfit_for_a_storm():
            return f"{unfit[0]}: is set, and no storm uses it: unset it, and use the storm's options"
        if self.ca_file is not None and (not self.target or isinstance(scenario, TargetScenario)):
            return (
                "ca-file: applies only to a Redrain server of --target; a scenario's [target] has a ca_file of its own"
            )
        if self.duration is not None and isinstance(scenario, TargetScenario):
            return "duration: does not go with [target]; change copies and lasts_ms in the scenario"
        own = not self.target and isinstance(scenario, Scenario)
        if not own and self.workers is not None:
            return "workers: applies only to the storm's own server; leave --workers or --target out"
        if not own and self.allocator is not None:
            return "allocator: applies only to the storm's own server; leave --allocator or --target out"
        if isinstance(scenario, Scenario) and self.target_adapter:
            return "target-adapter: needs a scenario with [target] (docs/targets.md)"
        if isinstance(scenario, Scenario) and self.target and (scenario.faults or scenario.hostile):
            what = "faults" if scenario.faults else "hostile"
            return f"{what}: apply only to the storm's own server; leave --target out"
        return ""
