"""The gate: correctness, work counters and paired timing of a head against a base, and one verdict of it all."""

import shlex
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtest.engines.child_process import ProcessFailed
from loadtest.run.environment import environment
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import TargetScenario
from loadtest.targets.requester import SetUpFailed
from loadtest.verdict.comparison import Conclusion
from loadtest.verdict.weigh import Reason, decide
from scripts.bench.process import BenchFailed
from scripts.gate.builds import NoBase, base_of, check_protocol, head
from scripts.gate.counters import COUNTERS, counted_twice
from scripts.gate.figures import Alone
from scripts.gate.leg import NotOver
from scripts.gate.limits import judge_limits, reasons_of, yardstick_of
from scripts.gate.options import GateOptions
from scripts.gate.sides import BuildSide, CommandSide, Side, UrlSide
from scripts.gate.started_service import ServiceFailed
from scripts.gate.timing import Timing, measure_alone, pairs_of, shown, take_time
from server.store.embedded.folder import StoreNotStarted

CACHE = Path(".redrain/gate")
BROKEN = (BenchFailed, OSError, ProcessFailed, ServiceFailed, SetUpFailed, StoreNotStarted)
ONE_AFTER_THE_OTHER = (
    "base and head were measured one after the other, and not in turns, which takes more pairs: let both commands "
    "listen at $PORT or {port}, and use no other port or file that is fixed"
)
Say = Callable[[str], None]


@dataclass(slots=True)
class Gate:
    """
    What a gate has found so far; ``notes`` say what could not be done, and why.

    ``storm`` is the result of the head's storm, ``counters`` the work counters of base and head, where there are any.
    """

    scenario: Scenario | TargetScenario
    options: GateOptions
    notes: list[str] = field(default_factory=list)
    storm: dict[str, Any] = field(default_factory=dict)
    counters: list[dict[str, Any]] = field(default_factory=list)
    timing: Timing | None = None
    alone: Alone | None = None
    base: str = ""
    head: str = ""
    not_compared: str = ""  # why the base that was asked for is not there


def run_through(gate: Gate, storm: Callable[[str], dict[str, Any]], say: Say) -> dict[str, Any]:
    """
    Carry the parts of a gate out in order, each only if it can still change the verdict, and return the result.

    *storm* storms the head at a URL, "" for a server of its own, and returns the result. Raises what that, legs and
    services raise.
    """
    base, ours = _sides(gate, say)
    gate.head, gate.base = ours.name, base.name if base else ""
    with ours.hosted() as url:
        gate.storm = storm(url)
    if not gate.storm["violations"]:
        base, before = _tried(gate, base, say)
        _count(gate, base, before, ours, say)
        _time(gate, base, ours, say)
    return result_of(gate)


def _sides(gate: Gate, say: Say) -> tuple[Side | None, Side]:
    options, scenario = gate.options, gate.scenario
    if isinstance(scenario, TargetScenario):
        about = (scenario, options.scenario, options.target_adapter)
        if options.head_command:
            base = CommandSide(options.base_command, *about) if options.base_command else None
            return base, CommandSide(options.head_command, *about)
        if options.base_url:
            return UrlSide(options.base_url, *about), UrlSide(options.head_url, *about)
        return None, UrlSide(scenario.target.base_url.rstrip("/"), *about)
    ours = head()
    if not options.base:
        return None, BuildSide(ours)
    try:
        revision = base_of(options.base, CACHE, say)
        check_protocol(revision.build, ours.build)
    except NoBase as missing:
        _without_base(gate, str(missing))
        return None, BuildSide(ours)
    return BuildSide(revision), BuildSide(ours)


def _without_base(gate: Gate, why: str) -> None:
    """Keep why nothing is compared, in one line: a service's own last words may have several."""
    gate.base, gate.not_compared = "", why.replace(":\n", ": ").replace("\n", "\\n")
    gate.notes.append(f"nothing is compared: {gate.not_compared}")


def _tried(gate: Gate, base: Side | None, say: Say) -> tuple[Side | None, dict[str, float] | None]:
    """Return the base and its work counters, as far as it runs; why it does not is noted, and the rest decides."""
    if base is None:
        return None, None
    say("starting the base" if isinstance(gate.scenario, TargetScenario) else "counting the work of a grab: base")
    try:
        with base.hosted():
            return base, base.counters()
    except BROKEN as error:
        _without_base(gate, f"the base does not run: {error}")
        return None, None


