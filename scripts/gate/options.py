"""The options of ``redrain gate``, named as on the command line."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import TargetScenario
from loadtest.verdict.threshold_grammar import parse_limit, parse_line
from loadtest.verdict.threshold_terms import BadThreshold
from scripts.gate.counters import COUNTERS

BUDGET_MAX_MIN = 600.0
MINUTES = 1.0  # a gate on smoke is over in a minute and a half
MINUTES_OF_SERVICES = 5.0


@dataclass(frozen=True, slots=True)
class GateOptions:
    """The options of a gate; "" or None means that it was not given. The work counters in ``allow`` may rise."""

    scenario: str
    base: str = ""
    base_command: str = ""
    head_command: str = ""
    base_url: str = ""
    head_url: str = ""
    slower: float = 3.0
    budget: float | None = None
    engine: str = "swarm"
    allow: Sequence[str] = ()
    threshold: Sequence[str] = ()
    limit: Sequence[str] = ()
    viewers: int | None = None
    seed: int | None = None
    target_adapter: str = ""
    out: Path | None = None
    json: str | None = None
    junit: Path | None = None
    summary: Path | None = None

    @property
    def given(self) -> list[str]:
        """Return the names of the options that were given beside the scenario, as on the command line."""
        plain = GateOptions(self.scenario)
        names = [each.name for each in fields(self)]
        changed = [name for name in names if (getattr(self, name) or None) != (getattr(plain, name) or None)]
        return [f"--{name.replace('_', '-')}" for name in changed]

    @property
    def minutes(self) -> float:
        """Return how many minutes the comparison may take."""
        if self.budget is not None:
            return self.budget
        return MINUTES_OF_SERVICES if self.base_command or self.base_url else MINUTES

    def wrong(self, scenario: Scenario | TargetScenario) -> str:
        """Return the error of options that conflict with each other or with the scenario, or ""."""
        if not 0 < self.slower <= 1000:
            return "slower: must be above 0 and at most 1000 percent"
        if not 0 <= self.minutes <= BUDGET_MAX_MIN:
            return f"budget: must be 0 to {BUDGET_MAX_MIN:.0f} minutes"
        if unknown := set(self.allow or ()) - COUNTERS.keys():
            return f"allow: {min(unknown)} is no work counter; there are {', '.join(COUNTERS)}"
        if wrong := self._wrong_line():
            return wrong
        if self.engine not in ("locust", "swarm"):
            return "engine: must be locust or swarm"
        for given, needed in (("base_command", "head_command"), ("base_url", "head_url"), ("head_url", "base_url")):
            if getattr(self, given) and not getattr(self, needed):
                return f"{given.replace('_', '-')}: needs {needed.replace('_', '-')} as well"
        by_command = "base_command" if self.base_command else "head_command"
        ways = [way for way in ("base", by_command, "base_url") if getattr(self, way)]
        if len(ways) > 1:
            return f"{ways[1].replace('_', '-')}: conflicts with {ways[0].replace('_', '-')}; give one pair to compare"
        if isinstance(scenario, Scenario) and ways and ways[0] != "base":
            return (
                f"{ways[0].replace('_', '-')}: needs a scenario with [target], which says how the service is spoken to "
                "(docs/targets.md)"
            )
        if isinstance(scenario, TargetScenario) and self.base:
            return "base: builds this project; compare a service with --base-command and --head-command, or by URL"
        return ""

    def _wrong_line(self) -> str:
        for name, lines, read in (("threshold", self.threshold, parse_line), ("limit", self.limit, parse_limit)):
            try:
                for line in lines or ():
                    read(line)
            except BadThreshold as bad:
                return f"{name}: {bad}"
        return ""