def _count(gate: Gate, base: Side | None, before: dict[str, float] | None, ours: Side, say: Say) -> None:
    if isinstance(gate.scenario, TargetScenario):
        return  # nothing is known of a service's inside
    say("counting the work of a grab: head")
    counted = ours.counters()
    if counted is None:
        return
    if before is not None and base is not None and _raised(gate, before, counted):
        say("counting once more: a counter is higher")
        before = counted_twice(before, base.counters() or before)
        counted = counted_twice(counted, ours.counters() or counted)
    for name, counter in COUNTERS.items():
        was = None if before is None else before[name]
        met = None if was is None or _may_rise(gate, name) else counter.allows(was, counted[name])
        gate.counters.append({"counter": name, "title": counter.title, "base": was, "head": counted[name], "met": met})


def _raised(gate: Gate, before: dict[str, float], counted: dict[str, float]) -> bool:
    """Tell whether a counter that decides is higher than the base's."""
    return any(
        not counter.allows(before[name], counted[name])
        for name, counter in COUNTERS.items()
        if not _may_rise(gate, name)
    )


def _may_rise(gate: Gate, name: str) -> bool:
    return name in (gate.options.allow or ())


def _time(gate: Gate, base: Side | None, ours: Side, say: Say) -> None:
    if gate.options.minutes <= 0 or _has_risen(gate):
        return
    if base is None:
        if gate.options.head_command and not gate.options.limit:
            return
        say("measuring a leg")
        try:
            gate.alone = measure_alone(ours)
        except NotOver as error:
            gate.notes.append(f"nothing is timed: {error}")
        return
    gate.timing = Timing(gate.options.slower / 100)
    take_time(base, ours, gate.timing, time.monotonic() + gate.options.minutes * 60, say)
    if not gate.timing.together:
        gate.notes.append(ONE_AFTER_THE_OTHER)


def result_of(gate: Gate) -> dict[str, Any]:
    """Return the result of a gate: the storm's, with what the comparison adds."""
    timing, alone = gate.timing, gate.alone
    compared = None if timing is None else {
        "metrics": [shown(each) for each in timing.comparisons],
        "decided_by": timing.decides,
        "void": timing.void,
        "yardstick": [pair.yardstick._asdict() for pair in timing.pairs],
        "legs": pairs_of(timing.pairs),
    }  # fmt: skip
    limits = judge_limits(gate.options.limit or (), compared, alone)
    reasons_of_limits = reasons_of(limits, void=bool(alone and alone.void))
    verdict, reasons, exit_code = decide([*_reasons(gate), *reasons_of_limits])
    return {
        **gate.storm,
        "thresholds": [*gate.storm.get("thresholds", ()), *map(asdict, limits)],
        "verdict": verdict,
        "reasons": reasons,
        "exit_code": int(exit_code),
        "gate": {
            "base": gate.base,
            "head": gate.head,
            "not_compared": gate.not_compared,
            "slower_percent": gate.options.slower,
            "counters": gate.counters,
            "comparison": compared,
            "alone": None if alone is None else alone.leg._asdict(),
            "yardstick_us": yardstick_of(compared, alone),
            "notes": gate.notes,
        },
        "environment": environment(own_server=True),
        "repeat_command": repeat_command(gate.options),
    }


def _reasons(gate: Gate) -> list[Reason]:
    """Return the reasons against a pass: those of the storm, and those of the comparison."""
    reasons = [Reason(reason) for reason in gate.storm["reasons"]]
    if _has_risen(gate):
        reasons.append(Reason.REGRESSION)
    timing = gate.timing
    if timing is None:
        return reasons
    if timing.void:
        return [*reasons, Reason.VOID]
    conclusions = {each.conclusion for each in timing.comparisons if each.metric in timing.decides}
    if Conclusion.REGRESSION in conclusions:
        reasons.append(Reason.REGRESSION)
    elif Conclusion.INCONCLUSIVE in conclusions:
        reasons.append(Reason.INCONCLUSIVE)
    return reasons


def _has_risen(gate: Gate) -> bool:
    """Tell whether a counter has decided: it does not depend on the machine, and no timing can change it."""
    return any(counter["met"] is False for counter in gate.counters)


def repeat_command(options: GateOptions) -> str:
    """Return the command that repeats the gate."""
    words = ["redrain", "gate", options.scenario]
    for name, value in (asdict(options) | {"budget": options.minutes}).items():
        option = f"--{name.replace('_', '-')}"
        if name in ("allow", "threshold", "limit"):
            words += [word for each in value or () for word in (option, each)]
        elif name not in ("scenario", "out", "json", "junit", "summary") and value not in ("", None):
            words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)
